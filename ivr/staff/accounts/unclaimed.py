"""What states get of idle money, as files; and what holders who come back in time get again."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import ClassVar

from sqlalchemy import Connection

from accounts import unclaimed
from accounts.holders import touch
from ivr.facility.fields import Day, State
from ivr.staff.accounts.asked import OfAccount, dollars, found, told
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


class Reclaim(OfAccount):
    """The holder of an idle account has come back."""


def export(desk: Desk, asked: Export) -> ToldOnce:
    """The CSV for a state, each line once; raises StaffError where there is nothing."""
    state = f"US-{asked.state}"
    if asked.exported_on is None:
        lines = unclaimed.export(desk.conn, state, desk.at)
    else:
        begins = datetime.combine(asked.exported_on, time(0), UTC)
        lines = unclaimed.exported_on(desk.conn, state, begins)
    if not lines:
        raise StaffError(f"nothing is unclaimed for {asked.state}")
    total = dollars(sum(each.amount for each in lines))
    return ToldOnce(f"{asked.state}: {len(lines)} accounts, {total} in all", _as_csv(lines))


def reclaim(desk: Desk, asked: Reclaim) -> str:
    """The money is the account's again; raises StaffError where nothing of it waits, or a state has it."""
    found(desk, asked.account_id, *PEOPLES)
    amount = unclaimed.reclaim(desk.conn, asked.account_id, desk.at)
    if not amount:
        raise StaffError(
            f"nothing of {asked.account_id} waits: it was never set aside, or a state was told of it"
        )
    touch(desk.conn, asked.account_id, desk.at)
    return told(desk, asked.account_id, f"is the holder's again: {dollars(amount)}")


def unclaimed_shown(conn: Connection) -> list[dict[str, str]]:
    """What was set aside and no state was told of yet."""
    return [
        {
            "state": row.state.removeprefix("US-"),
            "account": row.account_id,
            "since": f"{row.booked_at:%Y-%m-%d}",
            "amount": format_money(row.amount),
        }
        for row in unclaimed.waiting(conn)
    ]


def _as_csv(lines: Sequence[unclaimed.Unclaimed]) -> str:
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(HEADER)
    for each in lines:
        known = (each.name or "", each.mobile or "", each.email or "")
        rows.writerow((each.account_id, *known, format_money(each.amount), f"{each.booked_at:%Y-%m-%d}"))
    return written.getvalue()
