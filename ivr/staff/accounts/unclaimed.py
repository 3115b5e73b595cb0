"""What states get of idle money, as files; and what holders who come back in time get again."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar

from sqlalchemy import Connection

from accounts import unclaimed
from accounts.holders import touch
from ivr.facility.fields import Day, State
from ivr.staff.accounts.asked import Amount, OfAccount, Reference, dollars, found, told
from ivr.staff.accounts.money import PEOPLES
from ivr.staff.desk import Asked, Desk, StaffError, ToldOnce
from rating.money import format_money

HEADER = ("account", "name", "mobile", "email", "amount", "set_aside_on")


class Export(Asked):
    """A state is to be told of the money that it gets; or told again what it was told on a day (UTC)."""

    of_facility: ClassVar[bool] = False

    state: State
    exported_on: Day | None = None

    @property
    def about(self) -> str:
        """The state."""
        return f"state {self.state}"


class HandedOver(Asked):
    """A state was paid what it was told of: all of it, or what it was told on a day (UTC)."""

    of_facility: ClassVar[bool] = False

    state: State
    amount: Amount
    reference: Reference
    paid_on: Day
    exported_on: Day | None = None

    @property
    def about(self) -> str:
        """The state."""
        return f"state {self.state}"


class Reclaim(OfAccount):
    """The holder of an idle account has come back; `returned` is under which reference the state gave it back."""

    returned: Reference | None = None


def export(desk: Desk, asked: Export) -> ToldOnce:
    """The CSV for a state, each line once; raises StaffError where there is nothing."""
    state = f"US-{asked.state}"
    if asked.exported_on is None:
        lines = unclaimed.export(desk.conn, state, desk.at)
    else:
        lines = unclaimed.exported_on(desk.conn, state, _begins(asked.exported_on))
    if not lines:
        raise StaffError(f"nothing is unclaimed for {asked.state}")
    total = dollars(sum(each.amount for each in lines))
    return ToldOnce(f"{asked.state}: {len(lines)} accounts, {total} in all", _as_csv(lines))


def reclaim(desk: Desk, asked: Reclaim) -> str:
    """The money is the account's again; raises StaffError where nothing of it waits, or a state has it."""
    found(desk, asked.account_id, *PEOPLES)
    if asked.returned is not None:
        return _take_back(desk, asked.account_id, asked.returned)
    amount = unclaimed.reclaim(desk.conn, asked.account_id, desk.at)
    if not amount:
        raise StaffError(
            f"nothing of {asked.account_id} waits: it was never set aside, or a state was told of it "
            "(--returned books what a state has given back)"
        )
    touch(desk.conn, asked.account_id, desk.at)
    return told(desk, asked.account_id, f"is the holder's again: {dollars(amount)}")


def _take_back(desk: Desk, account_id: str, reference: str) -> str:
    before = unclaimed.returned_before(desk.conn, account_id, reference)
    if before:
        return told(desk, account_id, f"was returned by the state before, as {reference}: {dollars(before)}")
    amount = unclaimed.take_back(desk.conn, account_id, reference, desk.at)
    if not amount:
        raise StaffError(
            f"nothing of {account_id} is a state's: none was paid any, or it was returned before"
        )
    touch(desk.conn, account_id, desk.at)
    return told(desk, account_id, f"returned by the state, as {reference}: {dollars(amount)}")


def hand_over(desk: Desk, asked: HandedOver) -> str:
    """Book once what the state was paid; raises StaffError where it is another amount than it was told of."""
    state, paid = f"US-{asked.state}", dollars(asked.amount)
    before = unclaimed.handed_over_before(desk.conn, state, asked.reference)
    if before is not None:
        if before != asked.amount:
            raise StaffError(f"{asked.reference} was {dollars(before)} for {asked.state}: nothing was booked")
        return f"{asked.state}: was booked before: {paid}, as {asked.reference}"
    if asked.paid_on > desk.at.date() + timedelta(days=1):
        raise StaffError(f"paid_on: expected a day that has come, not {asked.paid_on}")
    begins = _begins(asked.exported_on) if asked.exported_on else None
    due = unclaimed.due_to_state(desk.conn, state, begins)
    if not due:
        raise StaffError(f"nothing is due to {asked.state}: `ivr account unclaimed --export` tells it first")
    if due != asked.amount:
        raise StaffError(f"amount: expected {dollars(due)}, what {asked.state} was told of and not paid")
    unclaimed.hand_over(
        desk.conn, state, asked.reference, exported_on=begins, paid_on=asked.paid_on, at=desk.at
    )
    return f"{asked.state}: handed over: {paid}, as {asked.reference}"


def unclaimed_shown(conn: Connection) -> list[dict[str, str]]:
    """What was set aside and no state was paid yet, and when the state was told of it."""
    return [
        {
            "state": row.state.removeprefix("US-"),
            "account": row.account_id,
            "since": f"{row.booked_at:%Y-%m-%d}",
            "exported": f"{row.exported_at:%Y-%m-%d}" if row.exported_at else "",
            "amount": format_money(row.amount),
        }
        for row in unclaimed.waiting(conn)
    ]


def _begins(day: date) -> datetime:
    return datetime.combine(day, time(0), UTC)


def _as_csv(lines: Sequence[unclaimed.Unclaimed]) -> str:
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(HEADER)
    for each in lines:
        known = (each.name or "", each.mobile or "", each.email or "")
        rows.writerow((each.account_id, *known, format_money(each.amount), f"{each.booked_at:%Y-%m-%d}"))
    return written.getvalue()
