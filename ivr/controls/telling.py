"""What a call's end tells the holder whose money, card or subscription pays: effects become notices."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, bindparam, select

from accounts import ledger
from accounts.db import Prepared
from accounts.holders import Holder, holder_of
from accounts.low_balance import tell_if_low
from accounts.outbox import NoticeKind, tell, tell_holder
from accounts.subscriptions import NEAR_LIMIT, near_limit
from accounts.tables import prepaid_number
from ivr.facility.lookup import Facility
from ivr.facility.tables import facility
from ivr.policy.hotline import ANONYMOUS_KINDS
from ivr.policy.reasons import Denial, Outcome
from ivr.policy.request import Payer
from ivr.records import calls
from rating.money import Money, floor_to_cent, format_money

#: What the person at the number has chosen; who holds the telephone themselves need not be told.
_CHOSEN: Final = frozenset({Outcome.REFUSED, Outcome.BLOCKED_BY_KEY})
_TALKED: Final = frozenset({Outcome.COMPLETED, Outcome.LIMIT_REACHED})

_NAME: Final = Prepared(select(facility.c.name).where(facility.c.id == bindparam("facility_id")))
_ACCOUNT: Final = Prepared(
    select(prepaid_number.c.account_id).where(
        prepaid_number.c.number == bindparam("number"), prepaid_number.c.removed_at.is_(None)
    )
)


def notices_of_call(conn: Connection, row: Row[Any], values: Mapping[str, Any], at: datetime) -> None:
    """Tell of a call that is settled just now: that there was one or was none and why, what it cost, a low balance.

    `row` is the call before, `values` what seals it. Nothing is told of calls that others pay for, of privileged ones,
    and of those that keep no trace; of a subscription's call, that few are left. 1 statement where nothing is known of
    the account's holder, none of a subscription with many calls left.
    """
    if row.payer == Payer.SUBSCRIPTION and values["calls_charged"] and values["balance_after"] <= NEAR_LIMIT:
        near_limit(conn, row.account_id, row.number, at)
    by_account = row.payer == Payer.PREPAID or row.by_card
    if not by_account or row.privileged or row.hotline_kind in ANONYMOUS_KINDS:
        return
    holder = holder_of(conn, row.account_id)
    if holder is None:
        return
    _tell_what_happened(conn, holder, row, str(values["reason"]), talk_ms=values["talk_ms"], at=at)
    charged = Money(values["charge"])
    if charged:
        balance = Money(ledger.balance(conn, row.account_id).available)
        receipt = {
            "number": row.number,
            "minutes": -(-values["billed_seconds"] // 60),
            "cost": format_money(charged),
            "balance": format_money(floor_to_cent(balance)),
        }
        tell_holder(conn, holder, kind=NoticeKind.RECEIPT, key=f"receipt/{row.id}", told=receipt, at=at)
        if not row.by_card:
            tell_if_low(conn, holder, charged, key=row.id, at=at)


def missed_for_funds(conn: Connection, call_id: str, where: Facility, at: datetime) -> None:
    """Tell the holder of the number's account that a call was not made for want of money; once a day.

    Only where a call to the number was refused for that reason.
    """
    row = calls.call_of(conn, call_id)
    if row is None or row.reason != Denial.FUNDS_TOO_LOW or row.privileged:
        return
    account_id = _ACCOUNT.value(conn, {"number": row.number})
    if account_id is None:
        return
    today = at.astimezone(ZoneInfo(where.time_zone)).date()
    tell(
        conn,
        account_id=account_id,
        kind=NoticeKind.MISSED_CALL,
        key=f"missed_call/{Denial.FUNDS_TOO_LOW}/{where.id}/{row.number}/{today}",
        told={"facility": _name(conn, where.id), "number": row.number, "reason": Denial.FUNDS_TOO_LOW},
        at=at,
    )


def _tell_what_happened(
    conn: Connection, holder: Holder, row: Row[Any], reason: str, *, talk_ms: int, at: datetime
) -> None:
    """A call was taken, or missed; not where the holder has held the telephone and knows."""
    own = holder.mobile == row.number
    is_missed = not talk_ms
    if own and (not is_missed or reason in _CHOSEN):
        return
    if is_missed and reason in _TALKED:
        return
    told = {"facility": _name(conn, row.facility_id), "number": row.number}
    if is_missed:
        kind, told = NoticeKind.MISSED_CALL, {**told, "reason": reason}
    else:
        kind = NoticeKind.INCOMING_CALL
    tell_holder(conn, holder, kind=kind, key=f"{kind}/{row.id}", told=told, at=at)


def _name(conn: Connection, facility_id: str) -> str:
    return str(_NAME.value(conn, {"facility_id": facility_id}))
