"""Minutes by inmate, beside what a law gives them."""

from collections import defaultdict
from datetime import datetime

from sqlalchemy import Connection

from ivr.counted import counted
from ivr.entitlements import Given, entitlements
from ivr.reports.report import Days, Report, Stack


def minutes_by_inmate(conn: Connection, days: Days, now: datetime) -> Report:
    """For everybody who is there now: minutes used, possible and entitled in these days, and the days that fell short.

    Minutes that were possible are worked out from the settings as they stand now (`ivr entitlements` has each day).
    """
    by_inmate: dict[tuple[str, str], list[Given]] = defaultdict(list)
    for each in entitlements(conn, days.place.id, days.first, days.last, now):
        by_inmate[each.unit or "", each.inmate].append(each)
    rows = [_row(unit, inmate, given) for (unit, inmate), given in sorted(by_inmate.items())]
    short = sum(1 for row in rows if row[-1])
    is_known = any(row[4] is not None for row in rows)
    people = counted(len(rows), "inmate")
    return Report(
        f"Minutes by inmate: {days.in_words}",
        ("inmate", "unit", "used", "possible", "entitled", "short_days"),
        rows,
        [
            f"{people}; {short} had days on which less was possible than the law gives."
            if is_known
            else f"{people}; no law is known that gives a person so many minutes here."
        ],
        [Stack(str(row[0]), {"used": row[2]}) for row in rows],
        "minutes",
        "inmate",
    )


def _row(unit: str, inmate: str, given: list[Given]) -> tuple[str, str, int, int, int | None, int]:
    known = [each.entitled for each in given if each.entitled is not None]
    return (
        inmate,
        unit,
        sum(each.used for each in given),
        sum(each.possible for each in given),
        sum(known) if known else None,
        sum(each.short for each in given),
    )
