"""Our records of a day beside Asterisk's own: what the one has and the other has not.

Asterisk writes two files by itself (`cdr_custom.conf`, `cel_custom.conf`): each call that it rang, and each that it
connected, by id and hour. Neither needs the controller, so what was lost here is still there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, select

from ivr.policy.hotline import NO_STATION
from ivr.records import calls, listening
from ivr.records.tables import call

CALL_ID = re.compile(r"[0-9a-f]{32}")
HOUR = "%Y-%m-%dT%H"
RUNG, CONNECTED = Path("cdr-custom/calls.csv"), Path("cel-custom/connected.csv")


class NothingKept(Exception):  # noqa: N818 - the state of the world
    """Asterisk has kept no records of its own."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One call that only one side has, or that the two tell otherwise."""

    call_id: str
    what: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What Asterisk has kept: the hours, in UTC, of the calls that it rang, and those that it connected."""

    rung: dict[str, datetime]
    connected: frozenset[str]


def kept_by_asterisk(log: Path) -> Kept:
    """Read Asterisk's own records, and what was rotated away of them; raises NothingKept where there are none."""
    if not (log / RUNG).exists():
        raise NothingKept(
            f"Asterisk has kept no records in {log / RUNG}: did it ring anybody since it was started?"
        )
    rung = {
        fields[0]: datetime.strptime(fields[-1], HOUR).replace(tzinfo=UTC) for fields in _lines(log / RUNG)
    }
    return Kept(rung, frozenset(fields[0] for fields in _lines(log / CONNECTED)))


def _lines(file: Path) -> Iterator[list[str]]:
    """The fields of each line about a call; dialogues in which nobody was rung have no id."""
    for each in sorted(file.parent.glob(f"{file.name}*")):
        with each.open(encoding="ascii") as lines:
            for line in lines:
                fields = line.strip().split(",")
                if CALL_ID.fullmatch(fields[0]):
                    yield fields


def differences(conn: Connection, kept: Kept, since: datetime, until: datetime) -> list[Difference]:
    """What the records of calls keyed from `since` until, not including, `until` have otherwise than Asterisk.

    A call that keeps no trace of who calls may be in our records alone. One that only Asterisk has belongs to the hour
    in which the receiver was lifted.
    """
    of_the_day = select(call.c.id, call.c.station_id, call.c.dialled_at, call.c.talk_from_at).where(
        call.c.keyed_at >= since, call.c.keyed_at < until, call.c.sealed_at.is_not(None)
    )
    found = []
    for row in conn.execute(of_the_day.order_by(call.c.keyed_at, call.c.id)):
        if row.station_id == NO_STATION and row.id not in kept.rung:
            continue  # Asterisk is told to keep none of a call that keeps no trace
        if row.dialled_at is not None and row.id not in kept.rung:
            found.append(Difference(row.id, "rung here; Asterisk has no record"))
        elif row.talk_from_at is not None and row.id not in kept.connected:
            found.append(Difference(row.id, "a talk here; Asterisk connected nobody"))
        elif row.talk_from_at is None and row.id in kept.connected:
            found.append(Difference(row.id, "connected by Asterisk; no talk here"))
    for call_id, hour in kept.rung.items():
        if since - timedelta(hours=1) < hour < until and not _is_known(conn, call_id):
            found.append(Difference(call_id, "rung by Asterisk; no record here"))
    return found


def _is_known(conn: Connection, rung_id: str) -> bool:
    """Whether it is a call of ours, or a telephone of staff that was rung to listen to one."""
    return calls.is_known(conn, rung_id) or listening.is_known(conn, rung_id)
