"""Somebody on a telephone, who hears prompts, presses keys and speaks; what they hear is found in the sound itself."""

import time
import wave
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from dialplan.phone import Phone, PhoneEvent
from ivr.demonstration.ear import FOLDERS, Ear
from prompts.catalogue import Segment
from prompts.listen import STEP_S, Heard, read_audio, tone_steps, transcript
from prompts.listen.audio import RATE, Samples
from prompts.speak import Kind, phrases

_LOOK_EVERY_SECONDS = 0.2
_CLOSER_LOOK_SECONDS = 4.0  # after so long the whole listener tries, which also hears what is torn
_VARIABLE_LOOK_SECONDS = 0.5
_OVERLAP = RATE // 2  # looked at again, so that a prompt that follows at once is heard from its beginning
_NEXT_PIECE_SECONDS = 0.6  # by then the next piece of an amount would have begun

Tell = Callable[[str, str], None]


class PartyError(AssertionError):
    """Something that should have been heard was not; the message says what was heard instead."""


class Party:
    """One person in a story. `tell` is told each thing that they hear and do."""

    def __init__(self, name: str, phone: Phone, ear: Ear, tell: Tell | None = None) -> None:
        self.name = name
        self.phone = phone
        self._ear = ear
        self._tell = tell or (lambda _who, _what: None)
        self._sound: Samples = np.zeros(0, np.float32)  # of the running call
        self._attended = 0  # samples of it that were attended to
        self._begun = 0  # samples of it up to the last beginning that was noticed
        self._grew_at = 0.0
        self._placed: dict[Path, list[Heard]] = {}  # the clips of each ended call that was looked through

    def dials(self, keys: str) -> None:
        """Lift the receiver."""
        self._forget()
        self._tell(self.name, "lifts the receiver")
        self.phone.dial(keys)
        self.phone.wait_for("CALL_ESTABLISHED")

    def is_called(self, within: float = 40) -> PhoneEvent:
        """Wait until this telephone is in a call."""
        self._forget()
        event = self.phone.wait_for("CALL_ESTABLISHED", deadline_seconds=within)
        self._tell(self.name, "answers")
        return event

    def rings(self, within: float = 40) -> PhoneEvent:
        """Wait until this telephone rings."""
        self._forget()
        event = self.phone.wait_for("CALL_INCOMING", deadline_seconds=within)
        self._tell(self.name, "rings")
        return event

    def presses(self, keys: str) -> None:
        """Press keys, one after the other."""
        self._tell(self.name, f"presses {keys}")
        self.phone.press(keys)

    def speaks(self, wav: Path, *, repeat: bool = False) -> None:
        """Say something."""
        self._tell(self.name, "speaks")
        self.phone.say(wav, repeat=repeat)

    def is_silent(self) -> None:
        """Stop speaking."""
        self.phone.say(None)

    def hangs_up(self) -> None:
        """Put the receiver back."""
        self._tell(self.name, "hangs up")
        self.phone.hang_up()
        self.phone.wait_for("CALL_CLOSED")

    def is_hung_up_on(self, within: float = 20) -> PhoneEvent:
        """Wait until the other side has ended the call."""
        event = self.phone.wait_for("CALL_CLOSED", deadline_seconds=within)
        self._tell(self.name, "is disconnected")
        return event

    def hears(self, *prompt_ids: str, within: float = 25) -> str:
        """Wait until one of these prompts was said to its end; the line that a transcript has for it.

        Raises PartyError if none was, with what was heard instead.
        """
        line = self._wait_for(prompt_ids, within, beginning=False)
        self._tell(self.name, f"hears “{self.words(line)}”")
        return line

    def begins_to_hear(self, *prompt_ids: str, within: float = 25) -> str:
        """Wait until one of these prompts began; its id. Raises PartyError if none did."""
        prompt_id = self._wait_for(prompt_ids, within, beginning=True)
        self._tell(self.name, f"begins to hear “{self.words(prompt_id)}”")
        return prompt_id

    def hears_tone(self, hertz: float, seconds: float = 0.15, within: float = 15) -> None:
        """Wait until a tone has sounded so long, such as the other's voice. Raises PartyError if none does."""
        deadline = time.monotonic() + within
        while True:
            self._take_in()
            if tone_steps(self._sound[self._attended :], hertz).sum() * STEP_S >= seconds:
                self._tell(self.name, f"hears a tone of {hertz:.0f} Hz")
                self._attended = len(self._sound)
                return
            if time.monotonic() > deadline:
                raise PartyError(f"{self.name} heard no tone of {hertz:.0f} Hz")
            time.sleep(_LOOK_EVERY_SECONDS)

    def transcript(self, call: int = -1) -> list[str]:
        """All that was said to this party in a call that has ended, in order."""
        return self._ear.lines(self.placements(call))

    def sound(self, call: int = -1) -> Samples:
        """All that came in during an ended call, packet after packet, without the pauses between."""
        return read_audio(self.phone.heard[call].stream)

    def placements(self, call: int = -1) -> list[Heard]:
        """Every clip of an ended call in order, with its place in `sound`."""
        stream = self.phone.heard[call].stream
        if stream not in self._placed:
            self._placed[stream] = self._ear.placements(self.sound(call))
        return self._placed[stream]

    def words(self, line: str) -> str:
        """A line of a transcript as the sentence that was spoken."""
        prompt_id, *told = line.removesuffix(" (interrupted)").split(" ")
        prompt = self._ear.catalogue.prompts[prompt_id]
        values = dict(each.split("=", 1) for each in told)
        spoken = {name: self._spoken(kind, values.get(name)) for name, kind in prompt.variables.items()}
        return prompt.text["en"].format_map(spoken)

    def _spoken(self, kind: Kind, value: str | None) -> str:
        """A variable as it was spoken, from the form that it has in a transcript."""
        if value is None:
            return "…"
        match kind:
            case Kind.FACILITY:
                return self._ear.catalogue.prompts[f"facility.{value}"].text["en"].rstrip(".")
            case Kind.CALLS_REMAINING:
                return phrases("en")[f"calls_remaining/{value}"]
            case Kind.MINUTES:
                return f"{value} minutes"
            case Kind.MONEY:
                return f"${value}"
            case _:
                return value

    def _forget(self) -> None:
        self._sound = np.zeros(0, np.float32)
        self._attended = self._begun = 0

    def _wait_for(self, prompt_ids: Sequence[str], within: float, *, beginning: bool) -> str:
        deadline = time.monotonic() + within
        marked = {each: mark for each in prompt_ids if (mark := self._ear.mark(each, beginning=beginning))}
        closer_look = _CLOSER_LOOK_SECONDS if len(marked) == len(prompt_ids) else _VARIABLE_LOOK_SECONDS
        closer_at = time.monotonic() + closer_look
        earliest = searched = max(self._attended, self._begun) if beginning else self._attended
        while True:
            self._take_in()
            for prompt_id, mark in marked.items():
                first = max(earliest, searched - mark.longest)
                if found := mark.find(self._sound[first:]):
                    line = prompt_id if beginning else self._line(prompt_id, first + found[1])
                    self._attended = first + found[0 if beginning else 1]
                    self._begun = first + found[1]
                    return line
            searched = len(self._sound)
            if not beginning and time.monotonic() > closer_at:
                if said := self._said(prompt_ids):
                    line, self._attended = said
                    return line
                closer_at = time.monotonic() + closer_look
            if time.monotonic() > deadline:
                instead = self._ear.transcript(self._sound[max(0, self._attended - _OVERLAP) :])
                raise PartyError(f"{self.name} waited for {' or '.join(prompt_ids)}, but heard {instead}")
            time.sleep(_LOOK_EVERY_SECONDS)

    def _take_in(self) -> None:
        """Take in what the telephone received since the last look."""
        new = np.frombuffer(self.phone.incoming(after=len(self._sound)), "<i2").astype(np.float32) / 32_768
        if len(new):
            self._sound = np.concatenate([self._sound, new])
            self._grew_at = time.monotonic()

    def _line(self, prompt_id: str, end: int) -> str:
        """A prompt that ends there, with what was told in its variables."""
        if not self._ear.catalogue.prompts[prompt_id].variables:
            return prompt_id
        samples = self._sound[max(0, self._attended - _OVERLAP) : end]
        lines = transcript(self._ear.listen_for([prompt_id], samples), self._ear.catalogue)
        return next((line for line in reversed(lines) if line.split(" ")[0] == prompt_id), prompt_id)

    def _said(self, prompt_ids: Sequence[str]) -> tuple[str, int] | None:
        """The first of these prompts that was said to its end after what was attended to, and where that was."""
        start = max(0, self._attended - _OVERLAP)
        attended_s = (self._attended - start) / RATE
        heard = [
            each
            for each in self._ear.listen_for(prompt_ids, self._sound[start:])
            if each.end_s > attended_s + 0.1
        ]
        silent_s = time.monotonic() - self._grew_at
        for count in range(1, len(heard) + 1):
            line = transcript(heard[:count], self._ear.catalogue)[-1]
            end_s = (len(self._sound) - start) / RATE + silent_s
            more_s = heard[count].start_s if count < len(heard) else end_s
            if line.split(" ")[0] in prompt_ids and self._is_over(line, heard[count - 1], more_s):
                return line, start + int(heard[count - 1].end_s * RATE)
        return None

    def _is_over(self, line: str, last: Heard, more_at: float) -> bool:
        """Whether nothing of this prompt can follow its clip `last`: neither a segment nor a piece of a variable."""
        prompt = self._ear.catalogue.prompts[line.split(" ", maxsplit=1)[0]]
        ends_with = prompt.parts[last.language][-1]
        if isinstance(ends_with, Segment):
            return (last.whole and last.clip_id == ends_with.clip_id) or ends_with.clip_id in last.also
        spoken = last.clip_id.startswith((*FOLDERS.get(ends_with.kind, ()), "facility."))
        return spoken and last.whole and more_at - last.end_s > _NEXT_PIECE_SECONDS


def write_tone(path: Path, hertz: float, seconds: float = 1.0) -> Path:
    """A tone as somebody's voice."""
    times = np.arange(int(seconds * RATE)) / RATE
    samples = (0.3 * 32_767 * np.sin(2 * np.pi * hertz * times)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return path
