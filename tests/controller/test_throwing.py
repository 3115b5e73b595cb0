"""`ivr off`, `ivr on` and `ivr switches`, whatever still runs: controller, database and Asterisk, or some of them."""

import json
from collections.abc import Mapping

import pytest

from ivr import throwing
from ivr.ami import AmiDown
from ivr.policy.switching import Way
from tests.controller.conftest import Ivr
from tests.transcripts.play import FACILITY


class Board:
    """A switchboard that only notes what it is asked for."""

    def __init__(self, *channels: Mapping[str, str], down: bool = False) -> None:
        self.done: list[tuple[str, ...]] = []
        self._channels = channels
        self._down = down

    def close(self, key: str, value: str) -> None:
        if self._down:
            raise AmiDown("no connection")
        self.done.append(("close", key, value))

    def keys(self) -> dict[str, str]:
        return {"station/demo-a1": "1", "station/x": "by hand"}

    def reopen(self, key: str) -> None:
        self.done.append(("reopen", key))

    def channels(self) -> list[Mapping[str, str]]:
        return list(self._channels)

    def announce(self, channel: str, language: str) -> None:
        self.done.append(("announce", channel, language))

    def say_farewell(
        self, inmate: str, called: str, prompt: str, *, called_prompt: str | None = None
    ) -> None:
        self.done.append(("farewell", inmate, called, prompt))

    def hang_up(self, channel: str) -> None:
        self.done.append(("hang up", channel))


def leg(channel: str, call_id: str, bridge: str = "b") -> dict[str, str]:
    return {"Channel": channel, "AccountCode": call_id, "BridgeId": bridge}


TALK, RINGING, OTHER = "a" * 32, "b" * 32, "c" * 32
CHANNELS = (
    leg("PJSIP/demo-a1-1", TALK),
    leg("PJSIP/carrier-2", TALK),
    leg("PJSIP/demo-a1-3", RINGING, ""),
    leg("PJSIP/carrier-4", RINGING, ""),
    leg("PJSIP/demo-a2-5", OTHER),
    leg("PJSIP/carrier-6", OTHER),
    leg("PJSIP/demo-a2-7", ""),
)
FAREWELL = ("farewell", "PJSIP/demo-a1-1", "PJSIP/carrier-2", "ended.switched_off")


@pytest.fixture
def loaded(ivr: Ivr, on_database: str) -> Ivr:
    """The command, on a database with the demonstration's facility."""
    assert ivr("load", str(FACILITY)).status == 0
    return ivr


def test_switches_are_listed_for_people_and_programs(loaded: Ivr, monkeypatch: pytest.MonkeyPatch) -> None:
    board = Board()
    monkeypatch.setattr(throwing, "_board", lambda _: board)
    for nothing in ("switches", "off"):
        assert loaded(nothing).out == "Nothing is switched off.\n"
    said = loaded("off", "station", "demo-a1", "--note", "a fight in the day room", "--let", "now")
    assert (said.status, said.err) == (0, "")
    assert "station demo-a1 is off; calls in progress end now" in said.out
    assert [each[:2] for each in board.done] == [("close", "station/demo-a1")]
    listed = loaded("switches").out
    assert max(map(len, listed.splitlines())) <= 80
    assert "station demo-a1" in listed
    assert "a fight in the day room" in listed
    assert (loaded("off").status, loaded("off").out) == (0, listed)
    (told,) = map(json.loads, loaded("switches", "--json").out.splitlines())
    assert (told["scope"], told["let"], told["note"]) == ("station demo-a1", "now", "a fight in the day room")
    assert "station demo-a1 is on again" in loaded("on", "station", "demo-a1", "--note", "quiet again").out
    assert board.done[1:] == [("reopen", "station/demo-a1")]
    assert loaded("switches").out == "Nothing is switched off.\n"


@pytest.mark.parametrize("way", Way)
def test_without_controller_and_database_asterisk_alone_closes_and_ends(
    ivr: Ivr, monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    """The database was never made, so it can't be reached."""
    board, waited = Board(*CHANNELS), list[float]()
    monkeypatch.setattr(throwing, "_board", lambda _: board)
    monkeypatch.setattr("ivr.cli.switching._wait", waited.append)
    said = ivr("off", "station", "demo-a1", "--note", "a fight", "--let", way)
    assert said.status == 0
    assert "the database was not reached" in said.out
    (closed, *ended) = board.done
    assert closed[:2] == ("close", "station/demo-a1")
    assert closed[2].endswith(": a fight")
    told = [("announce", "PJSIP/demo-a1-1", "en"), ("announce", "PJSIP/carrier-2", "en")]
    rings = ("hang up", "PJSIP/carrier-4")
    assert ended == {Way.FINISH: [], Way.MINUTE: [*told, rings, FAREWELL], Way.NOW: [FAREWELL, rings]}[way]
    assert waited == ([60.0] if way is Way.MINUTE else [])


def test_without_the_database_everything_wider_closes_all(ivr: Ivr, monkeypatch: pytest.MonkeyPatch) -> None:
    board = Board(*CHANNELS)
    monkeypatch.setattr(throwing, "_board", lambda _: board)
    ivr("off", "unit", "unit-a", "--note", "a fight", "--let", "now")
    assert board.done[0][:2] == ("close", "all")
    assert ("farewell", "PJSIP/demo-a2-5", "PJSIP/carrier-6", "ended.switched_off") in board.done


def test_without_asterisk_the_database_alone_is_changed(loaded: Ivr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throwing, "_board", lambda _: Board(down=True))
    said = loaded("off", "station", "demo-a1", "--note", "a fight", "--let", "now")
    assert "Asterisk was not reached" in said.out
    assert "station demo-a1" in loaded("switches").out
