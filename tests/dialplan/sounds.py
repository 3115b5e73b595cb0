"""Tones to say, and how much of a tone a recording holds."""

import wave
from pathlib import Path

import numpy as np

RATE = 8000


def write_tone(path: Path, hertz: float, seconds: float = 1.0) -> Path:
    """A pure tone; whole periods in each second, so that it can be repeated without a click."""
    times = np.arange(int(RATE * seconds)) / RATE
    samples = (8000 * np.sin(2 * np.pi * hertz * times)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return path


def samples_of(path: Path) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)


def seconds_of_tone(path: Path, hertz: float) -> float:
    """For how long the recording is mainly this tone, in steps of a tenth of a second."""
    step = RATE // 10
    samples = samples_of(path)
    wave_of_tone = np.exp(-2j * np.pi * hertz * np.arange(step) / RATE)
    pieces = samples[: len(samples) // step * step].reshape(-1, step)
    power = (pieces**2).mean(axis=1)
    tone_power = 2 * np.abs(pieces @ wave_of_tone / step) ** 2
    return float(((power > 10_000) & (tone_power > 0.5 * power)).sum() / 10)


def seconds_of_sound(path: Path) -> float:
    """For how long anything is heard, in steps of a tenth of a second."""
    step = RATE // 10
    samples = samples_of(path)
    pieces = samples[: len(samples) // step * step].reshape(-1, step)
    return float(((pieces**2).mean(axis=1) > 10_000).sum() / 10)
