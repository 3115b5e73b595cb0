"""Which tariff holds on a day: read once, and then known by its hash."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, FromClause, Row, and_, bindparam, select

from ivr.facility.tables import tariff
from rating.prices import Tariff, tariff_at
from rating.tariff_file import parse_tariff
from rating.taxes import TaxRow, parse

_is_its_own = tariff.c.facility_id == bindparam("facility_id")
#: Which tariff holds, in what `joined` makes.
COLUMNS: Sequence[Any] = (tariff.c.id.label("tariff_id"), tariff.c.sha256.label("tariff_sha256"))
_TEXT = select(tariff.c.sha256, tariff.c.text).where(_is_its_own, tariff.c.id == bindparam("tariff_id"))

_read: dict[tuple[str, str], Tariff] = {}  # by hash and time zone
MOST_READ = 1_000


_HELD = and_(
    _is_its_own,
    tariff.c.valid_from <= bindparam("on"),
    tariff.c.valid_to.is_(None) | (tariff.c.valid_to >= bindparam("on")),
)
_ON = select(*COLUMNS).where(_HELD)


def joined(to: FromClause) -> FromClause:
    """Beside a row, the tariff that holds on a local day: parameters `facility_id` and `on`."""
    return to.outerjoin(tariff, _HELD)


def tariff_on(conn: Connection, facility_id: str, zone: str, on: date) -> Tariff | None:
    """The facility's tariff on a local day; None if none holds."""
    row = conn.execute(_ON, {"facility_id": facility_id, "on": on}).one_or_none()
    return tariff_of(conn, facility_id, zone, row) if row else None


def tariff_of(conn: Connection, facility_id: str, zone: str, row: Row[Any]) -> Tariff | None:
    """The tariff that the columns of a row name; None if none holds. No statement, but for the first time."""
    if row.tariff_id is None:
        return None
    known = _read.get((row.tariff_sha256, zone))
    if known is not None:
        return known
    # hash and text in one look, since a load may come between two
    now = conn.execute(_TEXT, {"facility_id": facility_id, "tariff_id": row.tariff_id}).one_or_none()
    if now is None:
        return None
    if len(_read) >= MOST_READ:
        _read.clear()
    found = tariff_at(parse_tariff(now.text, row.tariff_id), ZoneInfo(zone))
    return _read.setdefault((now.sha256, zone), found)


@lru_cache(maxsize=1_000)
def tax_rows(text: str) -> tuple[TaxRow, ...]:
    """The rows of a facility's table of taxes."""
    return parse(text, "taxes")
