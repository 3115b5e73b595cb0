"""What called parties complain of about a call: opened with a note, then given back in full or refused."""

from typing import Any, ClassVar, Literal

from sqlalchemy import Connection, Row, insert, select, update

from accounts import ledger
from accounts.giving_back import give_back
from accounts.holders import touch
from accounts.outbox import NoticeKind, tell
from accounts.tables import Unit
from ivr.records.tables import call, complaint
from ivr.staff.accounts.asked import dollars
from ivr.staff.desk import Asked, Desk, StaffError, WholeId
from rating.money import Money, format_money


class Dispute(Asked):
    """A complaint about a call, by the call's id; `decision` says what becomes of it, none opens it."""

    of_facility: ClassVar[bool] = False

    call_id: WholeId
    decision: Literal["refund", "refuse"] | None = None

    @property
    def about(self) -> str:
        """The call."""
        return f"call {self.call_id}"


def dispute(desk: Desk, asked: Dispute) -> str:
    """Open or decide the complaint; raises StaffError for a call that is not over, or a complaint that was decided."""
    row = _call(desk, asked.call_id)
    standing = desk.conn.execute(
        select(complaint).where(complaint.c.call_id == row.id).with_for_update()
    ).one_or_none()
    if standing is not None and standing.decided_at is not None:
        how = "given back" if standing.given_back else "refused"
        raise StaffError(f"call {row.id}: the complaint was {how} on {standing.decided_at:%Y-%m-%d}")
    if standing is None:
        opened = {"note": asked.note, "author": asked.author, "opened_at": desk.at}
        desk.conn.execute(insert(complaint).values(call_id=row.id, **opened))
    if row.account_id is not None:
        touch(desk.conn, row.account_id, desk.at)
    if asked.decision is None:
        return f"call {row.id}: the complaint is open{', as before' if standing is not None else ''}"
    told = _refund(desk, row) if asked.decision == "refund" else "the complaint is refused"
    decided = {"decided_note": asked.note, "decided_by": asked.author, "decided_at": desk.at}
    decided["given_back"] = asked.decision == "refund"
    desk.conn.execute(update(complaint).where(complaint.c.call_id == row.id).values(decided))
    return f"call {row.id}: {told}"


def complaints_shown(conn: Connection, *, decided: bool) -> list[dict[str, str]]:
    """Complaints that wait for a decision, or with `decided` all of them, the oldest first; times are UTC."""
    wanted = select(complaint, call.c.number, call.c.charge, call.c.calls_charged).join(
        call, call.c.id == complaint.c.call_id
    )
    if not decided:
        wanted = wanted.where(complaint.c.decided_at.is_(None))
    return [_shown(row) for row in conn.execute(wanted.order_by(complaint.c.opened_at, complaint.c.call_id))]


def _shown(row: Row[Any]) -> dict[str, str]:
    state = "open" if row.decided_at is None else "given back" if row.given_back else "refused"
    cost = f"{row.calls_charged} call" if row.calls_charged else dollars(row.charge or 0)
    return {
        "call": row.call_id,
        "opened": f"{row.opened_at:%Y-%m-%d}",
        "number": row.number,
        "cost": cost,
        "state": state,
        "note": row.note,
    }


def _call(desk: Desk, call_id: str) -> Row[Any]:
    row = desk.conn.execute(select(call).where(call.c.id == call_id)).one_or_none()
    if row is None:
        raise StaffError(f"there is no call {call_id}")
    if row.sealed_at is None:
        raise StaffError(f"call {call_id} is not over")
    return row


def _refund(desk: Desk, row: Row[Any]) -> str:
    try:
        entry = give_back(desk.conn, row.id, desk.at)
    except ledger.TransferConflict:
        raise StaffError(f"call {row.id} was given back in part: `ivr ledger show` tells how much") from None
    if entry is None:
        return "nothing to give back, it took nothing"
    if entry.posted_at != desk.at:
        return f"was given back before, on {entry.posted_at:%Y-%m-%d}"
    unit = Unit.CALLS if row.calls_charged else Unit.USD
    if unit is Unit.CALLS:
        return f"given back: {entry.amount} call to {entry.credit_id}"
    told = {"amount": format_money(Money(entry.amount))}
    tell(
        desk.conn,
        account_id=entry.credit_id,
        kind=NoticeKind.REFUNDED,
        key=f"refunded/{entry.id}",
        told=told,
        at=desk.at,
    )
    return f"given back: {dollars(entry.amount)} to {entry.credit_id}"
