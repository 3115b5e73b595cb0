"""`ivr account statement|propose` and `ivr invoice`: what an account's holder or an agency is sent."""

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from accounts.ledger import AccountConflict, AccountUnknown
from ivr.cli.calls import open_database
from ivr.cli.given import MONTH
from ivr.cli.staff import AsJson, Facility, InmateId, Note, change, look, show
from ivr.clock import utc_now
from ivr.papers.invoice import InvoiceUnknown, bill_of, invoices
from ivr.papers.paper import Paper, bill_paper, statement_paper
from ivr.papers.printing import printed
from ivr.papers.statement import statement_asked_for
from rating.money import Money, format_money


class PaperError(Exception):
    """There is nothing to print; the message says why."""


class Form(StrEnum):
    """On what a paper is printed."""

    TEXT = "text"
    CSV = "csv"
    PDF = "pdf"


Account = Annotated[str, typer.Argument(help="the account's id, as `ivr ledger show` prints it")]
Format = Annotated[Form, typer.Option("--format", help="PDF needs --output")]
Output = Annotated[
    Path | None, typer.Option("--output", help="a file that only you may read, instead of the terminal")
]


def register(app: typer.Typer) -> None:
    """Add the verbs of bills; `ivr account` has the others."""
    bills = typer.Typer(no_args_is_help=True, help="Monthly bills of who pays later, and of agencies.")

    @bills.callback()
    def _group() -> None:
        """Monthly bills: collect and direct-bill accounts, and what agencies owe by law for free calls."""

    bills.command("list")(list_)
    bills.command("show")(show_bill)
    bills.command("paid")(paid)
    app.add_typer(bills, name="invoice")


def statement(
    account: Account,
    month: Annotated[
        datetime | None,
        typer.Option("--month", parser=MONTH, help="such as 2026-11; without it this month so far"),
    ] = None,
    form: Format = Form.TEXT,
    output: Output = None,
) -> None:
    """Print a month of an account: deposits, each call with its length, cost and taxes, and the balance.

    It is in the holder's language. Calls of the account's subscriptions stand between, without an amount. That somebody
    looked is logged.
    """
    look("account statement", f"account {account}")
    with open_database() as database:
        try:
            asked = month.date() if month else None
            found = database.read_now(statement_asked_for, account, asked, utc_now())
        except AccountUnknown:
            raise PaperError(f"there is no account {account}") from None
        except AccountConflict as conflict:
            raise PaperError(str(conflict)) from None
    _print(statement_paper(found), form, output)


def propose(
    account: Account,
    inmate: InmateId,
    note: Note,
    *,
    number: Annotated[
        str | None, typer.Option("--number", help="one number; without it all that the account pays for")
    ] = None,
    label: Annotated[str, typer.Option("--label", help="whose number it is")] = "",
    speed_dial: Annotated[str | None, typer.Option("--speed-dial", help="one or two digits")] = None,
    facility: Facility = None,
) -> None:
    """Ask, for an account's holder, that an inmate may call their numbers; `ivr requests` decides on them."""
    given = {"number": number, "label": label, "speed_dial": speed_dial}
    change("account propose", note, facility, account_id=account, inmate_id=inmate, **given)


def list_(
    *,
    unpaid: Annotated[bool, typer.Option("--unpaid", help="only those that wait for their money")] = False,
    as_json: AsJson = False,
) -> None:
    """List the bills, the newest first."""
    with open_database() as database:
        found = database.read_now(invoices, unpaid=unpaid)
    rows = [
        {
            "calls": row.calls,
            "amount": format_money(Money(row.amount)),
            "paid": f"{row.paid_at:%Y-%m-%d}" if row.paid_at else "",
            "invoice": row.id,
        }
        for row in found
    ]
    show(("calls", "amount", "paid", "invoice"), rows, "No bills.", as_json=as_json)


def show_bill(
    invoice: Annotated[str, typer.Argument(help="its id, as `ivr invoice list` prints it")],
    form: Format = Form.TEXT,
    output: Output = None,
) -> None:
    """Print a bill with every call: date, inmate, number, length and price. That somebody looked is logged."""
    look("invoice show", f"invoice {invoice}")
    with open_database() as database:
        try:
            found = database.read_now(bill_of, invoice)
        except InvoiceUnknown:
            raise PaperError(f"there is no invoice {invoice}") from None
    _print(bill_paper(found), form, output)


def paid(
    invoice: Annotated[str, typer.Argument(help="its id, as `ivr invoice list` prints it")], note: Note
) -> None:
    """Book that the whole amount of a bill has come in."""
    change("invoice paid", note, None, invoice_id=invoice)


def _print(paper: Paper, form: Form, output: Path | None) -> None:
    content = printed(paper, form)
    if output is None:
        if form is Form.PDF:
            raise PaperError("--output: expected a file to write the PDF to")
        sys.stdout.write(content.decode())
        return
    try:
        output.touch(mode=0o600)
        output.write_bytes(content)
    except OSError as error:
        raise PaperError(f"--output {output}: {error.strerror}") from None
    typer.echo(f"written: {output}")
