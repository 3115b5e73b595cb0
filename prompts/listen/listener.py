"""Name the prompts in a recording: by the waveform itself, not by recognising speech.

Similar spectra propose where a clip may be (`index`), the sound decides (`track`), and of all placements the
set that explains most of the recording without overlap is what was heard.
"""

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from prompts.listen.audio import RATE, Samples, read_audio, speech_band
from prompts.listen.index import HOP, ROW_HOPS, SPOT_HOPS, Index, read_clips
from prompts.listen.track import Placement, aligned, placed, summed_energy

_LIKELY = 0.4  # how similar the spectra of a spot must be for a closer look
_CANDIDATES = 24  # looked at closer in every tenth of a second
_SECTION = 10 // ROW_HOPS  # rows: a tenth of a second
_ALIGNED = 0.5
_OVERLAP = RATE * 60 // 1000  # neighbours may overlap by this much
_SHORTEST_RECORDING = RATE // 10


@dataclass(frozen=True, slots=True)
class Heard:
    """A clip that a recording holds."""

    clip_id: str
    language: str
    start_s: float
    end_s: float
    score: float  # the share of the clip that was heard, from 0 to 1
    whole: bool  # from its beginning to its end; False when it was cut off
    also: tuple[str, ...] = ()  # other ids with exactly the same audio


@dataclass(frozen=True, slots=True)
class _Guess:
    similar: float
    clip: int
    lag: int
    offset: int  # of the spot in the clip


class Listener:
    """Hears which clips a recording holds; reading the clips takes seconds, so make one and keep it."""

    def __init__(self, folder_by_language: Mapping[str, Path]) -> None:
        self._index = Index.of(tuple(read_clips(folder_by_language)))

    def only(self, ids: Iterable[str]) -> Self:
        """A listener for some clips alone, in every language; an id that ends in "/" is all below it."""
        names = tuple(ids)
        folders = tuple(name for name in names if name.endswith("/"))
        kept = [
            replace(clip, ids=chosen)
            for clip in self._index.clips
            if (chosen := tuple(one for one in clip.ids if one in names or one.startswith(folders)))
        ]
        other = copy(self)
        other._index = Index.of(tuple(kept))
        return other

    def hear(self, recording: Path | Samples, channel: int | None = None) -> list[Heard]:
        """The clips in a recording, in order of time; samples are at 8 kHz, between -1 and 1."""
        samples = read_audio(recording, channel) if isinstance(recording, Path) else recording
        if len(samples) < _SHORTEST_RECORDING or not self._index.clips:
            return []
        best = _most_explaining(self._placements(speech_band(samples)))
        return [self._heard(placement) for placement in best]

    def _heard(self, placement: Placement) -> Heard:
        clip = self._index.clips[placement.clip]
        return Heard(
            clip_id=clip.ids[0],
            language=clip.language,
            start_s=round(placement.start / RATE, 3),
            end_s=round(placement.end / RATE, 3),
            score=round(placement.score, 3),
            whole=placement.whole,
            also=clip.ids[1:],
        )

    def _placements(self, recording: Samples) -> list[Placement]:
        """Every plausible placement, looked for from the likeliest guess on, where nothing is certain yet."""
        explained = np.zeros(len(recording) // HOP + 1, np.bool_)
        energy = summed_energy(recording)
        tried: dict[int, list[int]] = {}
        found = []
        for guess in sorted(self._guesses(recording), key=lambda one: -one.similar):
            clip = self._index.clips[guess.clip]
            middle = guess.lag + guess.offset + HOP * SPOT_HOPS // 2
            if explained[min(max(middle // HOP, 0), len(explained) - 1)]:
                continue
            similar, lag = aligned(clip, recording, energy, guess.lag, guess.offset)
            lags = tried.setdefault(guess.clip, [])
            if similar < _ALIGNED or any(abs(lag - other) < HOP // 2 for other in lags):
                continue
            lags.append(lag)
            placement = placed(guess.clip, clip, recording, lag)
            if placement is None or placement.value <= 0 or not placement.plausible:
                continue
            found.append(placement)
            if placement.certain:
                explained[max(0, placement.start) // HOP : placement.end // HOP + 1] = True
        return found

    def _guesses(self, recording: Samples) -> Iterator[_Guess]:
        """The likeliest spots in every tenth of a second."""
        index = self._index
        rows = index.described(recording)
        for first in range(0, len(rows), _SECTION * 64):
            similar = rows[first : first + _SECTION * 64] @ index.spots.T
            for start in range(0, len(similar), _SECTION):
                section = similar[start : start + _SECTION]
                best = section.max(axis=0)
                likely = np.flatnonzero(best >= _LIKELY)
                if len(likely) > _CANDIDATES:
                    likely = likely[np.argpartition(-best[likely], _CANDIDATES - 1)[:_CANDIDATES]]
                hops = ROW_HOPS * (first + start + section[:, likely].argmax(axis=0))
                for spot, hop in zip(likely.tolist(), hops.tolist(), strict=True):
                    offset = int(index.spot_hop[spot])
                    lag = (hop - offset) * HOP
                    yield _Guess(float(best[spot]), int(index.spot_clip[spot]), lag, offset * HOP)


def _most_explaining(placements: list[Placement]) -> list[Placement]:
    """The placements without overlap that explain most of a recording: weighted interval scheduling."""
    placements = sorted(placements, key=lambda one: one.end)
    ends = [one.end for one in placements]
    totals, before = [0.0], []
    for number, placement in enumerate(placements):
        fits = int(np.searchsorted(ends[:number], placement.start + _OVERLAP, side="right"))
        before.append(fits)
        totals.append(max(totals[fits] + placement.value, totals[number]))
    chosen: list[Placement] = []
    number = len(placements)
    while number:
        if totals[number] > totals[number - 1]:
            chosen.append(placements[number - 1])
            number = before[number - 1]
        else:
            number -= 1
    return chosen[::-1]
