"""Calls by the hour of the day in which they were keyed, and by how they ended."""

from collections import Counter
from datetime import UTC, datetime

from sqlalchemy import BigInteger, Connection, case, func, select, type_coerce

from ivr.counted import counted
from ivr.records.tables import call
from ivr.reports.report import Days, Report, Stack

#: The zones of the world differ from each other by whole quarters of an hour.
_QUARTER_US = 900_000_000


def calls_by_hour(conn: Connection, days: Days) -> Report:
    """How many calls each hour of the day saw, of which how many were connected, and every reason with its share."""
    quarter = type_coerce(call.c.keyed_at, BigInteger) // _QUARTER_US
    talked = func.sum(case((call.c.talk_ms > 0, 1), else_=0))
    sums = (
        select(quarter, call.c.reason, func.count(), func.sum(call.c.talk_ms), talked)
        .where(
            call.c.facility_id == days.place.id,
            call.c.keyed_at >= days.since,
            call.c.keyed_at < days.until,
            call.c.sealed_at.is_not(None),
        )
        .group_by(quarter, call.c.reason)
    )
    calls: Counter[tuple[int, str]] = Counter()
    talk: Counter[tuple[int, str]] = Counter()
    connected = 0
    for at, reason, count, ms, talks in conn.execute(sums):
        local = datetime.fromtimestamp(at * _QUARTER_US // 1_000_000, UTC).astimezone(days.zone)
        calls[local.hour, reason] += count
        talk[local.hour, reason] += ms or 0
        connected += talks
    return Report(
        f"Calls by hour and reason: {days.in_words}",
        ("hour", "reason", "calls", "talk_minutes"),
        [
            (f"{hour:02d}", reason, calls[hour, reason], talk[hour, reason] // 60_000)
            for hour, reason in sorted(calls)
        ],
        _summary(calls, connected),
        [Stack(f"{hour:02d}", _parts(calls, hour)) for hour in range(24)],
        "calls",
        "hour of the day",
    )


def _parts(calls: Counter[tuple[int, str]], hour: int) -> dict[str, int]:
    return {reason: count for (at, reason), count in sorted(calls.items()) if at == hour}


def _summary(calls: Counter[tuple[int, str]], connected: int) -> list[str]:
    total = calls.total()
    if not total:
        return ["No calls."]
    by_reason: Counter[str] = Counter()
    for (_, reason), count in calls.items():
        by_reason[reason] += count
    return [
        f"{counted(total, 'call')}, {connected} connected.",
        *(f"{count:8} {100 * count / total:5.1f} %  {reason}" for reason, count in by_reason.most_common()),
    ]
