"""`ivr calls --watch`: every telephone as it is now, on a terminal that is afterwards as it was; the same as JSON."""

import asyncio
import json
import signal
from datetime import timedelta
from typing import Any

import pytest

from ivr.cli.calls_page import Deed, Order, Page
from ivr.cli.keyboard import keys_of
from ivr.now import Now, State, now
from ivr.policy.hotline import NO_STATION, HotlineKind
from ivr.policy.talk import Evidence, Kind
from ivr.records import calls, evidence, listening, notes, watched
from ivr.sharing.interface import Seen, Stage
from ivr.staff.changes import do, read
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.controller.terminal import COLUMNS, ROWS, on_terminal
from tests.database import only_sqlite
from tests.transcripts.play import KEY, World


def seen_now(world: World, *seen: Seen) -> list[Now]:
    return world.database.read_now(now, {each.call_id: each for each in seen})


def test_each_telephone_is_told_as_far_as_it_is(world: World) -> None:
    stations = ["demo-a1", "demo-a2", "demo-intake"]
    assert [(line.state, line.station) for line in seen_now(world)] == [
        (State.IDLE, each) for each in stations
    ]
    [who] = steps.crowd(world, 1)
    identifying = asyncio.run(steps.keyed(world, station="demo-a2"))
    line, idle, _ = seen_now(world)
    assert (line.state, line.inmate, line.call, idle.station) == (State.IDENTIFYING, "1001", None, "demo-a1")
    asyncio.run(identifying.close_session(None))
    ringing = asyncio.run(steps.dialled(world, who=who))
    line, *_ = seen_now(world)
    assert (line.state, line.call, line.payer, line.limit_seconds) == (
        State.RINGING,
        ringing.call_id,
        "prepaid",
        900,
    )
    asyncio.run(steps.settle_unanswered(world, ringing.call_id))
    call_id = asyncio.run(steps.accepted(world))
    world.database.transact_now(
        evidence.add, call_id, Evidence(Kind.TALK_FROM, world.at), source=evidence.EVENT, at=world.at
    )
    line = next(each for each in seen_now(world) if each.call == call_id)
    assert (line.state, line.since, line.recorded, line.flags) == (State.TALKING, world.at, "yes", ())
    at = world.at + timedelta(seconds=61)
    assert (line.elapsed(at), line.left(at)) == (61, 839)
    as_seen = Seen(call_id, Stage.TALKING, world.at + timedelta(seconds=1), at)
    line = next(each for each in seen_now(world, as_seen) if each.call == call_id)
    assert (line.elapsed(at), line.left(at)) == (60, 0)
    assert json.loads(json.dumps(line.told(at)))["left_seconds"] == 0


def test_what_staff_have_asked_for_is_flagged(world: World) -> None:
    call_id = asyncio.run(steps.accepted(world))
    row = steps.record(world, call_id)
    begun: dict[str, Any] = {
        "listening_id": "1" * 32,
        "call_id": call_id,
        "author": "amy",
        "note": "why",
        "phone": "staff-desk",
    }
    world.database.transact_now(listening.begin, at=world.at, **begun)
    watch = {
        "facility_id": row.facility_id,
        "number": row.number,
        "sms": "+12175550190",
        "note": "why",
        "author": "amy",
    }
    world.database.transact_now(lambda conn: watched.add(conn, added_at=world.at, **watch))
    asked = read("cut", {"call_id": call_id, "note": "threats", "author": "amy"})
    world.database.transact_now(do, "cut", asked, KEY, world.at)
    assert seen_now(world)[0].flags == ("watched", "listened", "cut")


def test_anonymous_calls_are_on_no_page(world: World, ivr: Ivr, on_database: str) -> None:
    call_id = asyncio.run(steps.accepted(world))
    anonymous: dict[str, Any] = {"hotline_kind": HotlineKind.PREA, "inmate": None, "station_id": NO_STATION}
    world.database.transact_now(lambda conn: calls.set_values(conn, call_id, **anonymous))
    assert all(line.call is None for line in seen_now(world, Seen(call_id, Stage.TALKING, world.at)))
    assert call_id[:8] not in ivr("calls", "--json").out
    assert ivr("calls", "--watch", "--hidden").status == 2


def test_keys_choose_ask_and_order() -> None:
    page = Page()
    page.take([Now(State.TALKING, "jail", f"a{n}", call=f"{n}" * 32) for n in range(3)])
    for key in ("down", "down", "down", "up", "x"):
        assert page.press(key) is None
    assert page.chosen == "1" * 32
    for key in ("c", "n", "o", "q", "backspace"):
        page.press(key)
    assert (page.ended, page.typed) == (False, "no")
    page.press("escape")
    page.press("n")
    page.take(page.lines[:1])  # the chosen call is over; the note is still about it
    for key in "calm":
        page.press(key)
    assert page.press("enter") == Order(Deed.NOTE, "1" * 32, "calm")
    page.take([])
    page.press("c")
    assert (page.asking, page.told) == (None, "there is no call")
    page.press("q")
    assert page.ended
    assert list(keys_of(b"a\x1b[A\x1b[15~\x1b\xc3\xa9\r\x7f\x1b[B")) == [
        "a",
        "up",
        "escape",
        "é",
        "enter",
        "backspace",
        "down",
    ]


@only_sqlite
def test_the_page_shows_calls_takes_keys_and_leaves_the_terminal_as_it_was(
    ivr: Ivr, records: list[str], world: World
) -> None:
    going_on = records[3]
    with on_terminal("calls", "--watch") as terminal:
        page = terminal.until("talking")
        assert "\x1b[?1049h" in terminal.written  # a screen of its own
        lines = page.splitlines()
        assert len(lines) <= ROWS
        assert max(map(len, lines)) <= COLUMNS
        assert "1 talking" in lines[0]
        assert "demo-a2" not in page
        terminal.press("i")
        terminal.until("demo-a2")
        terminal.press("nSounds distressed\r")
        terminal.until("noted")
        terminal.press("l")
        terminal.press("a tip\r")
        terminal.until("no telephone of staff may be rung")
        terminal.press("cx\r")
        terminal.until("expected 3 letters or more")
        terminal.press("cthreats\r")
        terminal.until(f"call {going_on[:8]}: cut off")
        assert terminal.attributes != terminal.before
        terminal.press("q")
        assert terminal.ends() == 0
        assert terminal.attributes == terminal.before
        assert terminal.written.rindex("\x1b[?1049l") > terminal.written.rindex("\x1b[?1049h")
        assert terminal.written.rindex("\x1b[?25h") > terminal.written.rindex("\x1b[?25l")
    assert [row.text for row in world.database.read_now(notes.of_call, going_on)] == [
        "Sounds distressed",
        "cut off: threats",
    ]
    assert steps.record(world, going_on).cut_at is not None


@only_sqlite
@pytest.mark.parametrize("how", ["ctrl-c", "ended"])
def test_it_may_be_interrupted(ivr: Ivr, records: list[str], how: str) -> None:
    with on_terminal("calls", "--watch") as terminal:
        terminal.until("talking")
        if how == "ctrl-c":
            terminal.press("\x03")
        else:
            terminal.process.send_signal(signal.SIGTERM)
        assert terminal.ends() == 0
        assert terminal.attributes == terminal.before
        assert terminal.written.rindex("\x1b[?1049l") > terminal.written.rindex("\x1b[?1049h")


def test_without_a_terminal_it_is_shown_once_and_plain(ivr: Ivr, records: list[str]) -> None:
    said = ivr("calls", "--watch")
    assert (said.status, said.err) == (0, "")
    assert "\x1b" not in said.out
    heading, line, *_ = said.out.splitlines()
    assert heading.split() == [
        "call",
        "state",
        "for",
        "left",
        "phone",
        "inmate",
        "number",
        "payer",
        "rec",
        "!",
    ]
    assert line.split()[:2] == [records[3][:6], "talking"]
    assert max(map(len, said.out.splitlines())) <= COLUMNS
    told = [json.loads(each) for each in ivr("calls", "--json").out.splitlines()]
    assert (told[0]["state"], told[0]["station"]) == ("talking", "demo-a1")
    assert {"state": "idle", "station": "demo-a2"}.items() <= told[-2].items()
    assert told[0]["call"] == records[3]
    assert {"elapsed_seconds", "limit_seconds", "left_seconds", "payer", "recorded", "flags", "node"} <= told[
        0
    ].keys()
