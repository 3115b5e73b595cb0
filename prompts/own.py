"""What one facility has callers hear in place of what all hear: its own words, and its own recordings.

Its folder holds `words.toml` and, beside it, audio with a manifest as that of all: `en/goodbye.wav`. In `words.toml` a
table `terms.en` or `terms.es` replaces an expression wherever a text has it; every other table is a whole text as those
of `prompts/text` are, of the same variables as the one that it replaces, or the name of the facility.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Self

from prompts.catalogue import LANGUAGES, Catalogue, Prompt, read_entry
from prompts.clips import AUDIO, Clip, inventory
from prompts.manifest import Manifest, findings, read_manifest, stale
from prompts.sound import PROCESSING
from prompts.speak import PromptError

WORDS = "words.toml"
_FACILITY = "facility."
_VARIABLE = re.compile(r"(\{[^}]*\})")

Terms = Mapping[str, Mapping[str, str]]  # by language: what stands in place of what


@dataclass(frozen=True, slots=True)
class Voice:
    """How a facility speaks, or all do: the texts, and which of their clips are its own."""

    catalogue: Catalogue
    folder: Path | None = None
    own: frozenset[str] = frozenset()  # paths below the folder

    def files(self, prompt_id: str, language: str, told: Mapping[str, object]) -> list[str]:
        """The sound files that speak a prompt, as Asterisk wants them; an own one that is gone is not among them.

        Raises PromptError as `Catalogue.clips` does.
        """
        return [self._file(clip, language) for clip in self.catalogue.clips(prompt_id, language, told)]

    def sounds(self, prompt_id: str, language: str, told: Mapping[str, object]) -> list[tuple[Path, str]]:
        """The same as files on disk, each with the folder of audio whose manifest has it."""
        paths = [f"{language}/{clip}.wav" for clip in self.catalogue.clips(prompt_id, language, told)]
        return [(self._own(path) or AUDIO, path) for path in paths]

    def _file(self, clip: str, language: str) -> str:
        if clip.startswith("/"):  # what somebody has said in a call
            return clip
        folder = self._own(f"{language}/{clip}.wav")
        return f"{folder}/{language}/{clip}" if folder else f"{language}/ivr/{clip}"

    def _own(self, path: str) -> Path | None:
        is_own = self.folder is not None and path in self.own and (self.folder / path).is_file()
        return self.folder if is_own else None


@dataclass(frozen=True, slots=True)
class Voices:
    """What all callers hear, and the facilities that have something of their own.

    `faults` tells, a line for each facility, what of its own nobody hears.
    """

    common: Voice
    of_facilities: Mapping[str, Voice] = field(default_factory=dict)
    faults: Sequence[str] = ()

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the folder of each facility below this one; where its words can't be read, it speaks as all do."""
        common = Catalogue.load()
        voices: dict[str, Voice] = {}
        faults: list[str] = []
        for place in sorted(each for each in folder.glob("*") if each.is_dir()):
            try:
                own = Own.read(place, common)
                voices[place.name], found = own.voice(), own.faults()
            except PromptError as error:
                found = [str(error)]
            if found:
                more = f", and {len(found) - 1} more" if len(found) > 1 else ""
                faults.append(f"{place.name}: {found[0]}{more}: `ivr prompts check --own`")
        return cls(Voice(common), voices, faults)

    def of(self, facility_id: str) -> Voice:
        """How this facility speaks."""
        return self.of_facilities.get(facility_id, self.common)


@dataclass(frozen=True, slots=True)
class Own:
    """A facility's folder, read once: all texts in its words, and what audio it has."""

    folder: Path
    common: Catalogue
    words: Catalogue
    manifest: Manifest
    inventory: Sequence[Clip]  # of its words
    clips: Sequence[Clip]  # those of it whose words are its own, so that it needs audio of them

    @classmethod
    def read(cls, folder: Path, common: Catalogue) -> Self:
        """Raises PromptError, naming the file, for one that can't be read, and for words that break a rule."""
        try:
            words, manifest = _worded(folder / WORDS, common), read_manifest(folder)
        except OSError as error:
            raise PromptError(f"{error.filename}: {error.strerror}") from None
        spoken, there = _spoken(inventory(common)), inventory(words)
        return cls(
            folder.absolute(),
            common,
            words,
            manifest,
            there,
            [c for c in there if not _spoken([c]) <= spoken],
        )

    def faults(self) -> list[str]:
        """Everything in which its words and its audio disagree; empty when nothing does."""
        needed = {clip.path for clip in self.clips} | set(self.manifest)
        return findings([clip for clip in self.inventory if clip.path in needed], PROCESSING, self.folder)

    def voice(self) -> Voice:
        """How it speaks: in those of its own words whose audio is there and right, else in those of all."""
        right = [clip for clip in self.inventory if not stale(clip, PROCESSING, self.folder, self.manifest)]
        missing = {clip.path for clip in self.clips} - {clip.path for clip in right}
        said = {
            prompt_id: prompt
            for prompt_id, prompt in self.words.prompts.items()
            if missing.isdisjoint(
                f"{language}/{segment.clip_id}.wav" for language, segment in prompt.segments
            )
        }
        catalogue = Catalogue({**self.common.prompts, **said})
        spoken = _spoken(inventory(catalogue))
        return Voice(catalogue, self.folder, frozenset(c.path for c in right if _spoken([c]) <= spoken))


def _spoken(clips: Sequence[Clip]) -> set[tuple[str, str]]:
    return {(clip.path, clip.words) for clip in clips}


def _worded(path: Path, common: Catalogue) -> Catalogue:
    if not path.exists():
        return common
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PromptError(f"{path}: {error}") from None
    terms = _terms(path, given.pop("terms", {}), common)
    prompts = {prompt_id: _in_terms(prompt, terms) for prompt_id, prompt in common.prompts.items()}
    for prompt_id, entry in given.items():
        prompts[prompt_id] = _own_text(path, prompt_id, entry, common)
    return Catalogue(prompts)


def _terms(path: Path, terms: object, common: Catalogue) -> Terms:
    if not isinstance(terms, dict) or not all(isinstance(each, dict) for each in terms.values()):
        raise PromptError(f"{path}: terms: a table for each language is expected, such as [terms.en]")
    for language, of_language in terms.items():
        if language not in LANGUAGES:
            raise PromptError(f"{path}: terms.{language}: one of {', '.join(LANGUAGES)} is expected")
        for term, instead in of_language.items():
            if not isinstance(instead, str) or not instead.strip():
                raise PromptError(f'{path}: terms.{language}: "{term}": the words in its place are expected')
            if not any(_pattern(term).search(prompt.text[language]) for prompt in common.prompts.values()):
                raise PromptError(f'{path}: terms.{language}: no text says "{term}"')
    return terms


def _pattern(term: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(term)}(?!\w)", re.IGNORECASE)


def _in_terms(prompt: Prompt, terms: Terms) -> Prompt:
    text = {language: _replaced(words, terms.get(language, {})) for language, words in prompt.text.items()}
    if text == prompt.text:
        return prompt
    return read_entry(
        prompt.id, {"variables": dict(prompt.variables), "spoken_in": dict(prompt.spoken_in), **text}
    )


def _replaced(words: str, terms: Mapping[str, str]) -> str:
    """The text in other words, its variables as they are; what begins with a capital still does."""
    for term, instead in terms.items():
        put = partial(_as_it_began, instead)
        words = "".join(
            part if _VARIABLE.fullmatch(part) else _pattern(term).sub(put, part)
            for part in _VARIABLE.split(words)
        )
    return words


def _as_it_began(instead: str, found: re.Match[str]) -> str:
    return instead[0].upper() + instead[1:] if found[0][0].isupper() else instead


def _own_text(path: Path, prompt_id: str, entry: object, common: Catalogue) -> Prompt:
    if not isinstance(entry, dict):
        raise PromptError(f"{path}: {prompt_id}: a table with a text for each language is expected")
    replaced = common.prompts.get(prompt_id)
    if replaced is None and not prompt_id.startswith(_FACILITY):
        raise PromptError(f"{path}: {prompt_id}: there is no such text, and it is no facility's name")
    variables, spoken_in = ({}, {}) if replaced is None else (replaced.variables, replaced.spoken_in)
    try:
        return read_entry(prompt_id, {**entry, "variables": dict(variables), "spoken_in": dict(spoken_in)})
    except PromptError as error:
        raise PromptError(f"{path}: {error}") from None
