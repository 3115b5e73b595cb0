"""Recordings are kept as long as the facility says; then key and file go, but never of what is locked or sealed."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select, update

from ivr import retention
from ivr.archive import files
from ivr.facility.audit import audit
from ivr.facility.tables import facility
from ivr.records.recordings import KeptFile
from ivr.records.states import RecordingState
from ivr.records.tables import recording
from tests.controller.conftest import Ivr
from tests.controller.kept import RECORDING_KEY, finisher_of, places_in, recorded, row_of
from tests.fakes.loop import in_loop
from tests.transcripts.play import World

YEAR = timedelta(days=365)


def log(world: World) -> list[tuple[str, ...]]:
    rows = select(audit.c.about, audit.c.author, audit.c.note).order_by(audit.c.id)
    return [tuple(row) for row in world.database.read_now(lambda conn: conn.execute(rows).all())]


@in_loop
async def test_what_is_too_old_goes_with_its_key_but_not_what_is_locked_or_sealed(world: World) -> None:
    places, finisher = places_in(world.node.recordings), finisher_of(world)
    old, locked, sealed = [await recorded(world, 800) for _ in range(3)]
    world.at += timedelta(days=1)
    young = await recorded(world, 800)
    await finisher.finish_all()
    for each, column in ((locked, "legal_hold_at"), (sealed, "sealed_at")):
        held = update(recording).where(recording.c.id == each).values({column: world.at})
        world.database.transact_now(Connection.execute, held)
    copies = {each: KeptFile.of(places, row_of(world, each)) for each in (old, locked, sealed, young)}
    backup = copies[old].path.read_bytes()

    assert world.database.transact_now(retention.destroy_old, world.at + YEAR - timedelta(days=1)) == 0
    at = world.at + YEAR
    [shown] = world.database.read_now(retention.old_ones, at)
    assert shown["due"] == 1
    assert (shown["stay: locked"], shown["sealed"], shown["oldest"]) == (
        1,
        1,
        f"{world.at - timedelta(days=1):%Y-%m-%d}",
    )
    assert log(world) == []
    assert world.database.transact_now(retention.destroy_old, at) == 1
    assert world.database.transact_now(retention.destroy_old, at) == 0
    row = row_of(world, old)
    assert (row.state, row.data_key, row.destroyed_at) == (RecordingState.DESTROYED, None, at)
    assert log(world) == [(f"recording {old}", "retention", "older than the facility keeps it")]
    assert copies[old].path.exists()
    await finisher.clear_up()
    assert not copies[old].path.exists()
    for each in (locked, sealed, young):
        assert len(files.read(copies[each], RECORDING_KEY)) > 0

    copies[old].path.write_bytes(backup)  # of no use without the key, which the row has no more
    await finisher.finish_all()
    assert row_of(world, old).state == RecordingState.DESTROYED


@in_loop
async def keep_some(world: World, count: int, ids: list[str]) -> None:
    ids += [await recorded(world, 800) for _ in range(count)]
    await finisher_of(world).finish_all()


def test_it_is_shown_before_it_is_done(
    world: World, ivr: Ivr, on_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids: list[str] = []
    keep_some(world, 3, ids)
    shorter = update(facility).values(recordings_kept_days=1)
    world.database.transact_now(lambda conn: conn.execute(shorter))
    monkeypatch.setattr("ivr.staff.changes.utc_now", lambda: world.at + timedelta(days=2))
    monkeypatch.setattr("ivr.cli.recording.utc_now", lambda: world.at + timedelta(days=2))
    said = ivr("recording", "purge", "--dry-run", "--json")
    assert json.loads(said.out)["due"] == 3
    table = ivr("recording", "purge", "--dry-run").out
    assert all(len(line) <= 80 for line in table.splitlines())
    assert {row_of(world, each).state for each in ids} == {RecordingState.KEPT}
    assert ivr("recording", "purge").status == 2
    assert log(world) == []
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    monkeypatch.setattr("ivr.cli.recording.MORE", "2 recordings destroyed")
    done = ivr("recording", "purge", "--note", "as the county asked")
    assert done.out == "2 recordings destroyed\n1 recording destroyed\n"
    assert {row_of(world, each).state for each in ids} == {RecordingState.DESTROYED}
    assert {note for _, _, note in log(world)} == {"as the county asked"}
    listed = ivr("recording", "list").out
    assert listed.count("destroyed") == 3
    assert all(len(line) <= 80 for line in listed.splitlines())
    assert "No recordings." in ivr("recording", "list", "--locked").out
