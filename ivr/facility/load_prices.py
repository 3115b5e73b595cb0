"""Tariffs and plans into the database, if the law lets them be charged."""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, select

from ivr.facility.differing import Words
from ivr.facility.file import FacilityFile, FacilityFileError
from ivr.facility.kept import Left
from ivr.facility.lawfulness import breaches_at
from ivr.facility.putting import replace_rows
from ivr.facility.tables import plan, tariff


def load_prices(conn: Connection, file: FacilityFile, at: datetime, words: Words) -> list[str]:
    """Make the facility's tariffs and plans those of the file; a line for each change and each alert.

    Raises FacilityFileError for a new or changed one that breaks a rule on some day of its life. One that stood there
    before and breaks a rule from today on, because a cap, the population, a limit or the schedule has changed, is told
    as an alert: its calls are charged no more than the cap.
    """
    facility_id = file.facility.id
    owner = {"facility_id": facility_id}
    rows = list(_tariff_rows(file))
    stood = _standing(conn, facility_id)
    kept = {("tariff", row["id"]) for row in rows if ("tariff", row["id"], row["sha256"]) in stood}
    kept |= {("plan", each.id) for each in file.plan if ("plan", each.id, (each.price, each.calls)) in stood}
    new = {row["id"] for row in rows if ("tariff", row["id"]) not in kept}
    changed = replace_rows(conn, tariff, owner, rows, words=words)
    changed += replace_rows(conn, plan, owner, [each.model_dump() for each in file.plan], words=words)
    found = dict.fromkeys(breaches_at(conn, facility_id, at, new=new))
    if refused := [str(each) for each in found if (each.kind, each.name) not in kept]:
        raise FacilityFileError("\n".join(refused))
    return [*changed, *(Left(f"alert: {each}") for each in found)]


def _tariff_rows(file: FacilityFile) -> Iterator[dict[str, Any]]:
    for each in file.tariff:
        yield {
            "id": each.says.id,
            "valid_from": each.says.valid_from,
            "valid_to": each.says.valid_to,
            "sha256": sha256(each.text.encode()).hexdigest(),
            "text": each.text,
        }


def _standing(conn: Connection, facility_id: str) -> set[tuple[str, str, object]]:
    """The tariffs and plans that stand in the database, with what tells whether they have changed."""
    tariffs = conn.execute(select(tariff.c.id, tariff.c.sha256).where(tariff.c.facility_id == facility_id))
    plans = conn.execute(
        select(plan.c.id, plan.c.price, plan.c.calls).where(plan.c.facility_id == facility_id)
    )
    return {("tariff", each, sha) for each, sha in tariffs} | {
        ("plan", each, (price, calls)) for each, price, calls in plans
    }
