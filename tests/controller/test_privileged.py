"""Two operators make a number privileged, or take that away; nothing of it is recorded or played meanwhile."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select

from accounts.db import Database
from ivr.ami import AmiDown, AmiError
from ivr.archive.cipher import RecordingKey
from ivr.clock import utc_now
from ivr.config import load_settings
from ivr.controls import Grant, Refused
from ivr.controls.explaining import Question, explain
from ivr.controls.settlement import Ending, settle_call
from ivr.enforcing import end_announcements, seal_recordings
from ivr.instance import keyring_of
from ivr.loading import load
from ivr.login import own_login
from ivr.policy.privilege import WAITS_FOR_ANOTHER, Shrinking
from ivr.policy.reasons import Denial, NotRecorded, Outcome
from ivr.recordings import Finisher
from ivr.records import alerts, recordings, sealing
from ivr.records.states import RecordingState
from ivr.records.tables import recording
from ivr.staff.changes import attempt, do, read
from ivr.staff.desk import Alarm, StaffError
from ivr.staff.privileged_list import signature
from ivr.staff.showing import privileged_numbers
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.fakes.loop import in_loop
from tests.transcripts.play import KEY, NOON, World, demonstration

NUMBER = "+12175550102"  # Alex's speed dial 2
EVERY_WAY = (
    "+12175550102",
    "2175550102",
    "12175550102",
    "(217) 555-0102",
    "1 217.555.0102",
    "+1 217-555-0102",
)
LIST_KEY = bytes(range(32))
JAIL = "example-county-jail"


def staff(world: World, name: str, author: str, **given: object) -> str:
    asked = read(name, {"note": "for a test", "author": author, **given})
    return world.database.transact_now(do, name, asked, KEY, world.at, list_key=LIST_KEY)


def add(world: World, author: str = "anna", number: str = NUMBER, **given: object) -> str:
    return staff(world, "number privileged add", author, number=number, kind="attorney", **given)


def confirm(world: World, author: str, **given: object) -> str:
    return staff(world, "number privileged confirm", author, **{"number": NUMBER, **given})


def recorded(world: World, inmate: str = "1001", keys: str = "2") -> bool:
    """Whether a call would be recorded now."""
    answer = world.database.read_now(explain, Question(inmate, keys, facility_id=JAIL), world.at)
    return bool(answer.as_dict()["recorded"])


def state(world: World) -> list[str]:
    return [row["state"] for row in world.database.read_now(privileged_numbers, None, world.at)][:-1]


def other_inmate_with_the_number(world: World) -> None:
    world.database.transact_now(load, demonstration(('state = "suspended"', OTHER)), KEY, world.at)


OTHER = 'numbers = [{ number = "2175550102", speed_dial = "2" }]'


@pytest.mark.parametrize("number", EVERY_WAY)
def test_a_number_is_the_same_however_it_is_written(world: World, number: str) -> None:
    add(world, number=number)
    assert not recorded(world)
    assert not recorded(world, keys="2175550102")
    assert not recorded(world, keys="12175550102")
    confirm(world, "berta", number=EVERY_WAY[3])
    assert state(world) == ["stands"]


def test_what_one_adds_holds_at_once_and_lapses_unless_another_confirms_it(world: World) -> None:
    assert recorded(world)
    assert "lapses in 72 hours" in add(world)
    assert not recorded(world)
    assert state(world) == ["not confirmed"]
    with pytest.raises(StaffError, match="you asked for this yourself"):
        confirm(world, "anna")
    world.at += WAITS_FOR_ANOTHER - timedelta(seconds=1)
    assert not recorded(world)
    world.at += timedelta(seconds=1)
    assert recorded(world)
    assert state(world) == ["lapsed"]
    with pytest.raises(StaffError, match="nothing to confirm"):
        confirm(world, "berta")
    add(world)
    confirm(world, "berta")
    world.at += timedelta(days=400)
    assert not recorded(world)


def test_to_take_it_away_needs_two_and_until_then_it_stays(world: World) -> None:
    add(world)
    confirm(world, "berta")
    staff(world, "number privileged shrink", "anna", number=NUMBER, how=Shrinking.REMOVE)
    assert not recorded(world)
    assert state(world) == ["removal asked"]
    with pytest.raises(StaffError, match="you asked for this yourself"):
        confirm(world, "anna")
    assert "withdrawn" in add(world, "anna")
    with pytest.raises(StaffError, match="nothing to confirm"):
        confirm(world, "berta")
    staff(world, "number privileged shrink", "anna", number=NUMBER, how=Shrinking.REMOVE)
    world.at += WAITS_FOR_ANOTHER
    with pytest.raises(StaffError, match="nothing to confirm"):  # asked for too long ago
        confirm(world, "berta")
    staff(world, "number privileged shrink", "anna", number=NUMBER, how=Shrinking.REMOVE)
    assert "no longer privileged, as anna asked" in confirm(world, "berta")
    assert recorded(world)


def test_of_several_things_that_wait_none_is_confirmed_before_it_is_named(world: World) -> None:
    add(world)
    staff(world, "number privileged shrink", "cy", number=NUMBER, how=Shrinking.REMOVE)
    several = r"more than one thing waits: addition by anna, removal by cy; say --what addition\|removal"
    with pytest.raises(StaffError, match=several):
        confirm(world, "berta")
    with pytest.raises(StaffError, match="no timed waits, but addition by anna, removal by cy"):
        confirm(world, "berta", what="timed")
    with pytest.raises(StaffError, match="you asked for this yourself"):
        confirm(world, "anna", what="addition")
    assert "addition confirmed: privileged, as anna added it" in confirm(world, "berta", what="addition")
    assert (state(world), recorded(world)) == (["removal asked"], False)
    assert "removal confirmed: no longer privileged, as cy asked" in confirm(world, "berta")
    assert recorded(world)


def test_a_number_may_be_one_inmates_and_a_number_of_all_is_narrowed_by_two(world: World) -> None:
    other_inmate_with_the_number(world)
    add(world, inmate_id="1002")
    assert (recorded(world, "1001"), recorded(world, "1002")) == (True, False)
    add(world)
    confirm(world, "berta")
    assert (recorded(world, "1001"), recorded(world, "1002")) == (False, False)
    how = {"number": NUMBER, "how": Shrinking.NARROW, "to_inmate_id": "1001"}
    staff(world, "number privileged shrink", "anna", **how)
    assert (recorded(world, "1001"), recorded(world, "1002")) == (False, False)
    confirm(world, "berta")
    assert (recorded(world, "1001"), recorded(world, "1002")) == (False, False)
    world.at += WAITS_FOR_ANOTHER  # what was added for 1002 lapses
    assert (recorded(world, "1001"), recorded(world, "1002")) == (False, True)


@in_loop
async def test_untimed_knows_no_longest_call_and_is_taken_away_by_two(world: World) -> None:
    add(world, untimed=True)
    confirm(world, "berta")
    answer = world.database.read_now(explain, Question("1001", "2", facility_id=JAIL), world.at)
    assert answer.as_dict()["limit"]["seconds"] > 4_000  # type: ignore[index] # what the balance pays for
    staff(world, "number privileged shrink", "anna", number=NUMBER, how=Shrinking.TIMED)
    confirm(world, "berta")
    grant = await steps.answer(world)
    assert isinstance(grant, Grant)
    assert (grant.limit_ms, grant.recorded) == (900_000, False)


def test_what_a_file_has_made_privileged_two_operators_end_and_then_the_file_may(world: World) -> None:
    defender = "+12175550110"
    staff(world, "number privileged shrink", "anna", number=defender, how=Shrinking.REMOVE)
    confirm(world, "berta", number=defender)
    file = demonstration(("privileged = true\n", ""))
    assert len(world.database.transact_now(load, file, KEY, world.at)) == 0
    assert recorded(world, keys="2175550110")


# -- what was recorded before


def file_of(world: World, name: str) -> Path:
    return world.node.recordings / name


class Asterisk:
    """Which channels' recordings were stopped, and what was set on which; the first time it may be down."""

    def __init__(self, *, down: bool = False) -> None:
        self.stopped: list[str] = []
        self.was_set: list[tuple[str, str, str]] = []
        self.down = down

    async def stop_mix_monitor(self, channel: str) -> None:
        self.stopped.append(channel)

    async def set_variable(self, channel: str, name: str, value: str) -> None:
        self.was_set.append((channel, name, value))
        if self.down:
            raise AmiDown("not connected")
        if len(self.was_set) > 1:
            raise AmiError("No such channel")


@in_loop
async def test_a_call_in_progress_becomes_privileged_its_recording_is_stopped_and_sealed(
    world: World,
) -> None:
    call_id = await steps.accepted(world)
    [recording_id] = world.database.read_now(lambda conn: list(conn.scalars(select(recording.c.id))))
    recordings.raw_file(world.node.recordings, recording_id).write_bytes(b"\x01\x02\x03\x04" * 800)
    assert "recordings sealed: 1" in add(world)
    row = steps.record(world, call_id)
    assert (row.privileged, row.not_recorded) == (True, NotRecorded.PRIVILEGED)
    asterisk = Asterisk()
    for _ in range(2):  # doing it again does no harm
        await seal_recordings(world.node, asterisk)  # type: ignore[arg-type]
    assert asterisk.stopped == [f"PJSIP/carrier-{call_id}"]
    sealed = recordings.sealed_folder(world.node.recordings)
    assert [path.name for path in sealed.iterdir()] == [f"{recording_id}.raw"]
    assert sealed.stat().st_mode & 0o777 == 0o700
    assert not file_of(world, f"{recording_id}.raw").exists()


@pytest.mark.parametrize("records", ["true", "false"])
@in_loop
async def test_nothing_more_is_said_into_a_talk_that_becomes_privileged(
    database: Database, tmp_path: Path, records: str
) -> None:
    file = demonstration(("records = true\naccept_key", f"records = {records}\naccept_key"))
    world = World(database, tmp_path, file)
    call_id = await steps.accepted(world)
    asterisk = Asterisk()
    await end_announcements(world.node, asterisk)  # type: ignore[arg-type]
    assert asterisk.was_set == []
    add(world)
    for _ in range(2):  # doing it again does no harm, nor does a channel that is gone
        await end_announcements(world.node, asterisk)  # type: ignore[arg-type]
    assert asterisk.was_set == [(f"PJSIP/carrier-{call_id}", "OVERLAY", "")] * 2
    await ends(world, call_id)
    await end_announcements(world.node, asterisk)  # type: ignore[arg-type]
    assert len(asterisk.was_set) == 2


@in_loop
async def test_what_asterisk_could_not_be_told_is_tried_again(world: World) -> None:
    await steps.accepted(world)
    add(world)
    world.node.changed.clear()
    with pytest.raises(AmiDown):
        await end_announcements(world.node, Asterisk(down=True))  # type: ignore[arg-type]
    await asyncio.wait_for(world.node.changed.wait(), 5)


@in_loop
async def test_between_the_key_and_the_connection_no_recording_is_left_running(world: World) -> None:
    called = await steps.offered(world)
    accepted = await called.accept("1", "en")
    assert accepted is not None
    assert accepted.recording_file is not None
    assert not await called.is_sealed(accepted.recording_file)
    add(world)
    assert await called.is_sealed(accepted.recording_file)


@in_loop
async def test_an_offer_that_becomes_privileged_is_connected_unrecorded(world: World) -> None:
    called = await steps.offered(world)
    add(world)
    accepted = await called.accept("1", "en")
    assert accepted is not None
    assert accepted.recording_file is None
    assert steps.recordings_of(world, called.call_id) == 0


def _earlier(conn: Connection, call_id: str) -> None:
    row = {"id": "ab" * 16, "call_id": call_id, "state": RecordingState.KEPT, "sha256": "0" * 64}
    opened_by = {"file_sha256": "1" * 64, "data_key": "2" * 144, "key_id": "3" * 16}
    conn.execute(insert(recording).values(**row, **opened_by, talk_ms=1000, started_at=NOON))


@in_loop
async def test_nobody_plays_what_is_sealed_and_two_open_or_destroy_it(world: World) -> None:
    call_id, _ = await steps.decided(world, steps.PAID)
    world.database.transact_now(_earlier, call_id)
    await ends(world, call_id)
    places = recordings.Places(world.node.recordings, world.node.recordings / "archive")
    file = places.kept_file("ab" * 16, NOON)
    file.parent.mkdir(parents=True)
    file.write_bytes(b"encrypted")

    def to_play() -> recordings.KeptFile:
        return world.database.read_now(sealing.file_to_play, places, "ab" * 16)

    assert to_play().path == file
    add(world)
    await seal_recordings(world.node, Asterisk())  # type: ignore[arg-type]
    with pytest.raises(sealing.Sealed, match="added by anna"):
        to_play()
    one = {"recording_id": "abab" * 2}
    staff(world, "recording lock", "anna", **one)
    with pytest.raises(StaffError, match="legal hold"):
        staff(world, "recording destroy", "anna", **one)
    staff(world, "recording open", "anna", **one)
    with pytest.raises(StaffError, match="you asked for this yourself"):
        staff(world, "recording open", "anna", **one)
    with pytest.raises(sealing.Sealed):
        to_play()
    staff(world, "recording open", "berta", **one)
    assert to_play().path.exists()
    staff(world, "recording unlock", "anna", **one)
    staff(world, "recording destroy", "anna", **one)
    staff(world, "recording destroy", "berta", **one)
    with pytest.raises(LookupError):
        to_play()
    assert file.exists()  # but nobody has its key any more
    finisher = Finisher(world.database, places, RecordingKey(b"k" * 32), world.node.settled, lambda: world.at)
    await finisher.clear_up()
    assert not file.exists()


@in_loop
async def test_recordings_of_other_inmates_are_not_sealed_for_one_inmates_number(world: World) -> None:
    call_id, _ = await steps.decided(world, steps.PAID)
    world.database.transact_now(_earlier, call_id)
    assert "recordings sealed: 0" in add(world, inmate_id="1002")
    assert "recordings sealed: 1" in add(world, inmate_id="1001")


# -- signed lists

HEAD = "number,kind,note\n"


def signed(text: str, key: bytes = LIST_KEY, by: str = "berta", at: datetime = NOON) -> str:
    return signature(key, text, by=by, at=at)


def import_list(world: World, text: str, author: str = "anna", sign: str | None = None) -> str | StaffError:
    given = {"csv": text, "signature": sign if sign is not None else signed(text)}
    asked = read("import privileged", {"note": "list all.csv", "author": author, **given})
    return world.database.transact_now(attempt, "import privileged", asked, KEY, world.at, list_key=LIST_KEY)


def lines(first: int, last: int) -> str:
    return HEAD + "".join(f"{2175551000 + n},attorney,Number {n}\n" for n in range(first, last))


REFUSED_LISTS = {
    "unsigned": (lines(0, 200), ""),
    "signed with another key": (lines(0, 200), signed(lines(0, 200), bytes(32))),
    "changed since it was signed": (lines(0, 201), signed(lines(0, 200))),
    "signed by whoever imports it": (lines(0, 200), signed(lines(0, 200), by="anna")),
    "signed too long ago": (lines(0, 200), signed(lines(0, 200), at=NOON - timedelta(hours=72, seconds=1))),
    "signed by another name": (lines(0, 200), signed(lines(0, 200), by="anna").replace("anna", "berta")),
    "malformed": ("number,kind\n", None),
    "with a number that is none": (lines(0, 200) + "911,attorney,No\n", None),
    "with a number twice": (lines(0, 200) + "+1 217 555 1001,clergy,Again\n", None),
    "more than a hundredth shorter": (lines(3, 200), None),
    "empty": (HEAD, None),
}


@pytest.mark.parametrize("what", REFUSED_LISTS)
def test_a_list_that_cannot_be_trusted_changes_nothing_and_raises_an_alert(world: World, what: str) -> None:
    assert isinstance(import_list(world, lines(0, 200)), str)
    before = world.database.read_now(privileged_numbers, None, world.at)
    text, sign = REFUSED_LISTS[what]
    refused = import_list(world, text, sign=sign)
    assert isinstance(refused, Alarm)
    assert world.database.read_now(privileged_numbers, None, world.at) == before
    [alert] = world.database.read_now(alerts.open_alerts)
    assert "nothing was imported" in alert.text
    staff(world, "alerts done", "berta", alert_id=alert.id)
    assert world.database.read_now(alerts.open_alerts) == []


def test_what_a_list_has_lost_stays_until_another_operator_confirms_its_removal(world: World) -> None:
    assert "200 added" in str(import_list(world, lines(0, 200)))
    lost, first = lines(2, 201), {"number": "2175551000"}
    assert "1 added, 198 as they were" in str(import_list(world, lost))
    answer = world.database.read_now(explain, Question("1001", "2175551000", facility_id=JAIL), world.at)
    assert answer.request.privileged
    with pytest.raises(StaffError, match="you asked for this yourself"):
        staff(world, "number privileged confirm", "anna", **first)
    staff(world, "number privileged confirm", "berta", **first)
    numbers = [row["number"] for row in world.database.read_now(privileged_numbers, None, world.at)]
    assert "+12175551000" not in numbers
    assert "+12175551001" in numbers


# -- whose answer is the acceptance


HOTLINE = "2175550111"
PASSIVE = (
    f'[[number]]\nnumber = "{HOTLINE}"\nlabel = "Hotline"\nhotline = true\npassive = true\n\n[[blocked]]'
)


@in_loop
async def test_an_answer_is_an_acceptance_once_two_operators_want_it(world: World) -> None:
    world.database.transact_now(load, demonstration(("[[blocked]]", PASSIVE)), KEY, world.at)
    assert await steps.answer(world, HOTLINE) == NOBODY_PAYS
    staff(world, "number passive add", "anna", number=HOTLINE)
    with pytest.raises(StaffError, match="you asked for this yourself"):
        staff(world, "number passive confirm", "anna", number=HOTLINE)
    staff(world, "number passive confirm", "berta", number=HOTLINE)
    called = await steps.offered(world, HOTLINE)
    assert await called.accept_by_answer("en") is not None
    row = steps.record(world, called.call_id)
    assert (row.accepted_by, row.payer, row.not_recorded) == ("passive", "free", NotRecorded.PASSIVE)
    await ends(world, called.call_id)
    staff(world, "number passive remove", "anna", number=HOTLINE)
    assert await steps.answer(world, HOTLINE) == NOBODY_PAYS
    asked_by_key = await steps.offered(world, steps.PAID)
    assert await asked_by_key.accept_by_answer("en") is None


NOBODY_PAYS = Refused(Denial.FUNDS_TOO_LOW, {"needed": 60_000})


async def ends(world: World, call_id: str) -> None:
    await settle_call(world.node, call_id, Ending(Outcome.CALLER_HUNG_UP))


def test_only_what_the_file_calls_passive_is_confirmed(world: World) -> None:
    with pytest.raises(StaffError, match="does not call it passive"):
        staff(world, "number passive add", "anna", number=NUMBER)


# -- relays

RELAY = """[[number]]
number = "18005550199"
label = "Relay"
relay = true
short_code = "711"

[[blocked]]
type = "toll_free"
note = "no 800s"

[[blocked]]"""


@pytest.mark.parametrize("keys", ["711", "1711", "8005550199", "18005550199"])
@in_loop
async def test_a_relay_is_free_to_all_past_every_block_three_times_as_long(world: World, keys: str) -> None:
    world.database.transact_now(load, demonstration(("[[blocked]]", RELAY)), KEY, world.at)
    called = await steps.offered(world, keys)
    assert await called.accept_by_answer("en") is not None
    row = steps.record(world, called.call_id)
    assert (row.number, row.call_class, row.payer) == ("+18005550199", "trs", "free")
    assert (row.not_recorded, row.limit_ms) == (NotRecorded.RELAY, 2_700_000)


@in_loop
async def test_without_a_relay_711_is_a_service_code_and_toll_free_numbers_are_blocked(world: World) -> None:
    for keys, reason in (("711", "service_code"), ("8005550199", "number_type_blocked")):
        assert (await steps.answer(world, keys)).reason == reason  # type: ignore[union-attr]


@pytest.mark.usefixtures("on_database")
def test_one_signs_a_list_and_another_brings_it_in(ivr: Ivr, world: World, tmp_path: Path) -> None:
    file = tmp_path / "all.csv"
    file.write_text(lines(0, 200))
    bring = ("import", "privileged", str(file), "--facility", JAIL)
    assert "its signature is missing or wrong" in ivr(*bring).err
    said = ivr("import", "sign", str(file)).out
    assert said.endswith(f": signed by {own_login()}, for 72 hours; another operator imports it\n")
    assert f"{own_login()} has signed it, so another operator imports it" in ivr(*bring).err
    sign = file.with_name("all.csv.sig").read_text().strip()
    asked = read(
        "import privileged",
        {"note": "list all.csv", "author": "berta", "csv": lines(0, 200), "signature": sign},
    )
    key = keyring_of(load_settings()).list_key
    told = world.database.transact_now(attempt, "import privileged", asked, KEY, utc_now(), list_key=key)
    assert "200 added" in str(told)
