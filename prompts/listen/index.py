"""The clips that are listened for, prepared once: their sound in blocks, and a few distinct spots of each.

A spot is a stretch of 320 ms, described by its spectrum over time. Where a recording has a similar stretch,
the clip may have been played; `prompts.listen.track` then looks at the sound itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from prompts.listen.audio import RATE, Samples, read_audio, speech_band

BLOCK = RATE // 20  # 50 ms
HOP = RATE // 100  # 10 ms between two spectra
SPOT_HOPS = 32
ROW_HOPS = 2  # between two stretches of a recording that are compared with the spots

_FRAME = 256
_BANDS = 16
_SHORTEST = 2 * BLOCK
_FLOOR = 10**-3.0  # of a loud moment: what is weaker is as good as silent
_SILENT_BLOCK = 10**-3.0  # of the loudest block
_SPOTS_APART_HOPS = 64

Spectra = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class IndexedClip:
    """One clip without the silence around it, cut into blocks of 50 ms."""

    language: str
    ids: tuple[str, ...]  # more than one when files hold the same audio
    sound: Samples
    blocks: NDArray[np.float32] = field(init=False)
    energy: NDArray[np.float32] = field(init=False)
    weight: NDArray[np.float32] = field(init=False)  # of each block in a score; none for silent ones

    def __post_init__(self) -> None:
        count = -(-len(self.sound) // BLOCK)
        padded = np.zeros(count * BLOCK, np.float32)
        padded[: len(self.sound)] = self.sound
        blocks = padded.reshape(count, BLOCK)
        energy = (blocks**2).sum(axis=1)
        weight = np.where(energy > energy.max() * _SILENT_BLOCK, np.sqrt(energy), 0)
        for name, value in (("blocks", blocks), ("energy", energy), ("weight", weight)):
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True)
class Index:
    """All clips that are listened for, and all their spots in one matrix."""

    clips: tuple[IndexedClip, ...]
    spot_clip: NDArray[np.intp]  # which clip each spot is of
    spot_hop: NDArray[np.intp]  # where in that clip it is
    spots: Spectra  # one row each, of length 1
    mean_spectrum: Spectra  # of the voices, which says nothing about what they say

    @classmethod
    def of(cls, clips: tuple[IndexedClip, ...]) -> Self:
        """Find the spots of some clips."""
        spectra = [_spectra(clip.sound) for clip in clips]
        mean = np.concatenate(spectra).mean(axis=0) if spectra else np.zeros(_BANDS, np.float32)
        hops = [_spot_hops(one) for one in spectra]
        rows = [_spot(one - mean, hop) for one, places in zip(spectra, hops, strict=True) for hop in places]
        return cls(
            clips=clips,
            spot_clip=np.repeat(np.arange(len(clips)), [len(places) for places in hops]),
            spot_hop=np.array([hop for places in hops for hop in places], np.intp),
            spots=np.stack(rows) if rows else np.zeros((0, SPOT_HOPS * _BANDS), np.float32),
            mean_spectrum=mean,
        )

    def described(self, recording: Samples) -> Spectra:
        """Every stretch of a recording in the terms of the spots: one row for each 20 ms, of length 1."""
        spectra = np.pad(_spectra(recording) - self.mean_spectrum, ((0, SPOT_HOPS - 1), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(spectra, SPOT_HOPS, axis=0)[::ROW_HOPS]
        return _unit(np.ascontiguousarray(windows.transpose(0, 2, 1)).reshape(len(windows), -1))


def read_clips(folders: Mapping[str, Path]) -> Iterator[IndexedClip]:
    """The clips below the folder of each language; files of the same audio are one clip with all their ids."""
    for language, folder in folders.items():
        same: dict[bytes, list[str]] = {}
        for path in sorted(folder.rglob("*.wav")):
            sound = _trimmed(speech_band(read_audio(path)))
            if len(sound) >= _SHORTEST:
                same.setdefault(sound.tobytes(), []).append(
                    path.relative_to(folder).with_suffix("").as_posix()
                )
        for sound_bytes, ids in same.items():
            yield IndexedClip(language, tuple(ids), np.frombuffer(sound_bytes, np.float32))


def _trimmed(samples: Samples) -> Samples:
    """Without what lies 40 dB below the loudest 10 ms at either end."""
    count = len(samples) // HOP
    rms = np.sqrt((samples[: count * HOP].reshape(count, HOP) ** 2).mean(axis=1))
    if not count or rms.max() < 10 ** (-55 / 20):
        return samples[:0]
    heard = np.flatnonzero(rms > rms.max() * 10 ** (-40 / 20))
    return samples[heard[0] * HOP : (heard[-1] + 1) * HOP]


def _spectra(samples: Samples) -> Spectra:
    """The power in 16 bands every 10 ms, in nepers above a floor that follows the loudness of the whole."""
    count = max(1, len(samples) // HOP)
    padded = np.zeros((count - 1) * HOP + _FRAME, np.float32)
    padded[: min(len(samples), len(padded))] = samples[: len(padded)]
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(_FRAME).astype(np.float32), axis=1)) ** 2
    bands: Spectra = power.astype(np.float32) @ _BAND_SHAPES
    total = bands.sum(axis=1)
    loud = np.percentile(total[total > total.max() * _FLOOR], 80) if total.any() else 1.0
    return np.asarray(np.log(bands / (loud / _BANDS) + _FLOOR * _BANDS), np.float32)


def _spot_hops(spectra: Spectra) -> list[int]:
    """The loudest spot of every 640 ms, and of what is left at the end."""
    last = len(spectra) - SPOT_HOPS
    if last <= 0:
        return [0]
    sums = np.concatenate([[0.0], np.cumsum(spectra.sum(axis=1), dtype=np.float64)])
    loud = sums[SPOT_HOPS:] - sums[:-SPOT_HOPS]
    return [
        start + int(np.argmax(loud[start : start + _SPOTS_APART_HOPS]))
        for start in range(0, last + 1, _SPOTS_APART_HOPS)
    ]


def _spot(spectra: Spectra, hop: int) -> Spectra:
    spot = np.zeros((SPOT_HOPS, _BANDS), np.float32)
    there = spectra[hop : hop + SPOT_HOPS]
    spot[: len(there)] = there
    return _unit(spot.reshape(1, -1)).reshape(-1)


def _unit(rows: Spectra) -> Spectra:
    """Rows without their mean, which is the loudness, and of length 1, so that a product is a correlation."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6))


def _band_shapes() -> Spectra:
    """Triangles evenly spread on the mel scale from 250 to 3600 Hz."""
    mel = np.linspace(_mel(250), _mel(3600), _BANDS + 2)
    centres = 700 * (10 ** (mel / 2595) - 1)
    hertz = np.fft.rfftfreq(_FRAME, 1 / RATE)[:, None]
    rising = (hertz - centres[:-2]) / (centres[1:-1] - centres[:-2])
    falling = (centres[2:] - hertz) / (centres[2:] - centres[1:-1])
    return np.clip(np.minimum(rising, falling), 0, None).astype(np.float32)


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


_BAND_SHAPES = _band_shapes()
