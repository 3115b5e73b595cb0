"""Knows the sound of every prompt: follows a call cheaply while it runs, and tells a whole one afterwards."""

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prompts.catalogue import Catalogue, Segment
from prompts.listen import Heard, Listener, read_audio, transcript
from prompts.listen.audio import RATE, Samples
from prompts.speak import Kind

Spectrum = NDArray[np.complexfloating]
Correlation = NDArray[np.floating]

_ALIKE = 0.6  # the correlation from which a sound is the one that is waited for; others reach 0.3
_LEAST_POWER = 0.1  # of the sound that is waited for: what is weaker is not compared
_BEGINNING = RATE * 3 // 2  # of a prompt: as much as a transcript needs to name it
_INAUDIBLE = 0.01
#: Where the clips of a variable are.
FOLDERS = {
    Kind.MONEY: ("money/",),
    Kind.MINUTES: ("minutes/", "hours/"),
    Kind.CALLS_REMAINING: ("calls_remaining/",),
    Kind.CALLS: ("calls/",),
    Kind.DATE: ("date/",),
    Kind.FULL_DATE: ("date/",),
    Kind.DIGITS: ("digits/",),
}


class Mark:
    """The sound of one clip in every language, noticed by correlation: some milliseconds for seconds of a call."""

    def __init__(self, sounds: Iterable[Samples]) -> None:
        self._sounds = [_without_edges(each) for each in sounds]
        self.longest = max(len(each) for each in self._sounds)
        self._spectra: tuple[int, list[Spectrum]] = (
            0,
            [],
        )  # of the sounds, for the size that was last asked for

    def find(self, samples: Samples) -> tuple[int, int] | None:
        """Where the sound is, the first time: its first sample and the one after its last."""
        size = 1 << max(0, len(samples) - 1).bit_length()
        kept, spectra = self._spectra
        if kept != size:
            spectra = [np.conj(np.fft.rfft(each, size)) for each in self._sounds]
            self._spectra = (size, spectra)
        there = np.fft.rfft(samples, size)
        energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
        places = []
        for sound, spectrum in zip(self._sounds, spectra, strict=True):
            count = len(samples) - len(sound) + 1
            if count > 0:
                products = np.fft.irfft(there * spectrum, size)[:count]
                if (start := _most_alike(sound, products, energy)) is not None:
                    places.append((start, start + len(sound)))
        return min(places, default=None)


class Ear:
    """One for all who listen, since learning the prompts takes seconds."""

    def __init__(self, audio: Path, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._audio = audio
        self._all = Listener({language: audio / language for language in ("en", "es")})
        self._some: dict[frozenset[str], Listener] = {}
        self._marks: dict[tuple[str, bool], Mark | None] = {}
        self._lock = threading.Lock()

    def transcript(self, samples: Samples) -> list[str]:
        """Everything that was said, in order."""
        return self.lines(self.placements(samples))

    def lines(self, heard: Sequence[Heard]) -> list[str]:
        """Clips that were heard, as a transcript has them."""
        return transcript(heard, self.catalogue)

    def placements(self, samples: Samples) -> list[Heard]:
        """Every clip with its times."""
        return self._all.hear(samples)

    def listen_for(self, prompt_ids: Iterable[str], samples: Samples) -> list[Heard]:
        """The clips of some prompts only."""
        return self._listener(frozenset(prompt_ids)).hear(samples)

    def mark(self, prompt_id: str, *, beginning: bool = False) -> Mark | None:
        """The end of a prompt, or how it begins; None where a variable stands there."""
        with self._lock:
            key = (prompt_id, beginning)
            if key not in self._marks:
                self._marks[key] = self._mark(prompt_id, beginning)
            return self._marks[key]

    def _mark(self, prompt_id: str, beginning: bool) -> Mark | None:
        sounds = []
        for language, parts in self.catalogue.prompts[prompt_id].parts.items():
            part = parts[0] if beginning else parts[-1]
            if not isinstance(part, Segment):
                return None
            sounds.append(_without_edges(read_audio(self._audio / language / f"{part.clip_id}.wav")))
        return Mark([each[:_BEGINNING] for each in sounds] if beginning else sounds)

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
                clips.update(FOLDERS.get(kind, ()))
                if kind is Kind.FACILITY:
                    clips.update(each for each in self.catalogue.prompts if each.startswith("facility."))
        return clips


def _most_alike(sound: Samples, products: Correlation, energy: Correlation) -> int | None:
    """Where a recording is most like a sound, if it is alike at all; `energy` is the recording's up to each sample."""
    own = float(sound @ sound)
    power = np.maximum(energy[len(sound) :] - energy[: -len(sound)], _LEAST_POWER * own)
    alike = products / np.sqrt(power * own)
    best = int(alike.argmax())
    return best if alike[best] > _ALIKE else None


def _without_edges(sound: Samples) -> Samples:
    """The sound from its first audible sample to its last."""
    audible = np.flatnonzero(np.abs(sound) > _INAUDIBLE)
    return sound[audible[0] : audible[-1] + 1] if len(audible) else sound
