"""A prompt with its variables as somebody types them, and the sound of it as one."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prompts.catalogue import Catalogue
from prompts.listen.audio import read_audio
from prompts.speak import Kind, PromptError

_MICROS = 1_000_000
_A_LEAP_YEAR = 2028
_READERS: Mapping[Kind, tuple[Callable[[str], object], str]] = {
    Kind.MONEY: (lambda text: int(Decimal(text) * _MICROS), "dollars, such as 4.10"),
    Kind.MINUTES: (int, "whole minutes"),
    Kind.CALLS_REMAINING: (int, "a number of calls"),
    Kind.CALLS: (int, "a number of calls"),
    Kind.DATE: (
        lambda text: date.fromisoformat(f"{_A_LEAP_YEAR}-{text}"),
        "a month and a day, such as 12-24",
    ),
    Kind.FULL_DATE: (date.fromisoformat, "a date, such as 2026-12-24"),
    Kind.DIGITS: (str, "digits"),
    Kind.FACILITY: (str, "a facility's short name"),
}


def told(catalogue: Catalogue, prompt_id: str, words: Sequence[str]) -> dict[str, object]:
    """The variables of a prompt from `name=value` words, as a transcript writes them.

    Raises PromptError, with what was expected, for a word that says none.
    """
    prompt = catalogue.prompts.get(prompt_id)
    if prompt is None:
        raise PromptError(f"there is no prompt {prompt_id}")
    given = dict(word.partition("=")[::2] for word in words)
    if given.keys() != prompt.variables.keys():
        raise PromptError(
            f"{prompt_id} has the variables {', '.join(prompt.variables) or '(none)'}: name=value for each"
        )
    return {name: _read(name, prompt.variables[name], text) for name, text in given.items()}


def _read(name: str, kind: Kind, text: str) -> object:
    if kind not in _READERS:
        raise PromptError(f"{name} is recorded in a call: it has no sound here")
    read, expected = _READERS[kind]
    try:
        return read(text)
    except (ValueError, InvalidOperation) as error:
        raise PromptError(f"{name}={text}: {expected} expected") from error


def sentence(files: Sequence[Path]) -> NDArray[np.int16]:
    """The sound of several files, one after the other, at 8 kHz."""
    joined = np.concatenate([read_audio(file) for file in files])
    return np.round(joined * 32767).astype("<i2")
