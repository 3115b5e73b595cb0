"""Plays a dialogue from a text that reads like the call, with the real scripts, rules and database.

Lines are what somebody hears; `>` lines are keys, `> silence` none, `> hangs up` the receiver put back. Headings tell
who hears: `inmate:` and `called party:`. Between them stands what the telephone network did: `busy`, `no answer`,
`talks 83 s`, `is cut off by the network after 30 s`, `is gone` for a called party who hangs up as they are connected,
or `breaks off` for a fault of ours then.
`switched off now` and the like stand for staff, while it rings.
`record:` at the end tells the call's own record.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent

from sqlalchemy import Connection, select, update

from accounts.db import Database
from ivr.agi import CallerGone
from ivr.call import Call, SessionEnded
from ivr.controls import CalledPartyControls, InmateControls
from ivr.controls.node import Node
from ivr.facility.file import FacilityFile, Sources, parse, read
from ivr.facility.pins import PinKey
from ivr.facility.tables import inmate
from ivr.flows.accept import accept
from ivr.flows.after_call import after_call
from ivr.flows.goodbye import say_goodbye
from ivr.flows.outbound import outbound
from ivr.live import LiveCalls
from ivr.policy.reasons import Outcome, Reason
from ivr.records.states import Leg
from ivr.records.tables import call as call_table
from ivr.staff.changes import do
from ivr.staff.changes import read as read_change
from prompts.catalogue import Catalogue
from prompts.listen import Heard, transcript
from prompts.own import Voice, Voices
from rating.money import Money, format_money
from tests.transcripts.loaded import load_once

VOICES = Voices(Voice(Catalogue.load()))
CATALOGUE = VOICES.common.catalogue
FACILITY = Path(__file__).parents[2] / "examples" / "demonstration.toml"
KEY = PinKey(bytes(32))
NOON = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)  # in Chicago
SPEECH = b"\x10\x90" * 4_000  # a second of loud mu-law
SILENCE = b"\xff" * 8_000
LOG_IN = """
        welcome facility=example-county-jail
        choose_language
        choose_language
        > 1
        enter_id_and_pin
        > 10012468
        enter_number
"""
DIAL_STATUS = {
    "busy": "BUSY",
    "no answer": "NOANSWER",
    "congestion": "CONGESTION",
    "unavailable": "CHANUNAVAIL",
}
CUT_OFF = "is cut off by the network after "
NORMAL_CLEARING, OUT_OF_ORDER = 16, 38  # causes, Q.850

SWITCHED_OFF = {
    "switched off, calls finish": "finish",
    "switched off in a minute": "minute",
    "switched off now": "now",
}


@dataclass(slots=True)
class _Keys:
    value: str


@dataclass(slots=True)
class ScriptedLine:
    """A channel whose person follows a script; what they are played is noted as a transcript."""

    keys: deque[str]
    heard: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    recording: tuple[str, str] | None = None
    _files: list[str] = field(default_factory=list)

    async def answer(self) -> None:
        """Nothing to hear."""

    async def playback(self, files: Sequence[str]) -> None:
        self._play(files)

    async def get_data(self, file: str, timeout_s: float, max_digits: int) -> _Keys:
        self._play([file])
        return _Keys(self._press()[:max_digits])

    async def read(self, files: Sequence[str], max_digits: int, timeout_s: float) -> str:
        self._play(files)
        return self._press()[:max_digits]

    async def record_file(
        self,
        path: str,
        file_format: str,
        escape_digits: str,
        timeout_ms: int,
        *,
        beep: bool,
        silence_s: int | None,
    ) -> object:
        spoken = self._press()
        _write(f"{path}.{file_format}", SPEECH if spoken == "says a name" else SILENCE)
        return None

    async def mix_monitor(self, path: str, options: str) -> None:
        self.recording = (path, options)

    async def stop_mix_monitor(self) -> None:
        self.recording = None

    async def set_variable(self, name: str, value: str) -> None:
        self.variables[name] = value

    async def set_variables(self, values: Mapping[str, str]) -> None:
        self.variables.update(values)

    def _play(self, files: Sequence[str]) -> None:
        clips = [file.split("/ivr/") for file in files if not file.startswith("/")]
        said = [Heard(clip, language, 0.0, 0.0, 1.0, whole=True) for language, clip in clips]
        self.heard.extend(transcript(said, CATALOGUE))

    def _press(self) -> str:
        if not self.keys:
            raise AssertionError(f"the script has no key for {self.heard[-1]}")
        key = self.keys.popleft()
        self.heard.append(f"> {key}")
        if key == "hangs up":
            raise CallerGone
        return "" if key == "silence" else key


class World:
    """A database with the demonstration facility, and a clock that stands until it is moved."""

    def __init__(
        self, database: Database, folder: Path, file: FacilityFile | None = None, at: datetime = NOON
    ) -> None:
        self.at = at
        self.database = database
        ids = (f"{number:032x}" for number in range(1, 10_000))
        self.node = Node(
            database=database,
            now=lambda: self.at,
            pin_key=KEY,
            live=LiveCalls(),
            names=folder,
            recordings=folder,
            new_id=lambda: next(ids),
            version="test",
            carriers={"carrier": "first.example:5060", "carrier-2": "second.example:5060"},
        )
        database.transact_now(load_once, file or demonstration(), KEY, self.at)
        self.record_names()

    def record_names(self, name: bytes | None = SPEECH) -> None:
        """Whether the inmates have recorded their names before."""
        self.database.transact_now(lambda conn: conn.execute(update(inmate).values(recorded_name=name)))

    def switches_off(self, let: str, level: str = "facility", which: str = "example-county-jail") -> None:
        """Staff switch telephones off."""
        asked = read_change(
            "off", {"level": level, "which": which, "let": let, "note": "why", "author": "staff"}
        )
        self.database.transact_now(do, "off", asked, KEY, self.at)

    def plays(self, text: str, station: str = "demo-a1") -> None:
        """Play the text and compare it with what was heard and recorded, line by line."""
        parts = _parts(text)
        played = asyncio.run(_Session(self, station, deque(parts)).run())
        assert played == [line for head, lines in parts for line in (head, *lines)]


def _write(path: str, sound: bytes) -> None:
    Path(path).write_bytes(sound)


def demonstration(*changes: tuple[str, str], agency: str | None = None) -> FacilityFile:
    """The demonstration's facility file, with changes to its text; with an agency's file as of that agency."""
    sources = read(FACILITY)
    texts = {"": sources.text, **sources.beside}
    for old, new in changes:
        assert any(old in text for text in texts.values())
        texts = {name: text.replace(old, new) for name, text in texts.items()}
    if agency is not None:
        named = texts[""].replace("[facility]\n", '[facility]\nagency = "agency.toml"\n', 1)
        texts |= {"": named, "agency.toml": agency}
    return parse(Sources(texts.pop(""), texts), "demonstration")


def _parts(text: str) -> list[tuple[str, list[str]]]:
    """Headings and the lines below each."""
    parts: list[tuple[str, list[str]]] = []
    for line in filter(str.strip, dedent(text).splitlines()):
        if not line.startswith(" "):
            parts.append((line.strip(), []))
        else:
            parts[-1][1].append(line.strip())
    return parts


@dataclass(slots=True)
class _Session:
    world: World
    station: str
    parts: deque[tuple[str, list[str]]]
    played: list[str] = field(default_factory=list)
    controls: InmateControls | None = None

    async def run(self) -> list[str]:
        """Every part in turn; what was heard, done and recorded."""
        line = self._line("inmate:")
        controls = self._controls()
        await self._script(line, outbound(Call(line, VOICES), controls), controls)
        while line.variables.get("VERDICT") == "DIAL":
            call_id = line.variables["CALL_ID"]
            dial_status, note = await self._dialled(call_id)
            if not self.parts or self.parts[0][0] != "inmate:":  # the inmate has gone, too
                ended = self._controls(line, call_id, dial_status, note)
                await ended.close_session(Outcome.CALLER_HUNG_UP)
                break
            controls = self._controls(line, call_id, dial_status, note)
            line = self._line("inmate:")
            await self._script(line, after_call(Call(line, VOICES), controls), controls)
        self._record()
        return self.played

    def _line(self, heading: str) -> ScriptedLine:
        head, lines = self.parts.popleft()
        assert head == heading, f"the call goes on with {heading}, the text with {head}"
        self.played.append(head)
        return ScriptedLine(
            deque(line.removeprefix("> ") for line in lines if line.startswith("> ")), self.played
        )

    def _controls(
        self, line: ScriptedLine | None = None, call_id: str = "", dial_status: str = "", note: str = ""
    ) -> InmateControls:
        session_id = line.variables["SESSION_ID"] if line else ""
        channel = f"PJSIP/{self.station}-1"
        return InmateControls(
            self.world.node, self.station, channel, session_id, call_id, dial_status, note=note
        )

    async def _script(self, line: ScriptedLine, script: object, controls: InmateControls) -> None:
        """What `ivr.runner` does around a script, without its logging."""
        reason: Reason | None = None
        try:
            await script  # type: ignore[misc]
        except SessionEnded as ended:
            reason = ended.reason
            call = Call(line, VOICES)
            await call.say_ending(reason)
            await say_goodbye(call)
        except CallerGone:
            reason = Outcome.CALLER_HUNG_UP
        await controls.close_session(reason)

    async def _dialled(self, call_id: str) -> tuple[str, str]:
        """What the telephone network did: its Dial status, and the dialplan's note of a talk."""
        if self.parts and self.parts[0][0] in SWITCHED_OFF:
            head, _ = self.parts.popleft()
            self.played.append(head)
            self.world.switches_off(SWITCHED_OFF[head])
        if not self.parts or self.parts[0][0] in ("inmate:", "record:"):
            return "CANCEL", ""
        if self.parts[0][0] in DIAL_STATUS:
            head, _ = self.parts.popleft()
            self.played.append(head)
            return DIAL_STATUS[head], ""
        line = self._line("called party:")
        controls = CalledPartyControls(self.world.node, call_id, "PJSIP/carrier-1")
        call = Call(line, VOICES)
        try:
            await accept(call, controls)
        except CallerGone:
            live = self.world.node.live.get(call_id)
            assert live is not None
            live.hangs_up(Leg.CALLED_PARTY)
            await controls.gone(call.language)
        except SessionEnded:
            await call.say("cannot_connect")
        await controls.close()
        if line.variables.get("ACCEPTED") != "yes":
            return "ANSWER", ""
        return "ANSWER", self._talks(call_id)

    def _talks(self, call_id: str) -> str:
        head, _ = self.parts.popleft()
        self.played.append(head)
        if head in ("is gone", "breaks off"):
            live = self.world.node.live.get(call_id)
            assert live is not None
            live.hung_up_first = Leg.CALLED_PARTY if head == "is gone" else None
            return ""
        lost = head.startswith(CUT_OFF)
        seconds = float(head.removeprefix("talks ").removeprefix(CUT_OFF).removesuffix(" s"))
        start = self.world.at
        self.world.at = start + timedelta(seconds=seconds)
        cause = OUT_OF_ORDER if lost else NORMAL_CLEARING
        return f"{start.timestamp():.6f} {self.world.at.timestamp():.6f} {cause}"

    def _record(self) -> None:
        """The records of this session's calls, as the text tells them."""
        while self.parts and self.parts[0][0] == "record:":
            self.parts.popleft()
        for line in self.world.database.read_now(_records):
            self.played.extend(("record:", line))


def _records(conn: Connection) -> list[str]:
    sealed = select(call_table).where(call_table.c.sealed_at.is_not(None))
    rows = conn.execute(sealed.order_by(call_table.c.keyed_at, call_table.c.id)).all()
    return [
        f"{row.reason} {row.payer or 'nobody'} {row.talk_ms / 1000:g} s "
        f"{'1 call' if row.calls_charged else format_money(Money(row.charge))}"
        for row in rows
    ]
