"""Tariffs and plans into the database, if the law lets them be charged."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Table, select

from ivr.facility.file import FacilityFile, FacilityFileError
from ivr.facility.putting import replace_rows
from ivr.facility.tables import plan, tariff
from rating.breach import Breach
from rating.call_type import CallType
from rating.caps import cap, facility_class
from rating.lawful import breaches, cheapest_minute
from rating.money import Money
from rating.plans import FacilityLimits
from rating.plans import breaches as plan_breaches
from rating.prices import Tariff, tariff_at

#: What a subscription covers.
IN_STATE = (CallType.LOCAL, CallType.INTRASTATE)


def load_prices(conn: Connection, file: FacilityFile) -> list[str]:
    """Make the facility's tariffs and plans those of the file; a line for each change and each alert.

    Raises FacilityFileError for a new or changed one that breaks a rule on some day of its life. One that stood there
    before and breaks a rule now, because a cap, the population, a limit or the schedule has changed, is told as an
    alert: its calls are charged no more than the cap.
    """
    owner = {"facility_id": file.facility.id}
    rows = list(tariff_rows(file))
    old = _known(conn, tariff, file.facility.id, "sha256")
    alerts = list(
        _refuse_new(
            found_in_tariffs(file), {row["id"] for row in rows if old.get(row["id"]) == row["sha256"]}
        )
    )
    old = _known(conn, plan, file.facility.id, "price", "calls")
    kept = {each.id for each in file.plan if old.get(each.id) == (each.price, each.calls)}
    alerts += _refuse_new(found_in_plans(file), kept)
    changed = replace_rows(conn, tariff, owner, rows)
    changed += replace_rows(conn, plan, owner, [each.model_dump() for each in file.plan])
    return [*changed, *alerts]


def tariff_rows(file: FacilityFile) -> Iterator[dict[str, Any]]:
    """The rows of the file's tariffs."""
    for each in file.tariff:
        yield {
            "id": each.says.id,
            "valid_from": each.says.valid_from,
            "valid_to": each.says.valid_to,
            "sha256": sha256(each.text.encode()).hexdigest(),
            "text": each.text,
        }


def found_in_tariffs(file: FacilityFile) -> Iterator[tuple[str, Breach]]:
    """What each tariff breaks, by its id."""
    for each in tariffs_of(file):
        for breach in breaches(each, file.facility.site):
            yield each.id, breach


def tariffs_of(file: FacilityFile) -> Sequence[Tariff]:
    """The file's tariffs, ready to be asked."""
    zone = ZoneInfo(file.facility.time_zone)
    return [tariff_at(each.says, zone) for each in file.tariff]


def found_in_plans(file: FacilityFile) -> Iterator[tuple[str, Breach]]:
    """What each plan breaks under each tariff, by its id: its price, and whether it can pay for anybody."""
    limits = FacilityLimits(file.facility.longest_call_minutes, file.facility.open_minutes_a_week)
    for each in file.plan:
        for prices in tariffs_of(file):
            per_minute, on = _ordinary(prices), prices.valid_from
            allowed = cap(_class_of(file), CallType.INTRASTATE, on, state=file.facility.state)
            for breach in plan_breaches(each.plan, per_minute=per_minute, cap=allowed, facility=limits):
                yield each.id, breach


def _ordinary(prices: Tariff) -> Money:
    """What a minute of the calls that a plan covers costs at least: from there on the plan must pay."""
    covered = [row.timetable for row, call_type in prices.rows() if call_type in IN_STATE]
    return min(map(cheapest_minute, covered), default=Money(0))


def _class_of(file: FacilityFile) -> Any:
    site = file.facility.site
    return facility_class(site.kind, site.average_daily_population)


def _refuse_new(found: Iterator[tuple[str, Breach]], kept: set[str]) -> Iterator[str]:
    refused = []
    for name, breach in found:
        if name in kept:
            yield f"alert: {name}: {breach}"
        else:
            refused.append(f"{name}: {breach}")
    if refused:
        raise FacilityFileError("\n".join(dict.fromkeys(refused)))


def _known(conn: Connection, table: Table, facility_id: str, *columns: str) -> dict[str, Any]:
    """What stands there by id: the one column's value, or several as a tuple."""
    rows = conn.execute(
        select(table.c.id, *(table.c[each] for each in columns)).where(table.c.facility_id == facility_id)
    )
    return {row[0]: row[1] if len(columns) == 1 else tuple(row[1:]) for row in rows}
