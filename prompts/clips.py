"""The clips that there must be: every stretch of fixed words and every phrase, in each language."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from prompts.catalogue import LANGUAGES, Catalogue
from prompts.speak import phrases

AUDIO = Path(__file__).parent / "audio"
_PAUSE_MS = 250
_BREATH_MS = 30
_SENTENCE_END = (".", "?", "!")


@dataclass(frozen=True, slots=True)
class Voice:
    """The speech engine of a language, with every setting that changes how it sounds."""

    engine: str
    name: str
    version: str
    pace: float
    slow_pace: float  # for one word or few letters, which are hard to understand when they are quick
    short_below: int  # fewer letters than this are too few for the voice to be steady


VOICES: Mapping[str, Voice] = {
    "en": Voice(engine="hibari", name="heart", version="0.2.1", pace=1.0, slow_pace=0.9, short_below=0),
    "es": Voice(
        engine="kokoro", name="ef_dora", version="v1.0-int8", pace=0.95, slow_pace=0.88, short_below=16
    ),
}


@dataclass(frozen=True, slots=True)
class Clip:
    """One file of speech: what it says, in which voice, and the silence around it."""

    language: str  # of the caller, and so the folder
    id: str
    words: str
    spoken_in: str
    slow: bool
    lead_ms: int
    tail_ms: int

    @property
    def path(self) -> str:
        """The file, below the folder of all audio."""
        return f"{self.language}/{self.id}.wav"

    @property
    def pace(self) -> float:
        """How fast the voice speaks, as a share of its own pace."""
        voice = VOICES[self.spoken_in]
        return voice.slow_pace if self.slow or self.short else voice.pace

    @property
    def short(self) -> bool:
        """Whether the engine must help the voice along."""
        return len(self.words) < VOICES[self.spoken_in].short_below

    def fingerprint(self, processing: int) -> str:
        """Changes with the words, the voice, the silence or the processing, so stale audio is found."""
        voice = VOICES[self.spoken_in]
        made_of = [self.words, voice.engine, voice.name, voice.version, self.pace, self.lead_ms, self.tail_ms]
        helped = ["short"] if self.short else []
        return sha256(json.dumps([*made_of, processing, *helped]).encode()).hexdigest()[:16]

    def recorded_fingerprint(self, processing: int) -> str:
        """The same of a person's recording: changes with the words, the silence or the processing."""
        return sha256(json.dumps([self.words, self.lead_ms, self.tail_ms, processing]).encode()).hexdigest()[
            :16
        ]


def inventory(catalogue: Catalogue) -> list[Clip]:
    """Every clip of every language, the sentences before the phrases."""
    return [*_sentences(catalogue), *_phrases()]


def _sentences(catalogue: Catalogue) -> list[Clip]:
    return [
        Clip(
            language=language,
            id=segment.clip_id,
            words=_ended(segment.words),
            spoken_in=prompt.spoken_in[language],
            slow=False,
            lead_ms=_PAUSE_MS if segment.after_pause else _BREATH_MS,
            tail_ms=_PAUSE_MS if segment.words.endswith(_SENTENCE_END) else _BREATH_MS,
        )
        for prompt in catalogue.prompts.values()
        for language, segment in prompt.segments
    ]


def _phrases() -> list[Clip]:
    return [
        Clip(
            language=language,
            id=clip_id,
            words=_ended(words),
            spoken_in=language,
            slow=" " not in words,
            lead_ms=_BREATH_MS,
            tail_ms=_BREATH_MS,
        )
        for language in LANGUAGES
        for clip_id, words in phrases(language).items()
    ]


def _ended(words: str) -> str:
    """Words that end as a sentence does: a voice adds stray syllables to a text that just stops."""
    return words if words.endswith(_SENTENCE_END) else f"{words}."
