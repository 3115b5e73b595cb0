"""Telephones that are switched off: refused everywhere, calls in progress ended as staff have said, none forgotten."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from accounts.db import Database
from ivr.ami import AmiError, Switchboard
from ivr.call import SessionEnded
from ivr.controls import Accepted, CalledPartyControls, Grant, InmateControls, Refused
from ivr.controls.settlement import Ending, settle
from ivr.facility import switches
from ivr.facility.audit import audit
from ivr.facility.tables import switch
from ivr.loading import load
from ivr.policy.level import Level
from ivr.policy.reasons import Denial, Outcome
from ivr.policy.switching import LAST_MINUTE, Way
from ivr.policy.talk import Evidence, Kind
from ivr.records import switched
from ivr.records.tables import session
from ivr.staff.changes import do, read
from ivr.staff.desk import StaffError
from ivr.switching import Switching
from tests.controller import steps
from tests.controller.exchange import Watched, watching
from tests.controller.test_agency import jail
from tests.fakes.loop import in_loop
from tests.transcripts.play import KEY, World, demonstration

JAIL = "example-county-jail"
#: What a call of Alex from demo-a1 meets.
MET = {"station": "demo-a1", "unit": "unit-a", "facility": JAIL, "agency": "example-agency"}
#: Alex lives in another unit than the station's.
ELSEWHERE = (
    ('name = "Alex Example"', 'name = "Alex Example"\nunit = "z"'),
    ("[[unit]]", '[[unit]]\nid = "z"\nlabel = "Z"\n\n[[unit]]'),
)


def thrown(world: World, level: str, name: str, let: str = "finish") -> str:
    """What staff are told who switch something off."""
    return _done(world, "off", level=level, which=name, let=let)


def switched_on(world: World, level: str, name: str) -> str:
    return _done(world, "on", level=level, which=name)


def _done(world: World, change: str, **given: object) -> str:
    asked = read(change, {**given, "note": "for a test", "author": "staff"})
    return world.database.transact_now(do, change, asked, KEY, world.at)


@pytest.fixture
def agency(world: World) -> World:
    """The demonstration's facility, of an agency."""
    world.database.transact_now(load, jail(), KEY, world.at)
    return world


@pytest.mark.parametrize("level", MET)
@in_loop
async def test_whatever_is_off_refuses_and_what_is_on_again_does_not(agency: World, level: str) -> None:
    assert thrown(agency, level, MET[level]) == (f"{level} {MET[level]} is off; calls in progress may finish")
    controls = InmateControls(agency.node, "demo-a1", "PJSIP/demo-a1-1")
    with pytest.raises(SessionEnded) as ended:
        await controls.open_session()
    assert ended.value.reason is Denial.SWITCHED_OFF
    await controls.close_session(ended.value.reason)
    (row,) = agency.database.read_now(lambda conn: conn.execute(select(session)).all())
    assert row.reason == Denial.SWITCHED_OFF
    assert switched_on(agency, level, MET[level]) == f"{level} {MET[level]} is on again"
    assert isinstance(await steps.answer(agency), Grant)


@pytest.mark.parametrize("level", MET)
@pytest.mark.parametrize("number", [steps.PAID, steps.PRIVILEGED])
@in_loop
async def test_a_switch_that_is_thrown_while_a_number_is_keyed_refuses_every_number(
    agency: World, level: str, number: str
) -> None:
    controls = await steps.keyed(agency, number)
    thrown(agency, level, MET[level])
    assert await controls.authorise() == Refused(Denial.SWITCHED_OFF, {})


@in_loop
async def test_the_unit_of_an_inmate_holds_at_stations_elsewhere(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path, demonstration(*ELSEWHERE))
    thrown(world, "unit", "z")
    assert await steps.answer(world) == Refused(Denial.SWITCHED_OFF, {})


@pytest.mark.parametrize("level", MET)
@pytest.mark.parametrize("let", Way)
@in_loop
async def test_a_switch_that_is_thrown_while_it_rings_refuses_the_acceptance_but_to_finish(
    agency: World, level: str, let: Way
) -> None:
    called = await steps.offered(agency)
    thrown(agency, level, MET[level], let)
    accepted = await called.accept("1", "en")
    assert isinstance(accepted, Accepted) if let is Way.FINISH else accepted is None


@in_loop
async def test_the_acceptance_itself_asks_whether_a_switch_was_thrown(agency: World) -> None:
    called = await steps.offered(agency)
    unit = "unit/example-county-jail/unit-a"
    agency.database.transact_now(
        lambda conn: switches.throw(conn, unit, way=Way.NOW, note="why", author="a", at=agency.at)
    )  # and no call is marked
    assert await called.accept("1", "en") is None


@in_loop
async def test_a_called_party_who_answers_too_late_is_offered_nothing(world: World) -> None:
    caller = await steps.dialled(world)
    thrown(world, "station", "demo-a1", "minute")
    called = CalledPartyControls(world.node, caller.call_id, "PJSIP/carrier-1")
    with pytest.raises(SessionEnded):
        await called.offer()
    row = settled(world, caller.call_id)
    assert (row.reason, row.charge, row.talk_ms) == (Denial.SWITCHED_OFF, 0, 0)
    steps.assert_books_are_right(world)


def settled(world: World, call_id: str, *talk_s: float) -> Any:
    """The record of a call that was talked from and to these seconds from now."""
    kinds = (Kind.TALK_FROM, Kind.TALK_TO)
    seen = [Evidence(kind, world.at + timedelta(seconds=at)) for kind, at in zip(kinds, talk_s, strict=False)]
    ending = Ending(Outcome.NOT_ACCEPTED, "ANSWER")
    world.database.transact_now(settle, call_id, ending, at=world.at, version="test", seen=seen)
    return steps.record(world, call_id)


@pytest.mark.parametrize(
    ("let", "talk_to_s", "told"),
    [
        ("now", 0.05, (Outcome.LIMIT_REACHED, "switched_off", 120_000)),
        ("now", 30.0, (Outcome.LIMIT_REACHED, "switched_off", 120_000)),  # nobody pays for a late end
        ("minute", 60.1, (Outcome.LIMIT_REACHED, "switched_off", 180_000)),
        ("minute", 20.0, (Outcome.COMPLETED, None, 140_000)),
        ("finish", 60.0, (Outcome.COMPLETED, None, 180_000)),
    ],
)
@in_loop
async def test_only_the_talk_until_the_switch_is_paid(
    world: World, let: str, talk_to_s: float, told: tuple[str, str | None, int]
) -> None:
    call_id = await steps.accepted(world)
    thrown(world, "facility", JAIL, let)
    row = settled(world, call_id, -120.0, talk_to_s)
    assert (row.reason, row.cut_off_by, row.charge) == told
    steps.assert_books_are_right(world)


@in_loop
async def test_a_limit_that_comes_before_the_switch_is_told_as_the_cause(world: World) -> None:
    call_id = await steps.accepted(world)
    limit_s = steps.record(world, call_id).limit_ms / 1000
    thrown(world, "facility", JAIL, "minute")
    row = settled(world, call_id, -limit_s, 0.0)
    assert (row.reason, row.cut_off_by) == (Outcome.LIMIT_REACHED, "longest_call")


@in_loop
async def test_a_choice_of_the_called_party_before_the_switch_stands(world: World) -> None:
    called = await steps.offered(world)
    await called.decline(Outcome.REFUSED, "en")
    thrown(world, "facility", JAIL, "now")
    assert settled(world, called.call_id).reason == Outcome.REFUSED


@in_loop
async def test_switched_on_again_within_the_minute_calls_go_on(world: World) -> None:
    call_id = await steps.accepted(world)
    thrown(world, "facility", JAIL, "minute")
    assert steps.record(world, call_id).switched_off_at == world.at + LAST_MINUTE
    thrown(world, "station", "demo-a1", "finish")
    switched_on(world, "facility", JAIL)
    assert steps.record(world, call_id).switched_off_at is None
    thrown(world, "facility", JAIL, "minute")
    world.at += timedelta(seconds=20)
    assert (
        thrown(world, "facility", JAIL, "now") == f"facility {JAIL} is off still; calls in progress end now"
    )
    assert steps.record(world, call_id).switched_off_at == world.at
    switched_on(world, "facility", JAIL)
    assert steps.record(world, call_id).switched_off_at == world.at  # it was over by then


def test_a_switch_keeps_who_threw_it_and_who_ended_it(world: World) -> None:
    thrown(world, "station", "demo-a2", "now")
    switched_on(world, "station", "demo-a2")
    assert switched_on(world, "station", "demo-a2") == "station demo-a2 was not off"
    (row,) = world.database.read_now(lambda conn: conn.execute(select(switch)).all())
    assert (row.scope, row.way, row.author, row.note) == ("station/demo-a2", "now", "staff", "for a test")
    assert (row.thrown_at, row.ended_at, row.ended_by) == (world.at, world.at, "staff")
    logged = world.database.read_now(lambda conn: conn.execute(select(audit)).all())
    assert [(each.verb, each.about) for each in logged] == [
        ("off", "station demo-a2"),
        ("on", "station demo-a2"),
        ("on", "station demo-a2"),
    ]


def test_what_there_is_not_can_not_be_switched(world: World) -> None:
    for level, name in (("station", "demo-z9"), ("unit", "unit-z"), ("facility", "x"), ("agency", "x")):
        with pytest.raises(StaffError, match=f"there is no {level} {name}"):
            thrown(world, level, name)


# -- Asterisk's own database


def number_of(world: World) -> str:
    """The newest switch's."""
    return str(max(world.database.read_now(lambda conn: list(conn.scalars(select(switch.c.id))))))


def keys(world: World) -> dict[str, str]:
    return world.database.read_now(switches.closing_keys)


def test_asterisk_is_to_close_the_stations_of_whatever_is_off(agency: World) -> None:
    assert keys(agency) == {}
    thrown(agency, "station", "demo-a2")
    assert keys(agency) == {"station/demo-a2": number_of(agency)}
    thrown(agency, "unit", "unit-a")
    assert set(keys(agency)) == {"station/demo-a1", "station/demo-a2"}
    thrown(agency, "station", "demo-intake")
    assert set(keys(agency)) == {"all"}  # no station is left
    switched_on(agency, "station", "demo-intake")
    switched_on(agency, "unit", "unit-a")
    switched_on(agency, "station", "demo-a2")
    assert keys(agency) == {}


@pytest.mark.parametrize(
    ("key", "off"),
    [
        ("all", ["facility/example-county-jail"]),
        ("station/demo-a1", ["station/demo-a1"]),
        ("facility/example-county-jail", ["facility/example-county-jail"]),
        ("unit/example-county-jail/unit-a", ["unit/example-county-jail/unit-a"]),
        ("station/unknown", []),
        ("nonsense", []),
    ],
)
def test_what_was_closed_at_the_console_is_off_and_logged(world: World, key: str, off: list[str]) -> None:
    found = {key: "officer: fight"}
    unknown = world.database.transact_now(switches.take_over, found, world.at)
    assert unknown == ([] if off else [key])
    rows = world.database.read_now(switches.open_switches)
    assert [(row.scope, row.way, row.author) for row in rows] == [(each, "finish", "console") for each in off]
    assert all("officer: fight" in row.note for row in rows)
    logged = world.database.read_now(lambda conn: conn.execute(select(audit)).all())
    assert [each.author for each in logged] == ["console"] * len(off)
    assert world.database.transact_now(switches.take_over, found, world.at) == unknown
    assert len(world.database.read_now(switches.open_switches)) == len(off)


def test_a_key_of_a_switch_that_has_ended_means_nothing(world: World) -> None:
    thrown(world, "station", "demo-a1")
    found = keys(world)
    switched_on(world, "station", "demo-a1")
    assert world.database.transact_now(switches.take_over, found, world.at) == []
    assert world.database.read_now(switches.open_switches) == []


# -- the controller


def switching(on: Watched) -> Switching:
    on.asterisk.users |= {"switch": "demonstration", "announcer": "demonstration"}
    return Switching(Switchboard("127.0.0.1", on.asterisk.port, "demonstration", "demonstration"))


async def talks(on: Watched) -> str:
    """Two who talk."""
    call_id = await steps.accepted(on.world)
    on.talks(call_id)
    await on.until(lambda: on.live(call_id).talking)
    return call_id


@in_loop
async def test_asterisks_own_database_is_brought_in_step_both_ways(world: World) -> None:
    async with watching(world) as on:
        on.asterisk.database |= {"/switch/station/demo-a1": "by hand", "/switch/station/x": "?"}
        thrown(world, "station", "demo-a2")
        switched_on(world, "station", "demo-a2")
        on.asterisk.database["/switch/station/demo-a2"] = number_of(world)  # of a switch that has ended
        hold = switching(on)
        await hold.close_stations(world.node, on.ami)
        here = {"/switch/station/demo-a1": number_of(world), "/switch/station/x": "?"}
        assert on.asterisk.database == here
        switched_on(world, "station", "demo-a1")
        await hold.close_stations(world.node, on.ami)
        assert on.asterisk.database == {"/switch/station/x": "?"}


@in_loop
async def test_now_ends_a_talk_at_once_and_both_hear_why(world: World) -> None:
    async with watching(world) as on:
        call_id, hold = await talks(on), switching(on)
        thrown(world, "facility", JAIL, "now")
        await hold.end_calls(world.node, on.ami)
        sent = await on.asterisk.seen("Redirect")
        assert (sent["Exten"], sent["Context"], sent["ExtraContext"]) == (
            "ended.switched_off",
            "inmate-farewell",
            "called-farewell",
        )
        assert sent["Channel"] == on.live(call_id).inmate_channel
        assert not [each for each in on.asterisk.received if each["Action"] == "Originate"]


@in_loop
async def test_in_a_minute_both_are_told_once_and_each_in_their_own_channel(world: World) -> None:
    async with watching(world) as on:
        call_id, hold = await talks(on), switching(on)
        thrown(world, "facility", JAIL, "minute")
        for _ in range(2):
            await hold.end_calls(world.node, on.ami)
        live = on.live(call_id)
        told = await orders(on, "Originate", 2)
        assert {each["Variable"] for each in told} == {
            f"WHISPER_TO={channel}" for channel in (live.inmate_channel, live.called_channel)
        }
        assert {each["Channel"] for each in told} == {"Local/en@announcement"}
        assert live.switcher is not None
        switched_on(world, "facility", JAIL)
        await hold.end_calls(world.node, on.ami)
        assert live.switched_off_at is None
        assert not [each for each in on.asterisk.received if each["Action"] == "Redirect"]


async def orders(on: Watched, action: str, count: int) -> list[Mapping[str, str]]:
    """What Asterisk was told to do, once it was told so often."""

    def found() -> list[Mapping[str, str]]:
        return [each for each in on.asterisk.received if each["Action"] == action]

    await on.until(lambda: len(found()) >= count)
    assert len(found()) == count
    return found()


class BusySwitchboard:
    """An Asterisk that takes no order to announce anything, the first time that it is told for a leg."""

    def __init__(self) -> None:
        self.tried: list[str] = []

    def announce(self, channel: str, language: str) -> None:
        self.tried.append(channel)
        if self.tried.count(channel) == 1:
            raise AmiError("no answer in time")


@in_loop
async def test_who_was_not_told_since_asterisk_was_busy_is_told_a_moment_later(world: World) -> None:
    async with watching(world) as on:
        board = BusySwitchboard()
        call_id, hold = await talks(on), Switching(board)  # type: ignore[arg-type]
        thrown(world, "facility", JAIL, "minute")
        await hold.end_calls(world.node, on.ami)
        await on.until(lambda: len(board.tried) == 4)
        live = on.live(call_id)
        assert sorted(board.tried) == sorted([live.inmate_channel, live.called_channel or ""] * 2)


@pytest.mark.parametrize(("refusals", "is_done"), [(2, True), (20, False)])
def test_asterisk_lets_a_user_in_again_a_moment_after_the_last_time(
    monkeypatch: pytest.MonkeyPatch, refusals: int, is_done: bool
) -> None:
    tried: list[str] = []

    def one_shot(action: str, *_: object, **__: object) -> list[dict[str, str]]:
        tried.append(action)
        if len(tried) <= refusals:
            raise AmiError("Asterisk refused login: Login Already In Use")
        return []

    monkeypatch.setattr("ivr.ami.switchboard.one_shot", one_shot)
    monkeypatch.setattr("ivr.ami.switchboard.PAUSE_S", 0)
    board = Switchboard("127.0.0.1", 1, "secret", "secret")
    if is_done:
        board.hang_up("PJSIP/demo-a1-1")
        assert tried == ["Hangup"] * 3
    else:
        with pytest.raises(AmiError, match="Already In Use"):
            board.hang_up("PJSIP/demo-a1-1")
        assert len(tried) == 20


@in_loop
async def test_after_a_restart_a_talk_still_ends_in_time_and_hears_nothing_untrue(world: World) -> None:
    async with watching(world) as on:
        call_id, hold = await talks(on), switching(on)
        thrown(world, "facility", JAIL, "minute")
        world.at += timedelta(seconds=59.99)
        await hold.end_calls(world.node, on.ami)
        assert (await on.asterisk.seen("Redirect"))["Channel"] == on.live(call_id).inmate_channel
        assert not [each for each in on.asterisk.received if each["Action"] == "Originate"]


@pytest.mark.parametrize("let", ["minute", "now"])
@in_loop
async def test_a_call_that_rings_ends_by_its_called_leg(world: World, let: str) -> None:
    async with watching(world) as on:
        caller, hold = await steps.dialled(world), switching(on)
        legs = (caller.channel, "PJSIP/carrier-7")
        on.asterisk.channels |= {leg: {"AccountCode": caller.call_id} for leg in legs}
        thrown(world, "station", "demo-a1", "finish")
        await hold.end_calls(world.node, on.ami)
        thrown(world, "station", "demo-a1", let)
        await hold.end_calls(world.node, on.ami)
        ended = [each["Channel"] for each in on.asterisk.received if each["Action"] == "Hangup"]
        assert ended == ["PJSIP/carrier-7"]


def test_the_marked_calls_are_known_without_writing(world: World) -> None:
    assert world.database.read_now(switched.ended) == []
    assert Level.STATION in switches.LEVELS
