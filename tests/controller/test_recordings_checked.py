"""Every night each recording is looked at; what is wrong with one is told once, until it is wrong anew."""

from datetime import timedelta

from sqlalchemy import insert, select, update

from ivr.checking import NAME
from ivr.jobs import MOST_ROUNDS, run_round
from ivr.records import alerts
from ivr.records.recordings import raw_file
from ivr.records.states import Finding
from ivr.records.tables import call, job, recording
from tests.controller import steps
from tests.controller.kept import finisher_of, places_in, recorded, row_of
from tests.fakes.loop import in_loop
from tests.transcripts.play import World

NIGHT = timedelta(days=1)


def check(world: World) -> int:
    """A night's look, to its end; how many rounds it took."""
    for rounds in range(1, MOST_ROUNDS):
        if not run_round(world.database, places_in(world.node.recordings), NAME, world.at).more:
            return rounds
    raise AssertionError("it has no end")


def told(world: World) -> list[tuple[str, str]]:
    """What the look has found that nobody has done with, and what is listed of it; then somebody has."""
    found = world.database.read_now(alerts.open_alerts)
    for each in found:
        world.database.transact_now(alerts.done, each.id, "anna", world.at)
    return [(each.kind, each.text) for each in found]


def findings(world: World) -> dict[str, str]:
    wrong = select(recording.c.id, recording.c.finding).where(recording.c.finding.is_not(None))
    return {row.id: row.finding for row in world.database.read_now(lambda conn: conn.execute(wrong).all())}


@in_loop
async def test_each_thing_that_is_wrong_is_told_once_until_it_is_wrong_anew(world: World) -> None:
    places, finisher = places_in(world.node.recordings), finisher_of(world)
    whole = await recorded(world, 80_000, talk_seconds=10)
    await recorded(world, 0)  # nobody talked
    lost, changed, short = [await recorded(world, 80_000, talk_seconds=10) for _ in range(3)]
    silent = await recorded(world, 0, talk_seconds=10)
    never = await recorded(world, 80_000, talk_seconds=10)
    raw_file(places.spool, never).unlink()
    raw_file(places.spool, short).write_bytes(b"\1\0\1\0" * 8_000 * 7)  # of ten seconds
    await finisher.finish_all()
    places.archive.mkdir(exist_ok=True)
    check(world)
    assert findings(world) == {silent: Finding.TOO_SHORT, short: Finding.TOO_SHORT, never: Finding.MISSING}
    assert [kind for kind, _ in told(world)] == ["recording missing", "recording too short"]

    file = {each: places.kept_file(each, row_of(world, each).started_at) for each in (whole, lost, changed)}
    content = bytearray(file[changed].read_bytes())
    content[-1] ^= 1
    file[changed].write_bytes(content)
    away = file[lost].rename(file[lost].with_name("elsewhere"))
    folder = file[whole].parent
    (folder / f"{'ab' * 16}.enc").write_bytes(b"whose?")
    (places.archive / "notes.txt").write_bytes(b"whose?")
    assert check(world) == 1  # tonight's look is over
    assert told(world) == []
    for _ in range(2):
        world.at += NIGHT
        check(world)
        assert findings(world)[lost] == Finding.MISSING
        assert findings(world)[changed] == Finding.CHANGED
    heard = told(world)
    assert [kind for kind, _ in heard] == [
        "recording missing",
        "recording changed",
        *["recording unexpected"] * 3,
    ]
    assert heard[0][1] == f"the file is missing: {lost} (`ivr recording list --finding missing`)"
    assert {text.partition(":")[0] for _, text in heard[2:]} == {
        f"{folder.name}/elsewhere",
        f"{folder.name}/{'ab' * 16}.enc",
        "notes.txt",
    }

    away.rename(file[lost])
    world.at += NIGHT
    check(world)
    assert lost not in findings(world)
    file[lost].unlink()
    world.at += NIGHT
    check(world)
    assert [kind for kind, _ in told(world)] == ["recording missing"]


@in_loop
async def test_one_of_a_privileged_call_is_sealed_and_told(world: World) -> None:
    places, finisher = places_in(world.node.recordings), finisher_of(world)
    await finisher.finish_all()
    call_id, _ = await steps.decided(world, steps.PRIVILEGED)
    await steps.settle_unanswered(world, call_id)
    assert steps.record(world, call_id).privileged
    row = {"id": "cd" * 16, "call_id": call_id, "state": "running", "started_at": world.at}
    world.database.transact_now(lambda conn: conn.execute(insert(recording).values(row)))
    raw_file(places.spool, "cd" * 16).write_bytes(b"\1\0\1\0" * 8_000)
    await finisher.finish_all()
    check(world)
    [(kind, text)] = told(world)
    assert (kind, text.partition(" (")[0]) == (
        "recording privileged",
        f"of a privileged call; sealed now: {'cd' * 16}",
    )
    assert row_of(world, "cd" * 16).sealed_at == world.at
    world.at += NIGHT
    check(world)
    assert told(world) == []
    assert findings(world) == {}


@in_loop
async def test_many_at_once_are_one_alert_and_a_disk_that_is_away_is_one_too(world: World) -> None:
    places, finisher = places_in(world.node.recordings), finisher_of(world)
    ids = [await recorded(world, 800) for _ in range(7)]
    await finisher.finish_all()
    folder = places.kept_file(ids[0], row_of(world, ids[0]).started_at).parent
    away = places.archive.rename(places.archive.with_name("away"))
    check(world)
    assert told(world) == [("recordings not there", "the folder of recordings is not there")]
    assert findings(world) == {}
    away.rename(places.archive)
    for file in folder.iterdir():
        file.unlink()
    world.at += NIGHT
    check(world)
    [(_, text)] = told(world)
    assert text.endswith(" and 2 more (`ivr recording list --finding missing`)")
    forgotten = update(job).where(job.c.name == NAME).values(ran_at=None)
    world.database.transact_now(lambda conn: conn.execute(forgotten))
    check(world)  # it is not told again, whenever it is looked for
    assert told(world) == []
    assert len(world.database.read_now(lambda conn: conn.scalars(select(call.c.id)).all())) == 7
