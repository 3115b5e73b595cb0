"""A called party's card on file, authorised for the longest talk of the one call that they accept."""

from enum import Enum, auto

from sqlalchemy import Connection

from accounts.holders import holder_of
from accounts.payment_tables import PaymentState
from accounts.payments import Done
from ivr.controls.node import Node
from ivr.live import LiveCalls
from ivr.processor.interface import OnFile
from ivr.records import calls
from ivr.records.states import CallState
from rating.money import Money, ceil_to_cent


class Checked(Enum):
    """What came of having a card authorised."""

    AUTHORISED = auto()
    DECLINED = auto()  # or the processor did not answer in time
    TOO_LATE = auto()  # the call waits for nobody's acceptance any more


async def authorise_card(node: Node, call_id: str) -> Checked:
    """Have what is held for a call, in whole cents, authorised on the card that its account has on file now.

    Written down before the processor is asked: if the call is not accepted after all, or nobody talks, it is given
    back once the call is sealed (`ivr.records.captures`), and an answer that comes too late as soon as it is known.
    """
    card, account_id, amount = await node.database.read(_asked_of, call_id)
    if account_id is None or _is_over(node.live, call_id):
        return Checked.TOO_LATE
    if node.paying is None or card is None:
        return Checked.DECLINED
    outcome = await node.paying.authorise(
        f"call/{call_id}/card", card, amount, call_id=call_id, account_id=account_id
    )
    if _is_over(node.live, call_id):
        return Checked.TOO_LATE
    is_authorised = isinstance(outcome, Done) and outcome.state is PaymentState.AUTHORISED
    return Checked.AUTHORISED if is_authorised else Checked.DECLINED


def _asked_of(conn: Connection, call_id: str) -> tuple[OnFile | None, str | None, Money]:
    """The card, the account it is on file with, and how much; no account of a call that can't be accepted."""
    row = calls.call_of(conn, call_id)
    if row is None or row.state != CallState.OFFERED or not row.by_card:
        return None, None, Money(0)
    amount = ceil_to_cent(Money(row.held))
    holder = holder_of(conn, row.account_id)
    if holder is None or holder.closed_at or holder.customer_id is None or holder.card_id is None:
        return None, row.account_id, amount
    return OnFile(holder.customer_id, holder.card_id), row.account_id, amount


def _is_over(live: LiveCalls, call_id: str) -> bool:
    """Whether somebody has hung up, as far as it is known here."""
    return live.hung_up_first(call_id) is not None
