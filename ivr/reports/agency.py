"""Free calls and those that the agency pays for by law, one by one, as its invoice needs them."""

from collections import Counter

from sqlalchemy import Connection, or_, select

from ivr.counted import counted
from ivr.facility.tables import inmate
from ivr.policy.hotline import NO_STATION
from ivr.policy.request import Payer
from ivr.records.tables import call
from ivr.reports.report import Days, Report, Stack
from rating.money import Money, format_money


def agency_calls(conn: Connection, days: Days) -> Report:
    """Every talk that was free to both parties or of which the agency pays a part, with its price to the agency.

    Calls to hotlines that keep no trace of who calls are counted in the summary and stand in no row.
    """
    paid = (
        select(call, inmate.c.inmate_id)
        .outerjoin(inmate, inmate.c.id == call.c.inmate)
        .where(
            call.c.facility_id == days.place.id,
            call.c.keyed_at >= days.since,
            call.c.keyed_at < days.until,
            call.c.talk_ms > 0,
            or_(call.c.payer == Payer.FREE, call.c.agency_charge > 0),
        )
        .order_by(call.c.keyed_at, call.c.id)
    )
    rows, hidden = [], 0
    by_day: Counter[str] = Counter()
    owed = 0
    for row in conn.execute(paid):
        if row.station_id == NO_STATION:
            hidden += 1
            continue
        day = row.keyed_at.astimezone(days.zone).date().isoformat()
        due = row.agency_charge or 0
        rows.append(
            (
                day,
                row.inmate_id,
                row.number,
                -(-row.talk_ms // 1000),
                format_money(Money(due)),
                row.agency_rule,
            )
        )
        by_day[day] += row.talk_ms
        owed += due
    summary = [f"{counted(len(rows), 'call')}; the agency owes ${format_money(Money(owed))}."]
    if hidden:
        summary.append(f"{hidden} more to hotlines that keep no trace of who calls, free.")
    return Report(
        f"Free and agency-paid calls: {days.in_words}",
        ("date", "inmate", "number", "seconds", "price", "law"),
        rows,
        summary,
        [Stack(day, {"minutes": ms // 60_000}) for day, ms in sorted(by_day.items())],
        "minutes",
        "day",
    )
