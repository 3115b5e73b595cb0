"""Recordings as a telephone would make them, put together from the committed clips."""

import wave
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from prompts.clips import AUDIO
from prompts.listen.audio import RATE, Samples, read_audio

FOLDERS = {language: AUDIO / language for language in ("en", "es")}
_LEVELS = np.sort(np.unique([sign * (((33 + 2 * step) << segment) - 33) for sign in (-1, 1)
                             for segment in range(8) for step in range(16)])) * 4 / 32768  # fmt: skip


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def tone(hz: float, seconds: float, level: float = 0.1) -> Samples:
    times = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(level * np.sin(2 * np.pi * hz * times), np.float32)


def played(language: str, clips: Iterable[str], gap_s: float = 0.05) -> Samples:
    """The clips one after the other, after a silence that is no whole number of packets."""
    parts = [silence(0.7123)]
    for clip in clips:
        parts += [read_audio(FOLDERS[language] / f"{clip}.wav"), silence(gap_s)]
    return np.concatenate([*parts, silence(0.3)])


def through_mulaw(samples: Samples) -> Samples:
    """What is left after coding as in ITU-T G.711 mu-law."""
    above = np.clip(np.searchsorted(_LEVELS, samples), 1, len(_LEVELS) - 1)
    nearer_below = samples - _LEVELS[above - 1] < _LEVELS[above] - samples
    return np.where(nearer_below, _LEVELS[above - 1], _LEVELS[above]).astype(np.float32)


def with_packet_loss(samples: Samples, share: float, seed: int) -> Samples:
    """With a share of its 20 ms packets silent."""
    arrived = np.random.default_rng(seed).random(len(samples) // 160 + 1) >= share
    return (samples * np.repeat(arrived, 160)[: len(samples)]).astype(np.float32)


def with_noise(samples: Samples, dbfs: float, seed: int) -> Samples:
    noise = np.random.default_rng(seed).normal(0, 10 ** (dbfs / 20), len(samples))
    return (samples + noise).astype(np.float32)


def write_recording(path: Path, channels: Sequence[Samples], rate: int = RATE) -> Path:
    """A 16-bit wav file with one or more channels."""
    frames = np.round(np.stack(channels, axis=1) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(frames.tobytes())
    return path
