"""From the output of a speech engine to what a telephone carries: 8 kHz, one level, no dead air."""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]

RATE = 8000
PROCESSING = 1  # part of every clip's fingerprint: raise it when what this module does changes

_STEP = RATE // 100  # 10 ms
_LEVEL_DBFS = -19.0  # of the speech without its pauses, where the sounds that come with Asterisk lie
_CEILING_DBFS = -1.5
_KNEE = 0.7  # samples above this share of the ceiling are bent, none are cut


def for_telephone(samples: Samples, rate: int, lead_ms: int, tail_ms: int) -> NDArray[np.int16]:
    """Speech at any rate as 16-bit samples at 8 kHz, trimmed, levelled and set between two silences."""
    speech = _faded(_levelled(_trimmed(_at_telephone_rate(samples, rate))))
    framed = np.concatenate([np.zeros(lead_ms * RATE // 1000), speech, np.zeros(tail_ms * RATE // 1000)])
    return np.round(framed * 32767).astype("<i2")


def write_wave(path: Path, samples: NDArray[np.int16]) -> None:
    """Write a mono 8 kHz 16-bit file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


def _at_telephone_rate(samples: Samples, rate: int) -> Samples:
    """Resample in the frequency domain, with a high pass at 60-120 Hz and a low pass at 3.6-3.8 kHz."""
    length = len(samples) + rate // 5
    length += -length % rate  # whole seconds, so that both rates have a whole number of samples
    spectrum = np.fft.rfft(samples, length)
    hertz = np.fft.rfftfreq(length, 1 / rate)
    spectrum *= np.clip((hertz - 60) / 60, 0, 1) * np.clip((3800 - hertz) / 200, 0, 1)
    wanted = length * RATE // rate
    resampled = np.fft.irfft(spectrum[: wanted // 2 + 1], wanted) * (wanted / length)
    return np.asarray(resampled[: len(samples) * RATE // rate])


def _steps_rms(samples: Samples) -> Samples:
    whole = samples[: len(samples) // _STEP * _STEP].reshape(-1, _STEP)
    return np.asarray(np.sqrt((whole**2).mean(axis=1) + 1e-14))


def _trimmed(samples: Samples) -> Samples:
    """Without what lies 38 dB below the loudest moment at either end."""
    rms = _steps_rms(samples)
    heard = np.flatnonzero(rms > rms.max() * _gain(-38))
    return samples[max(0, heard[0] - 1) * _STEP : (heard[-1] + 2) * _STEP]


def _levelled(samples: Samples) -> Samples:
    rms = _steps_rms(samples)
    active = rms[rms > rms.max() * _gain(-30)]
    louder = samples * (_gain(_LEVEL_DBFS) / np.sqrt((active**2).mean()))
    ceiling = _gain(_CEILING_DBFS)
    knee = _KNEE * ceiling
    bent = np.sign(louder) * (knee + (ceiling - knee) * np.tanh((np.abs(louder) - knee) / (ceiling - knee)))
    return np.asarray(np.where(np.abs(louder) > knee, bent, louder))


def _faded(samples: Samples) -> Samples:
    """With 5 ms of fade at both ends, so that no clip begins or stops with a click."""
    ramp = np.linspace(0, 1, _STEP // 2)
    faded = samples.copy()
    faded[: len(ramp)] *= ramp
    faded[-len(ramp) :] *= ramp[::-1]
    return faded


def _gain(decibels: float) -> float:
    return float(10 ** (decibels / 20))
