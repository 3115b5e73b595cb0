"""A month of an account, gathered: every movement with the call behind it, and the balances before and after.

Every account has one, whatever its type: deposits, each call with its length and cost, and the balance (47 CFR 64.6000,
billing statement). A month is a calendar month in the time zone of the account's facility, which `zone_of` finds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, case, func, or_, select

from accounts import ledger, payers, statement
from accounts.holders import holder_of
from accounts.tables import AccountKind, TransferKind, Unit, subscription, subscription_period, transfer
from ivr.facility.tables import facility, inmate
from ivr.records.tables import call

DEFAULT_ZONE = "UTC"
#: Settled calls have ids "call/<id>/…".
CALL = "call/"
_CALL_ID = func.substr(transfer.c.id, len(CALL) + 1, 32)


@dataclass(frozen=True, slots=True)
class Line:
    """One movement; what comes in is positive. A call of a subscription moves no money: its amount is None."""

    at: datetime  # in the account's time zone
    what: str  # a word of `words.toml`
    number: str | None = None
    inmate_id: str | None = None
    talk_ms: int | None = None
    tax: int | None = None
    amount: int | None = None
    balance: int | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """All that a month's statement says; amounts in millionths of a dollar."""

    account_id: str
    holder: str | None
    language: str
    first: date
    last: date  # included
    before: int
    after: int
    reserved: int
    lines: tuple[Line, ...]
    zone: ZoneInfo
    owed: int | None = None  # of an account that pays later: its balance is what may still be billed


@dataclass(frozen=True, slots=True)
class Span:
    """From one instant until, not including, another, as days of a time zone."""

    since: datetime
    until: datetime
    first: date
    last: date
    zone: ZoneInfo


def month_span(month: date, zone: ZoneInfo) -> Span:
    """The calendar month in which the day is."""
    first = month.replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    since, until = (datetime(each.year, each.month, 1, tzinfo=zone) for each in (first, after))
    return Span(since, until, first, after - timedelta(days=1), zone)


def zone_of(conn: Connection, account_id: str) -> ZoneInfo:
    """The time zone in which an account's papers are: that of the facility that its id names.

    Else that of the facility from which it first paid for a call; before, that of all facilities, if it is one; or UTC.
    """
    named = account_id.split("/")[1:2]
    found = conn.scalar(select(facility.c.time_zone).where(facility.c.id.in_(named)))
    found = found or conn.scalar(_zone_of_first_call(account_id))
    if found is None:
        everywhere = conn.scalars(select(facility.c.time_zone).distinct()).all()
        found = everywhere[0] if len(everywhere) == 1 else DEFAULT_ZONE
    return ZoneInfo(found)


def _zone_of_first_call(account_id: str) -> Any:
    return (
        select(facility.c.time_zone)
        .join(call, call.c.facility_id == facility.c.id)
        .join(transfer, call.c.id == _CALL_ID)
        .where(transfer.c.debit_id == account_id, transfer.c.id.startswith(CALL))
        .order_by(transfer.c.posted_at, transfer.c.id)
        .limit(1)
    )


def statement_asked_for(conn: Connection, account_id: str, month: date | None, at: datetime) -> Statement:
    """The month that staff ask for, or without one this month so far.

    Raises AccountUnknown, and AccountConflict, whose text says why, for an account or a month that has no statement.
    """
    known = statement.account_of(conn, account_id)
    if known.kind == AccountKind.SYSTEM:
        raise ledger.AccountConflict(
            f"{account_id} is the system's own and has no statement: `ivr ledger show` shows it"
        )
    zone = zone_of(conn, account_id)
    opened, today = (each.astimezone(zone).date() for each in (known.opened_at, at))
    wanted = month or today
    if not opened.replace(day=1) <= wanted.replace(day=1) <= today.replace(day=1):
        raise ledger.AccountConflict(
            f"--month: expected one from {opened:%Y-%m}, when {account_id} was opened, to {today:%Y-%m}"
        )
    found = statement_of(conn, account_id, wanted)
    is_now = wanted.replace(day=1) == today.replace(day=1)
    return found if is_now else replace(found, reserved=0)


def statement_of(conn: Connection, account_id: str, month: date) -> Statement:
    """The account's month; raises AccountUnknown, or AccountConflict for one that counts no money."""
    known = statement.account_of(conn, account_id)
    if known.unit != Unit.USD:
        raise ledger.AccountConflict(f"{account_id} counts {known.unit}: its statement is its payer's")
    span = month_span(month, zone_of(conn, account_id))
    holder = holder_of(conn, account_id)
    before = _balance_at(conn, account_id, span.since)
    lines = list(_money_lines(conn, account_id, span, before))
    after = next((each.balance for each in reversed(lines) if each.balance is not None), before)
    everything = sorted([*lines, *_subscription_lines(conn, account_id, span)], key=lambda line: line.at)
    return Statement(
        account_id,
        holder.name if holder else None,
        holder.language if holder else "en",
        span.first,
        span.last,
        before,
        after,
        known.held,
        tuple(everything),
        span.zone,
        _granted(conn, account_id, span.until) - after if known.kind == AccountKind.BILLED else None,
    )


def _balance_at(conn: Connection, account_id: str, at: datetime) -> int:
    signed = case((transfer.c.credit_id == account_id, transfer.c.amount), else_=-transfer.c.amount)
    total = select(func.coalesce(func.sum(signed), 0)).where(_moves(account_id), transfer.c.posted_at < at)
    return int(conn.scalar(total) or 0)


def _granted(conn: Connection, account_id: str, until: datetime) -> int:
    """The credit limit that an account that pays later had then."""
    given = case((transfer.c.debit_id == payers.CREDIT_GRANTED, transfer.c.amount), else_=-transfer.c.amount)
    of_limit = payers.CREDIT_GRANTED
    total = select(func.coalesce(func.sum(given), 0)).where(
        or_(
            (transfer.c.debit_id == of_limit) & (transfer.c.credit_id == account_id),
            (transfer.c.credit_id == of_limit) & (transfer.c.debit_id == account_id),
        ),
        transfer.c.posted_at < until,
    )
    return int(conn.scalar(total) or 0)


def _moves(account_id: str) -> Any:
    mine = or_(transfer.c.debit_id == account_id, transfer.c.credit_id == account_id)
    return mine & transfer.c.kind.in_([TransferKind.PAYMENT, TransferKind.SETTLEMENT])


def with_calls(span: Span) -> Any:
    """Transfers of a span, each with the call that its id names; `where` chooses whose."""
    return (
        select(
            transfer,
            call.c.number,
            call.c.talk_ms,
            call.c.tax,
            call.c.talk_from_at,
            call.c.agency_charge,
            inmate.c.inmate_id,
        )
        .outerjoin(call, (call.c.id == _CALL_ID) & transfer.c.id.startswith(CALL))
        .outerjoin(inmate, inmate.c.id == call.c.inmate)
        .where(transfer.c.posted_at >= span.since, transfer.c.posted_at < span.until)
        .order_by(transfer.c.posted_at, transfer.c.id)
    )


def _money_lines(conn: Connection, account_id: str, span: Span, before: int) -> Iterator[Line]:
    balance = before
    for row in conn.execute(with_calls(span).where(_moves(account_id))):
        amount = row.amount if row.credit_id == account_id else -row.amount
        balance += amount
        what = what_it_is(row.id, comes_in=amount >= 0)
        is_call = what == "call"
        yield Line(
            row.posted_at.astimezone(span.zone),
            what,
            row.number or _number_of(row.id),
            row.inmate_id,
            row.talk_ms if is_call else None,
            row.tax if is_call else None,
            amount,
            balance,
        )


#: The word for what comes in and for what goes out, by the beginning of a transfer's id (docs/accounts.md).
_BY_BEGINNING = {
    "call": ("given_back", "call"),
    "deposit": ("deposit", "correction"),
    "payment": ("deposit", "correction"),
    "transfer": ("deposit", "correction"),
    "invoice": ("bill_paid", "correction"),
    "refund": ("correction", "refund"),
    "release": ("correction", "refund"),
    "unclaimed": ("correction", "unclaimed"),
    "reclaimed": ("reclaimed", "correction"),
    "subscription": ("subscription_refund", "subscription"),
}
#: And of those whose ids begin with an account's own.
_BY_END = {"opening": "deposit", "value": "deposit", "limit": "credit_limit"}


def what_it_is(transfer_id: str, *, comes_in: bool) -> str:
    """The word for a movement, by the form of its id."""
    parts = transfer_id.split("/")
    if parts[0] in _BY_BEGINNING:
        return _BY_BEGINNING[parts[0]][0 if comes_in else 1]
    return next((_BY_END[each] for each in parts[-2:] if each in _BY_END), "correction")


def _number_of(transfer_id: str) -> str | None:
    """The number of the subscription that a movement is for, by the form of its id."""
    parts = transfer_id.split("/")
    return parts[2] if parts[0] == "subscription" and parts[2:3] and parts[2].startswith("+") else None


def _subscription_lines(conn: Connection, account_id: str, span: Span) -> Iterator[Line]:
    """The calls of the subscriptions that the account buys."""
    periods = (
        select(subscription_period.c.account_id)
        .join(subscription, subscription.c.id == subscription_period.c.subscription_id)
        .where(subscription.c.account_id == account_id)
    )
    used = with_calls(span).where(
        transfer.c.debit_id.in_(periods), transfer.c.kind == TransferKind.SETTLEMENT, transfer.c.amount > 0
    )
    for row in conn.execute(used):
        at = row.posted_at.astimezone(span.zone)
        yield Line(at, "call_of_subscription", row.number, row.inmate_id, row.talk_ms)


def movement(row: Row[Any], zone: ZoneInfo) -> Line:
    """A line of a bill: a call that somebody has yet to pay for."""
    return Line(
        row.posted_at.astimezone(zone),
        "call",
        row.number,
        row.inmate_id,
        row.talk_ms,
        row.tax,
        row.amount,
    )
