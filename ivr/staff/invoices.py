"""Bills that have been paid."""

from typing import ClassVar

from ivr.papers import invoice
from ivr.staff.desk import Asked, Desk, StaffError
from rating.money import Money, format_money


class PaidInvoice(Asked):
    """The whole amount of a bill has come in."""

    of_facility: ClassVar[bool] = False
    invoice_id: str

    @property
    def about(self) -> str:
        """The bill."""
        return f"invoice {self.invoice_id}"


def paid(desk: Desk, asked: PaidInvoice) -> str:
    """Book the money; a bill that was paid before stays as it is."""
    try:
        is_new = invoice.pay(desk.conn, asked.invoice_id, desk.at)
        bill = invoice.bill_of(desk.conn, asked.invoice_id)
    except invoice.InvoiceUnknown:
        raise StaffError(f"there is no invoice {asked.invoice_id}") from None
    told = "paid" if is_new else "was paid before"
    return f"{bill.id}: {told}: ${format_money(Money(bill.amount))}"
