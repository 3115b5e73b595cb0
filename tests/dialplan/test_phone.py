"""The phone itself, and that what a dialogue needs of Asterisk works with the modules that are loaded."""

import asyncio
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dialplan.phone import Answers, Phone, PhoneError
from tests.dialplan.conftest import Stack
from tests.dialplan.fastagi import Controller, Session
from tests.dialplan.sounds import RATE, seconds_of_sound, seconds_of_tone, write_tone
from tests.dialplan.story import Story

INMATE_HERTZ = 600
CALLED_HERTZ = 850


@pytest.fixture
def inmate(stack: Stack, tmp_path: Path) -> Iterator[Phone]:
    with stack.station(tmp_path / "inmate") as phone:
        yield phone


class Keys(Story):
    """Asks for keys in both ways, and calls nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[str] = []

    async def outbound(self, session: Session) -> None:
        self.answers = [
            await session.send("GET DATA beep 3000 6"),
            await session.send("EXEC Read CHOICE,beep&beep,1,,1,3"),
            await session.value("${CHOICE}"),
            await session.value("${CHANNEL(endpoint)}"),
        ]
        await session.set(VERDICT="END")


def test_keys_are_read_in_both_ways(stack: Stack, inmate: Phone) -> None:
    keys = Keys()
    with Controller(stack.facility_spec.agi_port, keys.scripts) as controller:
        inmate.dial("1000")
        inmate.wait_for("CALL_ESTABLISHED")
        inmate.press("471100")
        inmate.press("3")
        inmate.wait_for("CALL_CLOSED")
        assert controller.faults == []
    assert keys.answers == ["200 result=471100", "200 result=0", "3", "demo-a1"]


class Name(Story):
    """Records what the inmate says after the tone, and plays it back."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.beeped = asyncio.Event()

    async def outbound(self, session: Session) -> None:
        await session.send(f'RECORD FILE {self.path} ulaw "#" 2000 BEEP')
        await session.send(f"EXEC Playback {self.path}")
        await session.send("DATABASE PUT test name 1")
        assert await session.send("DATABASE DEL test name") == "200 result=1"
        await session.set(VERDICT="END")


def test_a_name_is_recorded_and_can_be_played(stack: Stack, inmate: Phone, tmp_path: Path) -> None:
    story = Name(stack.facility_spec.folder / "spool" / "names" / "0123abcd")
    spoken = write_tone(tmp_path / "name.wav", INMATE_HERTZ, 1)
    with Controller(stack.facility_spec.agi_port, story.scripts) as controller:
        inmate.dial("1000")
        inmate.wait_for("CALL_ESTABLISHED")
        time.sleep(0.5)  # the tone
        inmate.say(spoken)
        inmate.wait_for("CALL_CLOSED")
        assert controller.faults == []

    kept = story.path.with_suffix(".ulaw")
    assert kept.stat().st_size == pytest.approx(2 * RATE, rel=0.2)  # one byte a sample
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert seconds_of_tone(inmate.heard[0].path, INMATE_HERTZ) == pytest.approx(1, abs=0.2)
    assert seconds_of_tone(inmate.heard[0].path, 1000) == pytest.approx(0.2, abs=0.1)  # the beep


class Recorded(Story):
    """Starts the recording after the called party accepted."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    async def accept(self, session: Session) -> None:
        await super().accept(session)
        await session.send(f"EXEC MixMonitor {self.path},bD")


def test_a_recording_keeps_the_two_directions_apart(stack: Stack, inmate: Phone, tmp_path: Path) -> None:
    story = Recorded(stack.facility_spec.folder / "spool" / "monitor" / "0123abcd.raw")
    with (
        Controller(stack.facility_spec.agi_port, story.scripts) as controller,
        stack.called(tmp_path / "called") as called,
    ):
        inmate.say(write_tone(tmp_path / "inmate.wav", INMATE_HERTZ), repeat=True)
        called.say(write_tone(tmp_path / "called.wav", CALLED_HERTZ), repeat=True)
        inmate.dial("1000")
        called.wait_for("CALL_ESTABLISHED")
        called.press("1")
        time.sleep(2)
        called.hang_up()
        inmate.wait_for("CALL_CLOSED")
        assert controller.faults == []

    assert stat.S_IMODE(story.path.stat().st_mode) == 0o600
    sides = np.frombuffer(story.path.read_bytes(), "<i2").reshape(-1, 2).astype(float)
    assert len(sides) / RATE == pytest.approx(2, abs=0.5)
    spectra = np.abs(np.fft.rfft(sides[-RATE:], axis=0))
    loudest = np.fft.rfftfreq(RATE, 1 / RATE)[spectra.argmax(axis=0)]
    assert set(loudest) == {INMATE_HERTZ, CALLED_HERTZ}


def test_each_call_of_a_phone_has_its_own_recording(stack: Stack, inmate: Phone) -> None:
    for _ in range(2):
        inmate.dial("1000")  # nobody serves: the closed prompt
        inmate.wait_for("CALL_ESTABLISHED")
        time.sleep(0.5)
        inmate.hang_up()
        inmate.wait_for("CALL_CLOSED")
    first, second = inmate.heard
    assert first.path != second.path
    assert first.began_at < second.began_at
    assert all(heard.seconds == pytest.approx(0.5, abs=0.3) for heard in inmate.heard)
    assert seconds_of_sound(first.path) > 0


def test_a_phone_that_is_switched_off_in_a_call_keeps_what_it_heard(stack: Stack, inmate: Phone) -> None:
    inmate.dial("1000")
    inmate.wait_for("CALL_ESTABLISHED")
    time.sleep(0.5)
    inmate.stop()
    assert not inmate.is_running
    assert inmate.heard[0].seconds > 0.2
    assert inmate.events[-1].type == "EXIT"
    assert "0 active channels" in stack.facility.command("core show channels")


def test_a_call_can_be_refused_by_hand(stack: Stack, inmate: Phone, tmp_path: Path) -> None:
    story = Story()
    with (
        Controller(stack.facility_spec.agi_port, story.scripts),
        stack.called(tmp_path / "called", Answers.MANUAL) as called,
    ):
        inmate.dial("1000")
        called.wait_for("CALL_INCOMING")
        called.hang_up()
        assert story.finished.wait(5)
    assert story.status[1:] == ["BUSY", "17"]
    assert called.heard == []


def test_events_are_waited_for_in_order(stack: Stack, inmate: Phone) -> None:
    inmate.dial("1000")
    inmate.wait_for("CALL_ESTABLISHED")
    inmate.hang_up()
    closed = inmate.wait_for("CALL_CLOSED")
    established = next(event for event in inmate.events if event.type == "CALL_ESTABLISHED")
    assert established.at < closed.at
    assert established.monotonic_seconds < closed.monotonic_seconds
    with pytest.raises(PhoneError, match=r"waited for CALL_ESTABLISHED, but saw: .*CALL_CLOSED"):
        inmate.wait_for("CALL_ESTABLISHED", deadline_seconds=0.1)


def test_what_cannot_be_done_is_said(stack: Stack, inmate: Phone, tmp_path: Path) -> None:
    with pytest.raises(PhoneError, match="could not sndcode"):
        inmate.press("1")  # there is no call
    with pytest.raises(PhoneError, match="'x' is not a key"):
        inmate.press("x")
    with pytest.raises(PhoneError, match="cannot be dialled"):
        inmate.dial("1000;transport=tcp")
    with pytest.raises(PhoneError, match="is not switched on"):
        stack.station(tmp_path / "off").dial("1000")
