"""Recordings as samples at 8 kHz, how loud they are over time, and where a tone sounds."""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

RATE = 8000
STEP_S = 0.05  # one value of loudness or tone
SILENCE_DBFS = -100.0

_STEP = round(RATE * STEP_S)
_PCM, _FLOAT, _ALAW, _MULAW = 1, 3, 6, 7  # format tags of RIFF WAVE; 0xFFFE (extensible) is read as PCM


def read_audio(path: Path, channel: int | None = None) -> Samples:
    """The samples of a recording at 8 kHz, between -1 and 1: one channel of it, or all of them mixed.

    Reads .wav of any rate (16-bit, mu-law, A-law or float) and headerless .ulaw, .sln and .raw (8 kHz mono).
    A file whose header tells a wrong length, as a recorder that was killed leaves it, is read to its end.
    Raises ValueError for another kind of file.
    """
    content = path.read_bytes()
    match path.suffix.lower():
        case ".wav":
            frames, rate = _wave(content)
        case ".ulaw":
            frames, rate = _decoded(content, _MULAW).reshape(-1, 1), RATE
        case ".sln" | ".raw":
            frames, rate = _decoded(content, _PCM).reshape(-1, 1), RATE
        case other:
            raise ValueError(f"{path}: {other} is not a kind of recording that is read here")
    samples = frames.mean(axis=1) if channel is None else frames[:, channel]
    return resampled(samples.astype(np.float32), rate)


def loudness(recording: Path | Samples, channel: int | None = None) -> NDArray[np.float64]:
    """The RMS level in dBFS of every 50 ms of a recording; -100 where there is nothing at all."""
    power = (_steps(_samples(recording, channel)) ** 2).mean(axis=1)
    return np.asarray(10 * np.log10(np.maximum(power, 10 ** (SILENCE_DBFS / 10))))


def tone_steps(recording: Path | Samples, hz: float, channel: int | None = None) -> NDArray[np.bool_]:
    """For every 50 ms of a recording, whether a tone of this frequency (within 10 Hz) sounds in it.

    It sounds where it has a quarter of the power, so two tones at once are both found, and is above -50 dBFS.
    """
    steps = _steps(_samples(recording, channel))
    window = np.hanning(_STEP)
    wave = window * np.exp(-2j * np.pi * hz / RATE * np.arange(_STEP))
    tone = 2 * np.abs(steps @ wave) ** 2 / window.sum() ** 2
    power = (steps**2).mean(axis=1)
    return np.asarray((tone > 0.25 * power) & (tone > 10**-5.0))


def tone_share(recording: Path | Samples, hz: float, channel: int | None = None) -> float:
    """The share of the time of a recording, from 0 to 1, in which a tone of this frequency sounds."""
    steps = tone_steps(recording, hz, channel)
    return float(steps.mean()) if len(steps) else 0.0


def speech_band(samples: Samples) -> Samples:
    """Only what every telephone carries of a voice: 250 to 3600 Hz."""
    if not len(samples):
        return samples
    length = _quick_length(len(samples) + RATE // 10)
    hertz = np.fft.rfftfreq(length, 1 / RATE)
    shape = np.clip((hertz - 200) / 100, 0, 1) * np.clip((3700 - hertz) / 200, 0, 1)
    filtered = np.fft.irfft(np.fft.rfft(samples, length) * shape, length)
    return filtered[: len(samples)].astype(np.float32)


def resampled(samples: Samples, rate: int) -> Samples:
    """The same sound at 8 kHz."""
    wanted = round(len(samples) * RATE / rate)
    if rate == RATE or not wanted:
        return samples[:wanted]
    whole = len(samples) + rate // 10
    whole += -whole % rate
    length = whole * RATE // rate
    spectrum = np.fft.rfft(samples, whole)
    kept = np.zeros(length // 2 + 1, np.complex128)
    shared = min(len(kept), len(spectrum))
    kept[:shared] = spectrum[:shared]
    return (np.fft.irfft(kept, length) * (length / whole))[:wanted].astype(np.float32)


def _samples(recording: Path | Samples, channel: int | None) -> Samples:
    return read_audio(recording, channel) if isinstance(recording, Path) else recording


def _steps(samples: Samples) -> NDArray[np.float64]:
    whole = len(samples) // _STEP
    return np.asarray(samples[: whole * _STEP].reshape(whole, _STEP), np.float64)


def _wave(content: bytes) -> tuple[Samples, int]:
    """The frames (time by channel) and the rate of a RIFF WAVE file."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise ValueError("not a RIFF WAVE file")
    coding, channels, rate, bits = _PCM, 1, RATE, 16
    position = 12
    while position + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, position)
        position += 8
        if name == b"fmt ":
            coding, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", content, position)
        elif name == b"data":
            told = content[position : position + size] if size else content[position:]
            samples = _decoded(told, coding, bits)
            return samples[: len(samples) // channels * channels].reshape(-1, channels), rate
        position += size + size % 2
    raise ValueError("a WAVE file without sound")


def _decoded(data: bytes, coding: int, bits: int = 16) -> Samples:
    if coding == _MULAW:
        return _MULAW_TABLE[np.frombuffer(data, np.uint8)]
    if coding == _ALAW:
        return _ALAW_TABLE[np.frombuffer(data, np.uint8)]
    if coding == _FLOAT and bits == 32:
        return np.frombuffer(data[: len(data) // 4 * 4], "<f4").astype(np.float32)
    if bits != 16:
        raise ValueError(f"WAVE coding {coding} of {bits} bits is not read here")
    return np.asarray(np.frombuffer(data[: len(data) // 2 * 2], "<i2") / 32768, np.float32)


def _mulaw_table() -> Samples:
    """The 256 levels of mu-law, as in ITU-T G.711."""
    code = ~np.arange(256) & 0xFF
    level = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return (np.where(code & 0x80, -level, level) / 32768).astype(np.float32)


def _alaw_table() -> Samples:
    """The 256 levels of A-law, as in ITU-T G.711."""
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code & 0x70) >> 4, code & 0x0F
    level = np.where(
        exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0)
    )
    return (np.where(code & 0x80, level, -level) / 32768).astype(np.float32)


def _quick_length(least: int) -> int:
    """The next length that a Fourier transform is quick with: 2 or 3 or 5 times a power of two, at least."""
    sizes = (factor << max(0, -(-least // factor) - 1).bit_length() for factor in (1, 3, 5, 9, 15))
    return min(sizes)


_MULAW_TABLE = _mulaw_table()
_ALAW_TABLE = _alaw_table()
