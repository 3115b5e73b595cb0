"""Keys that come in by events (RFC 4733), as tones in the audio, by SIP INFO; early, late, twice and without an end."""

from pathlib import Path
from typing import get_args

import pytest

from dialplan.dtmf import Dtmf
from dialplan.install import Installation
from dialplan.phone import key_tones, write_speech
from ivr import config
from ivr.policy import keys as policy
from tests.dialplan.conftest import Stack, running
from tests.dialplan.fastagi import Controller, Session
from tests.dialplan.story import Story

KEYS = "19*05"


class Asks(Story):
    """A controller that asks the inmate for keys, again until one of them comes, and rings nobody."""

    def __init__(self, until: str) -> None:
        super().__init__()
        self.keyed = ""
        self._until = until

    async def outbound(self, session: Session) -> None:
        while self._until not in self.keyed:
            answer = await session.send("GET DATA en/ivr/connecting 1000 8")
            self.keyed += answer.removeprefix("200 result=").removesuffix(" (timeout)")
        await session.set(VERDICT="END")
        self.finished.set()


@pytest.mark.parametrize(("station", "dtmf"), [(0, Dtmf.RFC4733), (1, Dtmf.INFO), (2, Dtmf.INBAND)])
def test_the_keys_of_a_station_are_understood_however_they_come(
    stack: Stack, tmp_path: Path, station: int, dtmf: Dtmf
) -> None:
    asks = Asks(until=KEYS[-1])
    with (
        Controller(stack.facility_spec.agi_port, asks.scripts) as controller,
        stack.station(tmp_path / "inmate", station, dtmf) as inmate,
    ):
        inmate.dial("1000")
        inmate.wait_for("CALL_ESTABLISHED")
        inmate.press(f"{KEYS}#")
        assert asks.finished.wait(10)
    assert (asks.keyed, controller.faults) == (KEYS, [])


def test_a_key_that_is_stuck_counts_once_at_most_and_the_next_one_is_understood(
    stack: Stack, tmp_path: Path
) -> None:
    asks = Asks(until="5")
    stuck = tmp_path / "stuck.wav"
    write_speech(stuck, key_tones("1", seconds=2) + key_tones("5#"))
    with (
        Controller(stack.facility_spec.agi_port, asks.scripts) as controller,
        stack.station(tmp_path / "inmate", 2, Dtmf.INBAND) as inmate,
    ):
        inmate.dial("1000")
        inmate.wait_for("CALL_ESTABLISHED")
        inmate.say(stuck)
        assert asks.finished.wait(10)
    assert asks.keyed in ("5", "15")
    assert controller.faults == []


@pytest.mark.parametrize("dtmf", [Dtmf.INBAND, Dtmf.INFO])
def test_a_called_party_accepts_by_a_key_however_the_carrier_hands_it_over(
    installation: Installation, tmp_path: Path, dtmf: Dtmf
) -> None:
    story = Story()
    with (
        running(installation, tmp_path, dtmf) as stack,
        Controller(stack.facility_spec.agi_port, story.scripts) as controller,
        stack.station(tmp_path / "inmate") as inmate,
        stack.called(tmp_path / "called") as called,
    ):
        inmate.dial("1000")
        called.wait_for("CALL_ESTABLISHED")
        called.press("1")
        assert story.accepted.wait(5)
        called.hang_up()
        assert story.finished.wait(5)
    assert (story.status[1], controller.faults) == ("ANSWER", [])


def test_the_ways_are_the_same_in_asterisks_files_in_a_facilitys_and_in_the_settings() -> None:
    assert {*map(str, Dtmf)} == {*map(str, policy.Dtmf)} == set(get_args(config.Dtmf))
