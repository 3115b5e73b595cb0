"""What single calls to a number may be paid with by card: one on file of its account's holder, or through a link."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import FromClause, Row, and_, bindparam, exists, or_

from accounts.payment_tables import PaymentKind, PaymentState, opted_out, payment
from accounts.tables import account_holder, prepaid_number

PAID_CALL: Final = "paid_call"
_its_number = prepaid_number.alias("number_on_file")
_NO_LINK: Final = or_(
    exists().where(opted_out.c.number == bindparam("number")),
    exists().where(
        payment.c.number == bindparam("number"),
        payment.c.kind == PaymentKind.PAID_CALL,
        or_(payment.c.state == PaymentState.ASKED, payment.c.state == PaymentState.PENDING),
    ),
)


def columns(offered: Collection[str]) -> Sequence[Any]:
    """The columns of the two below, found in what `joined` makes; none where no single calls are offered."""
    return (
        (account_holder.c.account_id.label("card_account"), _NO_LINK.label("no_link"))
        if PAID_CALL in offered
        else ()
    )


def joined(to: FromClause, offered: Collection[str]) -> FromClause:
    """Beside a row, the holder with a card, valid on that day, of the prepaid account that a number belongs to.

    Parameters `number` (E.164) and `on` (a date).
    """
    if PAID_CALL not in offered:
        return to
    its = and_(_its_number.c.number == bindparam("number"), _its_number.c.removed_at.is_(None))
    with_card = and_(
        account_holder.c.account_id == _its_number.c.account_id,
        account_holder.c.closed_at.is_(None),
        account_holder.c.customer_id.is_not(None),
        account_holder.c.card_id.is_not(None),
        account_holder.c.card_expires_on >= bindparam("on"),
    )
    return to.outerjoin(_its_number, its).outerjoin(account_holder, with_card)


def card_account_of(row: Row[Any], offered: Collection[str]) -> str | None:
    """The account whose holder's card may be charged for one call."""
    return row.card_account if PAID_CALL in offered else None


def takes_link(row: Row[Any], offered: Collection[str]) -> bool:
    """Whether the number may be sent a link to pay for one call: none waits there, and it takes SMS."""
    return PAID_CALL in offered and not row.no_link
