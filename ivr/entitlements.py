"""What law gives each inmate, what settings left them, and what they used: a line for each inmate and day."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from accounts.db import Database
from ivr.facility import possible
from ivr.facility.lookup import Facility, facilities
from ivr.facility.possible import Possible, entitled_on, people
from ivr.policy.quantity import MINUTE_MS, SHORTEST_COUNTED_MS
from ivr.records.alerts import alert, one_by_one, open_alerts
from ivr.records.tables import call, job

SHORTFALL = "entitlement"
NAME: Final = "entitlements"
Job = Callable[[Connection, datetime], int]


class EntitlementError(Exception):
    """The question can't be answered; the message says what is not known."""


@dataclass(frozen=True, slots=True)
class Given:
    """One inmate's day, in whole minutes."""

    day: date
    inmate: str
    unit: str | None
    state: str
    possible: int  # by the settings as they stand now
    used: int
    entitled: int | None  # None: no law is known
    short: bool  # less was possible than the law gives

    def as_dict(self) -> dict[str, object]:
        """As JSON and CSV can hold it."""
        return {**asdict(self), "day": self.day.isoformat()}


def entitlements(
    conn: Connection, facility_id: str | None, first: date | None, last: date | None, now: datetime
) -> list[Given]:
    """Everybody who is there now, for each local day; today without one. Raises EntitlementError.

    Privileged calls are used minutes too; what is possible does not count them.
    """
    place = _place(conn, facility_id)
    today = now.astimezone(ZoneInfo(place.time_zone)).date()
    days = list(_days(first or last or today, last or first or today))
    used = _used(conn, place, days[0], days[-1])
    settings, there = Possible.read(conn, place, days[0]), people(conn, place.id)
    found = []
    for day in days:
        entitled = entitled_on(place, day)
        for row in there:
            minutes = settings.minutes(settings.group(row.unit_id, row.id), day)
            least = entitled.minutes if entitled else None
            talked = used[row.id, day] // MINUTE_MS
            short = least is not None and minutes < least
            found.append(Given(day, row.inmate_id, row.unit_id, row.state, minutes, talked, least, short))
    return found


def alert_shortfalls(conn: Connection, at: datetime) -> None:
    """Alert of every group of inmates to whom settings leave less than a law gives, where no alert of it is open."""
    _alert_new(conn, possible.alerts(conn, at), at)


def look(database: Database, _places: object, at: datetime) -> Job:
    """Work out what was possible yesterday, with what was switched off, and is on the next seven days.

    Once in the day of each facility; what remains to do is to alert, as `alert_shortfalls` does.
    """
    lines = database.read_now(_since_last, at)
    return lambda conn, now: _alert_new(conn, lines, now)


def _since_last(conn: Connection, at: datetime) -> list[str]:
    ran_at = conn.scalar(select(job.c.ran_at).where(job.c.name == NAME))

    def is_done(zone: ZoneInfo) -> bool:
        return ran_at is not None and ran_at.astimezone(zone).date() == at.astimezone(zone).date()

    return [
        f"{place.id}: {line}"
        for place in facilities(conn, None)
        if not is_done(ZoneInfo(place.time_zone))
        for line in possible.shortfalls(conn, place.id, at, days_back=1)
    ]


def _alert_new(conn: Connection, lines: Iterable[str], at: datetime) -> int:
    new = _new(conn, lines)
    if new:
        one_by_one(conn)
        new = _new(conn, new)
    for line in new:
        alert(conn, SHORTFALL, line, at)
    return len(new)


def _new(conn: Connection, lines: Iterable[str]) -> list[str]:
    known = [_whose(row.text) for row in open_alerts(conn) if row.kind == SHORTFALL]
    return [line for line in lines if _whose(line) not in known]


def _whose(line: str) -> list[str]:
    """The facility and the group, with which a line begins."""
    return line.split(": ")[:2]


def _place(conn: Connection, facility_id: str | None) -> Facility:
    found = facilities(conn, facility_id)
    if len(found) != 1:
        raise EntitlementError(f"there is no facility {facility_id}" if facility_id else "name one facility")
    return found[0]


def _days(first: date, last: date) -> Iterator[date]:
    if last < first:
        raise EntitlementError(f"--to {last} is before --from {first}")
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _used(conn: Connection, place: Facility, first: date, last: date) -> defaultdict[tuple[int, date], int]:
    """Talk in milliseconds, by inmate and the local day on which the number was keyed."""
    zone = ZoneInfo(place.time_zone)
    begins, ends = (datetime.combine(day, time(0), zone) for day in (first, last + timedelta(days=1)))
    talks = select(call.c.inmate, call.c.keyed_at, call.c.talk_ms).where(
        call.c.facility_id == place.id,
        call.c.keyed_at >= begins,
        call.c.keyed_at < ends,
        call.c.sealed_at.is_not(None),
        call.c.talk_ms >= SHORTEST_COUNTED_MS,
    )
    used: defaultdict[tuple[int, date], int] = defaultdict(int)
    for inmate, keyed_at, talk_ms in conn.execute(talks):
        used[inmate, keyed_at.astimezone(zone).date()] += talk_ms
    return used
