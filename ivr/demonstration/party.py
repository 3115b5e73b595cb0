"""Somebody on a telephone, who hears prompts, presses keys and speaks; what they hear is found in the sound itself."""

import threading
import time
import wave
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from dialplan.phone import Phone, PhoneEvent
from prompts.catalogue import Catalogue, Segment
from prompts.listen import Heard, Listener, transcript
from prompts.speak import Kind

SAMPLES_A_SECOND = 8_000
_HEADER_BYTES = 44
_LOOK_EVERY_SECONDS = 0.25
_OVERLAP_SECONDS = 0.5  # looked at again, so that a prompt that follows at once is heard from its beginning
_NEXT_PIECE_SECONDS = 0.6  # by then the next piece of an amount would have begun
#: Where the clips of a variable are.
_FOLDERS = {
    Kind.MONEY: ("money/",),
    Kind.MINUTES: ("minutes/", "hours/"),
    Kind.CALLS_REMAINING: ("calls_remaining/",),
    Kind.DATE: ("date/",),
    Kind.DIGITS: ("digits/",),
}

Tell = Callable[[str, str], None]


class PartyError(AssertionError):
    """Something that should have been heard was not; the message says what was heard instead."""


class Ear:
    """Knows the sound of every prompt; one for all parties, since learning them takes seconds."""

    def __init__(self, audio: Path, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._all = Listener({language: audio / language for language in ("en", "es")})
        self._some: dict[frozenset[str], Listener] = {}
        self._lock = threading.Lock()

    def transcript(self, samples: np.ndarray) -> list[str]:
        """Everything that was said, in order."""
        return transcript(self._all.hear(samples), self.catalogue)

    def placements(self, samples: np.ndarray) -> list[Heard]:
        """Every clip with its times."""
        return self._all.hear(samples)

    def listen_for(self, prompt_ids: Iterable[str], samples: np.ndarray) -> list[Heard]:
        """The clips of some prompts only: fast enough to follow a call."""
        return self._listener(frozenset(prompt_ids)).hear(samples)

    def _listener(self, prompt_ids: frozenset[str]) -> Listener:
        with self._lock:
            if prompt_ids not in self._some:
                self._some[prompt_ids] = self._all.only(self._clips_of(prompt_ids))
            return self._some[prompt_ids]

    def _clips_of(self, prompt_ids: Iterable[str]) -> set[str]:
        clips: set[str] = set()
        for prompt_id in prompt_ids:
            prompt = self.catalogue.prompts[prompt_id]
            clips.update(part.clip_id for _, part in prompt.segments)
            for kind in prompt.variables.values():
                clips.update(_FOLDERS.get(kind, ()))
                if kind is Kind.FACILITY:
                    clips.update(each for each in self.catalogue.prompts if each.startswith("facility."))
        return clips


class Party:
    """One person in a story. `tell` is told each thing that they hear and do."""

    def __init__(self, name: str, phone: Phone, ear: Ear, tell: Tell | None = None) -> None:
        self.name = name
        self.phone = phone
        self._ear = ear
        self._tell = tell or (lambda _who, _what: None)
        self._heard_until = 0.0  # seconds of the running call that were attended to

    def dials(self, keys: str) -> None:
        """Lift the receiver."""
        self._heard_until = 0.0
        self._tell(self.name, "lifts the receiver")
        self.phone.dial(keys)
        self.phone.wait_for("CALL_ESTABLISHED")

    def is_called(self, within: float = 40) -> PhoneEvent:
        """Wait until this telephone is in a call."""
        self._heard_until = 0.0
        event = self.phone.wait_for("CALL_ESTABLISHED", deadline_seconds=within)
        self._tell(self.name, "answers")
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
        deadline = time.monotonic() + within
        while True:
            samples = self._running_call()
            start = max(0, int((self._heard_until - _OVERLAP_SECONDS) * SAMPLES_A_SECOND))
            if said := self._said(prompt_ids, samples[start:], self._heard_until - start / SAMPLES_A_SECOND):
                line, end = said
                self._heard_until = start / SAMPLES_A_SECOND + end
                self._tell(self.name, f"hears “{self.words(line)}”")
                return line
            if time.monotonic() > deadline:
                instead = self._ear.transcript(samples[start:])
                raise PartyError(f"{self.name} waited for {' or '.join(prompt_ids)}, but heard {instead}")
            time.sleep(_LOOK_EVERY_SECONDS)

    def transcript(self, call: int = -1) -> list[str]:
        """All that was said to this party in a call that has ended, in order."""
        return self._ear.transcript(self.recording(call))

    def placements(self, call: int = -1) -> list[Heard]:
        """Every clip of an ended call with its times."""
        return self._ear.placements(self.recording(call))

    def recording(self, call: int = -1) -> np.ndarray:
        """What this telephone received in an ended call: 8,000 samples a second, from -1 to 1."""
        return _samples(self.phone.heard[call].path)

    def words(self, line: str) -> str:
        """A line of a transcript as the sentence that was spoken."""
        prompt_id, *told = line.removesuffix(" (interrupted)").split(" ")
        prompt = self._ear.catalogue.prompts[prompt_id]
        values = dict(each.split("=", 1) for each in told)
        return prompt.text["en"].format_map(
            {name: self._spoken(values.get(name, "…")) for name in prompt.variables}
        )

    def _spoken(self, value: str) -> str:
        facility = self._ear.catalogue.prompts.get(f"facility.{value}")
        return facility.text["en"].rstrip(".") if facility else value

    def _said(self, prompt_ids: Sequence[str], samples: np.ndarray, attended_s: float) -> tuple[str, float] | None:
        """The first of these prompts that was said to its end after what was attended to, and when that was."""
        heard = [each for each in self._ear.listen_for(prompt_ids, samples) if each.end_s > attended_s + 0.1]
        for count in range(1, len(heard) + 1):
            line = transcript(heard[:count], self._ear.catalogue)[-1]
            more = heard[count].start_s if count < len(heard) else len(samples) / SAMPLES_A_SECOND
            if line.split(" ")[0] in prompt_ids and self._is_over(line, heard[count - 1], more):
                return line, heard[count - 1].end_s
        return None

    def _is_over(self, line: str, last: Heard, more_at: float) -> bool:
        """Whether nothing of this prompt can follow its clip `last`: neither a segment nor a piece of a variable."""
        prompt = self._ear.catalogue.prompts[line.split(" ", maxsplit=1)[0]]
        ends_with = prompt.parts[last.language][-1]
        if isinstance(ends_with, Segment):
            return (last.whole and last.clip_id == ends_with.clip_id) or ends_with.clip_id in last.also
        spoken = last.clip_id.startswith((*_FOLDERS.get(ends_with.kind, ()), "facility."))
        return spoken and last.whole and more_at - last.end_s > _NEXT_PIECE_SECONDS

    def _running_call(self) -> np.ndarray:
        path = self.phone.folder / "heard.wav"
        return _samples(path) if path.exists() else np.zeros(0, np.float32)


def _samples(path: Path) -> np.ndarray:
    """The sound of a mono wav, the part of it that is written so far too."""
    data = path.read_bytes()[_HEADER_BYTES:]
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / 32_768


def write_tone(path: Path, hertz: float, seconds: float = 1.0) -> Path:
    """A tone as somebody's voice."""
    times = np.arange(int(seconds * SAMPLES_A_SECOND)) / SAMPLES_A_SECOND
    samples = (0.3 * 32_767 * np.sin(2 * np.pi * hertz * times)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLES_A_SECOND)
        file.writeframes(samples.tobytes())
    return path
