"""Which tariff holds on a day: read once, and then known by its hash."""

from datetime import date
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, select

from accounts.db import Prepared
from ivr.facility.tables import tariff
from rating.prices import Tariff, tariff_at
from rating.tariff_file import parse_tariff
from rating.taxes import TaxRow, parse

_is_its_own = tariff.c.facility_id == bindparam("facility_id")
_HELD = Prepared(
    select(tariff.c.id, tariff.c.sha256).where(
        _is_its_own,
        tariff.c.valid_from <= bindparam("on"),
        tariff.c.valid_to.is_(None) | (tariff.c.valid_to >= bindparam("on")),
    )
)
_TEXT = select(tariff.c.sha256, tariff.c.text).where(_is_its_own, tariff.c.id == bindparam("tariff_id"))

_read: dict[tuple[str, str], Tariff] = {}  # by hash and time zone
MOST_READ = 1_000


def tariff_on(conn: Connection, facility_id: str, zone: str, on: date) -> Tariff | None:
    """The facility's tariff on a local day; None if none holds. One statement, two the first time."""
    held = _held(conn, facility_id, on)
    if held is None:
        return None
    known = _read.get((held.sha256, zone))
    if known is not None:
        return known
    # hash and text in one look, since a load may come between two
    now = conn.execute(_TEXT, {"facility_id": facility_id, "tariff_id": held.id}).one_or_none()
    if now is None:
        return None
    if len(_read) >= MOST_READ:
        _read.clear()
    return _read.setdefault((now.sha256, zone), tariff_at(parse_tariff(now.text, held.id), ZoneInfo(zone)))


def _held(conn: Connection, facility_id: str, on: date) -> Any:
    return _HELD.row(conn, {"facility_id": facility_id, "on": on})


@lru_cache(maxsize=1_000)
def tax_rows(text: str) -> tuple[TaxRow, ...]:
    """The rows of a facility's table of taxes."""
    return parse(text, "taxes")
