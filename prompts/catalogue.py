"""The words that callers hear: one entry for each prompt, all languages side by side."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Self

from prompts.speak import SPEAKERS, Kind, PromptError

FOLDER = Path(__file__).parent / "text"
LANGUAGES = ("en", "es")
_UNNAMED_FACILITY = "facility.unnamed"
_SENTENCE_END = (".", "?", "!")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of fixed words, which is one clip."""

    clip_id: str
    words: str
    after_pause: bool  # it begins a sentence after a variable that ended one


@dataclass(frozen=True, slots=True)
class Variable:
    """A place in a text that is filled in at each call."""

    name: str
    kind: Kind


Part = Segment | Variable


@dataclass(frozen=True, slots=True)
class Prompt:
    """One thing that is said to a caller, in every language."""

    id: str
    variables: Mapping[str, Kind]
    text: Mapping[str, str]  # by the language of the caller
    spoken_in: Mapping[str, str]  # by the language of the caller: the language that the words are in
    parts: Mapping[str, tuple[Part, ...]]  # by the language of the caller

    @property
    def segments(self) -> Iterable[tuple[str, Segment]]:
        """Every stretch of fixed words, with the language of the caller who hears it."""
        return [
            (language, part)
            for language, parts in self.parts.items()
            for part in parts
            if isinstance(part, Segment)
        ]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All prompts, checked: what it holds can be spoken in every language."""

    prompts: Mapping[str, Prompt]

    @classmethod
    def load(cls, folder: Path = FOLDER) -> Self:
        """Read every `*.toml` of a folder; raises PromptError for the first text that breaks a rule."""
        prompts: dict[str, Prompt] = {}
        for path in sorted(folder.glob("*.toml")):
            for prompt_id, entry in tomllib.loads(path.read_text("utf-8")).items():
                if prompt_id in prompts:
                    raise PromptError(f"{prompt_id}: there are two entries")
                prompts[prompt_id] = read_entry(prompt_id, entry)
        if _UNNAMED_FACILITY not in prompts:
            raise PromptError(f"{_UNNAMED_FACILITY}: missing")
        return cls(prompts)

    def clips(self, prompt_id: str, language: str, told: Mapping[str, object]) -> list[str]:
        """The clips that speak a prompt, in order: paths below the language's folder, or of a recording.

        Raises PromptError for an unknown prompt or language, and for variables that are not those it has.
        """
        prompt = self.prompts.get(prompt_id)
        if prompt is None or language not in prompt.parts:
            raise PromptError(f"{prompt_id}: no such prompt in {language}")
        if told.keys() != prompt.variables.keys():
            raise PromptError(f"{prompt_id}: told {sorted(told)}, but it has {sorted(prompt.variables)}")
        found: list[str] = []
        for part in prompt.parts[language]:
            if isinstance(part, Segment):
                found.append(part.clip_id)
            else:
                found.extend(self._spoken(part.kind, told[part.name]))
        return found

    def _spoken(self, kind: Kind, value: object) -> list[str]:
        if kind is not Kind.FACILITY:
            return SPEAKERS[kind](value)
        clip_id = f"facility.{value}"
        return [clip_id if clip_id in self.prompts else _UNNAMED_FACILITY]


def read_entry(prompt_id: str, entry: Mapping[str, object]) -> Prompt:
    """The prompt that one table of a text file describes; raises PromptError when it breaks a rule."""
    known = {"variables", "spoken_in", *LANGUAGES}
    if unknown := set(entry) - known:
        raise PromptError(f"{prompt_id}: unknown {sorted(unknown)}")
    text = {language: _text(prompt_id, language, entry.get(language)) for language in LANGUAGES}
    variables = _kinds(prompt_id, _strings(prompt_id, entry.get("variables", {})))
    spoken_in = {language: language for language in LANGUAGES}
    spoken_in |= _strings(prompt_id, entry.get("spoken_in", {}))
    if not {*spoken_in, *spoken_in.values()} <= set(LANGUAGES):
        raise PromptError(f"{prompt_id}: spoken in {spoken_in}")
    parts = {language: _parts(prompt_id, words, variables) for language, words in text.items()}
    return Prompt(prompt_id, variables, text, spoken_in, parts)


def _text(prompt_id: str, language: str, words: object) -> str:
    if not isinstance(words, str) or not words.strip():
        raise PromptError(f"{prompt_id}: no words in {language}")
    return words


def _strings(prompt_id: str, table: object) -> dict[str, str]:
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise PromptError(f"{prompt_id}: a table of names is wanted, not {table!r}")
    return table


def _kinds(prompt_id: str, table: Mapping[str, str]) -> dict[str, Kind]:
    try:
        return {name: Kind(kind) for name, kind in table.items()}
    except ValueError as error:
        raise PromptError(f"{prompt_id}: {error}") from error


def _parts(prompt_id: str, words: str, variables: Mapping[str, Kind]) -> tuple[Part, ...]:
    """Cut a text at its variables; fixed stretches are numbered from 1, unless there is only the one clip."""
    pieces = [(literal, name) for literal, name, *_ in Formatter().parse(words)]
    used = [name for _, name in pieces if name is not None]
    if sorted(used) != sorted(variables):
        raise PromptError(f"{prompt_id}: its text names {sorted(used)}, but it has {sorted(variables)}")
    if not variables:
        return (Segment(prompt_id, words, after_pause=False),)
    parts: list[Part] = []
    number = 0
    for literal, name in pieces:
        if spoken := re.sub(r"^[\s.,;:?!]+|[\s,;:]+$", "", literal):
            number += 1
            opens = bool(parts) and literal.startswith(_SENTENCE_END)
            parts.append(Segment(f"{prompt_id}.{number}", spoken, after_pause=opens))
        if name is not None:
            parts.append(Variable(name, variables[name]))
    return tuple(parts)
