"""The hourly look for idle accounts: their holders are told, then given their money back, else a state is to have it.

When an account was last active is read from the book itself, its newest entry, beside when its holder was last heard
of: no call has to touch anything, and nothing that moved money can be forgotten. Nothing here is ever revenue.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, exists, func, or_, select, update

from accounts import idle, refunds, unclaimed
from accounts.closing import lock
from accounts.db import insert_if_new
from accounts.idle import Step
from accounts.outbox import NoticeKind, tell
from accounts.payment_tables import notice
from accounts.tables import (
    AccountKind,
    account,
    account_holder,
    inmate_account,
    prepaid_number,
    transfer,
)
from ivr.facility.tables import facility, inmate
from ivr.policy.request import InmateState
from ivr.records.alerts import alert_once
from ivr.records.tables import job
from rating.area_codes import state_of_area_code
from rating.money import Money, format_money

#: Gives an account's available money back in a way that needs nobody at hand, such as to the card it came from, books
#: that, and says whether there was such a way.
GiveBack = Callable[[Connection, str, Money, datetime], bool]

NAME: Final = "idle-accounts"
PAGE: Final = 500
AT_ONCE: Final = 200
EARLIEST: Final = timedelta(days=min(idle.TOLD_AFTER_DAYS))
GONE: Final = (InmateState.RELEASED, InmateState.TRANSFERRED)
_available = account.c.credits - account.c.debits - account.c.held


@dataclass(frozen=True, slots=True)
class _Idle:
    """An account without activity, and what decides on it."""

    id: str
    available: Money
    active_at: datetime
    state: str | None
    reachable: bool

    def key(self, days: int) -> str:
        """By which its holder is told once that it has been idle so long since then."""
        return f"idle/{self.id}/{self.active_at:%Y%m%dT%H%M%S}/{days}"


def idle_accounts(conn: Connection, at: datetime, give_back: GiveBack = refunds.by_card_alone) -> int:
    """Do what is due for idle accounts, some of them at a time; for how many something was done."""
    done = 0
    page = _page(conn)
    found = _idle(conn, at, page)
    told = _told(conn, found, at)
    for each in found:
        period = idle.days_of(each.state or "", at.date())
        key = each.key(idle.notice_due(each.active_at, at, period))
        wanted = idle.due(each.active_at, at, period, reachable=each.reachable, told_at=told.get(key))
        if wanted.step is Step.TELL:
            _tell(conn, each, wanted.days, at)
        elif wanted.step is Step.NOTHING or not _move(conn, each, at, give_back):
            continue
        done += 1
        if done == AT_ONCE:
            return done  # the same accounts again the next time
    place = page[-1] if len(page) == PAGE else None
    conn.execute(update(job).where(job.c.name == NAME).values(place=place))
    return done


def _page(conn: Connection) -> Sequence[str]:
    """The next accounts to look at, in the order of their ids: few enough that nobody waits for the look to end."""
    insert_if_new(conn, job, {"name": NAME, "did": 0})
    place = conn.scalar(select(job.c.place).where(job.c.name == NAME))
    peoples = account.c.kind.in_([AccountKind.PREPAID, AccountKind.DEBIT])
    ids = select(account.c.id).where(peoples, _available > 0, account.c.id > (place or ""))
    return conn.scalars(ids.order_by(account.c.id).limit(PAGE)).all()


def _idle(conn: Connection, at: datetime, page: Sequence[str]) -> list[_Idle]:
    """The accounts with people's money in them and no activity for so long that something may be due.

    Money of an inmate who is still there is left alone: they know of it, and hear of it whenever they call.
    """
    if not page:
        return []
    edge = at - EARLIEST
    rows = (
        select(
            account.c.id,
            account.c.opened_at,
            _available.label("available"),
            account_holder.c.touched_at,
            account_holder.c.mobile,
            account_holder.c.email,
            account_holder.c.state,
            inmate.c.facility_id,
            _newest(transfer.c.debit_id).label("debited_at"),
            _newest(transfer.c.credit_id).label("credited_at"),
        )
        .outerjoin(account_holder, account_holder.c.account_id == account.c.id)
        .outerjoin(inmate_account, inmate_account.c.account_id == account.c.id)
        .outerjoin(inmate, inmate.c.id == inmate_account.c.inmate)
        .where(
            or_(
                account.c.kind == AccountKind.PREPAID,
                and_(account.c.kind == AccountKind.DEBIT, inmate.c.state.in_(GONE)),
            ),
            account.c.id.between(page[0], page[-1]),
            _available > 0,
            account.c.opened_at <= edge,
            or_(account_holder.c.touched_at.is_(None), account_holder.c.touched_at <= edge),
            ~_moved_after(transfer.c.debit_id, edge),
            ~_moved_after(transfer.c.credit_id, edge),
        )
        .order_by(account.c.id)
    )
    found = conn.execute(rows).all()
    states = _states(conn, found)
    return [_read(row, states) for row in found]


def _newest(side: Any) -> Any:
    return select(func.max(transfer.c.posted_at)).where(side == account.c.id).scalar_subquery()


def _moved_after(side: Any, edge: datetime) -> Any:
    return exists().where(side == account.c.id, transfer.c.posted_at > edge)


def _read(row: Row[*tuple[Any, ...]], states: Mapping[str, str]) -> _Idle:
    times = (row.opened_at, row.touched_at, row.debited_at, row.credited_at)
    return _Idle(
        row.id,
        Money(row.available),
        max(each for each in times if each is not None),
        row.state or states.get(row.id),
        reachable=row.mobile is not None or row.email is not None,
    )


def _states(conn: Connection, rows: Sequence[Row[*tuple[Any, ...]]]) -> Mapping[str, str]:
    """Where holders live who have not said so: by the area code of their first number, else where the facility is."""
    places = {row.id: f"US-{row.state}" for row in conn.execute(select(facility.c.id, facility.c.state))}
    found = {}
    for row in rows:
        facility_id = row.facility_id or row.id.split("/")[1]
        if facility_id in places:
            found[row.id] = places[facility_id]
    unsaid = [row.id for row in rows if row.state is None and row.facility_id is None]
    for start in range(0, len(unsaid), 500):
        some = prepaid_number.c.account_id.in_(unsaid[start : start + 500])
        numbers = select(prepaid_number.c.account_id, prepaid_number.c.number).where(some)
        first_last = numbers.order_by(prepaid_number.c.added_at.desc(), prepaid_number.c.number.desc())
        for account_id, number in conn.execute(first_last):
            if number.startswith("+1") and (state := state_of_area_code(number[2:5])):
                found[account_id] = state
    return found


def _told(conn: Connection, found: Sequence[_Idle], at: datetime) -> Mapping[str, datetime]:
    """When the notices that are due now were given, those that were."""
    keys = {
        each.key(idle.notice_due(each.active_at, at, idle.days_of(each.state or "", at.date())))
        for each in found
        if each.reachable
    }
    channels = [f"{key}/{channel}" for key in sorted(keys) for channel in ("sms", "email")]
    told: dict[str, datetime] = {}
    for start in range(0, len(channels), 500):
        some = notice.c.key.in_(channels[start : start + 500])
        for key, made_at in conn.execute(select(notice.c.key, notice.c.made_at).where(some)):
            told[key.rpartition("/")[0]] = made_at
    return told


def _tell(conn: Connection, each: _Idle, days: int, at: datetime) -> None:
    told = {"days": days, "balance": format_money(each.available)}
    tell(conn, account_id=each.id, kind=NoticeKind.IDLE_ACCOUNT, key=each.key(days), told=told, at=at)
    mine = account_holder.c.account_id == each.id
    conn.execute(update(account_holder).where(mine).values(idle_notice=days))


def _move(conn: Connection, each: _Idle, at: datetime, give_back: GiveBack) -> bool:
    """Give the money back, or set it aside for the state; False where neither can be done."""
    lock(conn, each.id)
    if _was_active(conn, each):
        return False
    if give_back(conn, each.id, each.available, at):
        return True
    if each.state is None:
        said = f"{each.id} is idle, and in which state its holder lives is not known (`ivr account edit --state`)"
        alert_once(conn, "idle_account", said, at)
        return False
    unclaimed.set_aside(conn, account_id=each.id, state=each.state, amount=each.available, at=at)
    return True


def _was_active(conn: Connection, each: _Idle) -> bool:
    """Whether something happened since it was found, while this transaction waited for the account."""
    mine = or_(transfer.c.debit_id == each.id, transfer.c.credit_id == each.id)
    moved = exists().where(mine, transfer.c.posted_at > each.active_at)
    touched = exists().where(
        account_holder.c.account_id == each.id, account_holder.c.touched_at > each.active_at
    )
    return bool(conn.scalar(select(or_(moved, touched))))
