"""The verbs of a dialogue. One `Call` is one channel: somebody who hears prompts and presses keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

from ivr.policy.reasons import INAUDIBLE, Reason
from ivr.policy.recording import RecordingFile
from ivr.policy.volume import GAIN, Volume
from prompts.own import Voice, Voices

LANGUAGES = ("en", "es")


class SessionEnded(Exception):  # noqa: N818 - unwinds a script; not an error
    """Unwinds a script whose caller is told `ending.<reason>` and can do no more in this session."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def end(reason: Reason) -> NoReturn:
    """The last line of a script that can't go on."""
    raise SessionEnded(reason)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A prompt with its variables; `language` overrides the listener's own."""

    prompt_id: str
    told: dict[str, object] = field(default_factory=dict)
    language: str | None = None


def speech(prompt_id: str, /, *, language: str | None = None, **told: object) -> Spoken:
    """A prompt to be said, with its variables by name."""
    return Spoken(prompt_id, told, language)


class Keys(Protocol):
    """What was keyed in one entry."""

    @property
    def value(self) -> str:
        """The keys, without the # that ended them."""


class Line(Protocol):
    """What a dialogue needs of a channel; `ivr.agi.Session` is the real one. Any method may raise `CallerGone`."""

    async def answer(self) -> None:
        """Pick up."""

    async def playback(self, files: Sequence[str]) -> None:
        """Play files one after another; keys don't cut them."""

    async def get_data(self, file: str, timeout_s: float, max_digits: int) -> Keys:
        """Play one file that a key cuts, then take keys up to # or the time-out; nothing of them is logged."""

    async def read(self, files: Sequence[str], max_digits: int, timeout_s: float) -> str:
        """Play files that a key cuts, then take keys up to #, `max_digits` or the time-out."""

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
        """Beep, then record into `path.file_format` until an escape digit, silence or the time-out."""

    async def mix_monitor(self, path: str, options: str) -> None:
        """Record the channel's two directions."""

    async def stop_mix_monitor(self) -> None:
        """Stop recording the channel."""

    async def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable or function."""

    async def set_variables(self, values: Mapping[str, str]) -> None:
        """Set several channel variables at once."""


@dataclass(slots=True)
class Call:
    """The verbs. `language` is what this listener chose."""

    line: Line
    voices: Voices
    language: str = "en"
    said: list[str] = field(default_factory=list)  # prompts in their order, whether or not a key cut them
    _voice: Voice = field(init=False)

    def __post_init__(self) -> None:
        self._voice = self.voices.common

    def speak_for(self, facility_id: str) -> None:
        """From now on say everything as this facility does."""
        self._voice = self.voices.of(facility_id)

    async def answer(self) -> None:
        """Pick up the telephone."""
        await self.line.answer()

    async def speak(self, language: str) -> None:
        """From now on say everything in this language, Asterisk's own warnings too."""
        self.language = language
        await self.line.set_variable("CHANNEL(language)", language)

    async def speak_at(self, volume: Volume) -> None:
        """From now on speak so loud into this listener's ear, the other person in the talk too."""
        await self.line.set_variable("VOLUME(TX)", str(GAIN[volume]))

    async def say(self, prompt_id: str, /, **told: object) -> None:
        """Say a prompt to its end; keys don't cut it."""
        await self.say_all(Spoken(prompt_id, told))

    async def say_all(self, *spoken: Spoken) -> None:
        """Say several prompts to their end, in one command; keys don't cut them."""
        await self.line.playback(self._files(spoken))

    async def say_ending(self, reason: Reason, told: dict[str, object] | None = None) -> None:
        """Say why the call ended, unless nobody is left to hear it."""
        if reason not in INAUDIBLE:
            await self.say(f"ending.{reason}", **(told or {}))

    async def ask(self, prompt_id: str, /, *, up_to: int, seconds: float = 10) -> str:
        """Ask for several keys in one entry that ends with # or a pause; secret keys are safe here."""
        (file,) = self._files([speech(prompt_id)])
        return (await self.line.get_data(file, seconds, up_to)).value

    async def menu(self, *spoken: Spoken, seconds: float = 6) -> str:
        """Say several prompts that a key cuts; the one key pressed, or "" for none in time."""
        return await self.line.read(self._files(spoken), 1, seconds)

    async def record_name(self, path: str) -> None:
        """Record mu-law into `path`.ulaw: after a beep, up to #, two seconds of silence or eight in all."""
        await self.line.record_file(path, "ulaw", "#", 8_000, beep=True, silence_s=2)

    async def start_recording(self, file: RecordingFile) -> None:
        """Record both sides apart, from the moment they are connected (MixMonitor: b, D)."""
        await self.line.mix_monitor(file, "bD")

    async def stop_recording(self) -> None:
        """End the recording of this channel."""
        await self.line.stop_mix_monitor()

    async def take_time(self, seconds: int) -> None:
        """The dialogue may last so long from now on; then Asterisk ends it whatever the controller does."""
        await self.line.set_variable("TIMEOUT(absolute)", str(seconds))

    async def ring(self, variables: Mapping[str, str]) -> None:
        """Leave the called party's ringing to the dialplan: `VERDICT=DIAL` is set last, and only here."""
        await self.line.set_variables(variables)
        await self.line.set_variable("VERDICT", "DIAL")

    async def finish(self) -> None:
        """Nothing more is to be said: the dialplan hangs up without its own excuse."""
        await self.line.set_variable("VERDICT", "END")

    async def prepare_talk(self, in_talk: Mapping[str, str]) -> None:
        """What the dialplan does in the talk, if the two are connected."""
        if in_talk:
            await self.line.set_variables(in_talk)

    async def connect(self) -> None:
        """Let the dialplan connect the two: the only place that says so."""
        await self.line.set_variable("ACCEPTED", "yes")

    def _files(self, spoken: Sequence[Spoken]) -> list[str]:
        return [file for each in spoken for file in self._files_of(each)]

    def _files_of(self, spoken: Spoken) -> list[str]:
        self.said.append(spoken.prompt_id)
        language = spoken.language or self.language
        return self._voice.files(spoken.prompt_id, language, spoken.told)
