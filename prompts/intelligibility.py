"""How well what callers hear is understood: a recogniser listens at telephone quality, and its mistakes are counted.

It is no person, but it hears every sentence, and the same each time: what it takes for something else is looked at.
"""

import importlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prompts.catalogue import LANGUAGES, Catalogue, Prompt
from prompts.clips import AUDIO
from prompts.listen.audio import RATE
from prompts.manifest import read_manifest
from prompts.numbers import english, english_ordinal, spanish
from prompts.saying import sentence
from prompts.speak import Kind

Understand = Callable[[NDArray[np.float32], str], str]  # samples at 16 kHz and their language: the words
RECOGNISER_RATE = 16_000
MOST_ERRORS: Mapping[str, float] = {"en": 0.01, "es": 0.07}  # of the words, over all sentences
_DAYS = (1, 29, 3, 8, 11, 12, 13, 15, 20, 21, 30, 31)  # one of each month
#: Every form of a number, an amount and a date, and the edges between them.
SAMPLES: Mapping[Kind, Sequence[object]] = {
    Kind.MONEY: [
        *(each * 10_000 for each in (1, 2, 6, 10, 15, 21, 31, 99, 100, 101, 110, 121, 199, 200, 1_550)),
        *(each * 10_000 for each in (2_100, 3_131, 9_999, 10_000, 10_100, 25_075, 100_000, 100_100, 234_567)),
    ],
    Kind.MINUTES: [0, 1, 2, 10, 15, 21, 30, 31, 59, 60, 61, 90, 101, 119, 120, 121, 180, 241, 1_440],
    Kind.CALLS_REMAINING: [1, 2, 7, 10, 16, 21, 31, 57, 70, 99, 100],
    Kind.DATE: [date(2028, month, day) for month, day in enumerate(_DAYS, 1)],
    Kind.CALLS: [1, 2, 9, 15, 21, 40, 81, 99, 100],
    Kind.FULL_DATE: [
        date(2028 if month == 2 else 2025 + month, month, day) for month, day in enumerate(_DAYS, 1)
    ],
    Kind.DIGITS: ["0123456789", "2175550102", "9081726354"],
}
_EACH = 2  # sentences of a prompt with variables, where others have said every sample


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence: what it says, what was understood, and how many of its words were wrong."""

    language: str
    prompt_id: str
    words: str
    understood: str
    count: int
    errors: int


def measured(understand: Understand, language: str, audio: Path = AUDIO) -> Iterator[Said]:
    """Every sentence of a language as it was understood."""
    catalogue, made = Catalogue.load(), read_manifest(audio)
    for prompt_id, told in sentences(catalogue):
        clips = catalogue.clips(prompt_id, language, told)
        words = " ".join(made[f"{language}/{clip}.wav"].words for clip in clips)
        spoken_in = catalogue.prompts[prompt_id].spoken_in[language]
        understood = understand(
            for_recogniser(sentence([audio / language / f"{clip}.wav" for clip in clips])), spoken_in
        )
        expected, heard = plain(words, spoken_in), plain(understood, spoken_in)
        yield Said(language, prompt_id, words, understood, len(expected), distance(expected, heard))


def sentences(catalogue: Catalogue) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Every prompt that has a sound of its own, with samples of its variables: the first of a kind says all of them."""
    rest = {kind: cycle(samples) for kind, samples in SAMPLES.items()}
    rest[Kind.FACILITY] = cycle(each.removeprefix("facility.") for each in catalogue.prompts if _names(each))
    whole: set[Kind] = set()
    for prompt in catalogue.prompts.values():
        kinds = set(prompt.variables.values())
        if Kind.RECORDING in kinds or _names(prompt.id):
            continue
        new = [len(SAMPLES[kind]) for kind in kinds - whole if kind in SAMPLES]
        whole |= kinds
        yield from _with(prompt, rest, max(new, default=_EACH if kinds else 1))


def _with(
    prompt: Prompt, rest: Mapping[Kind, Iterator[object]], count: int
) -> Iterator[tuple[str, Mapping[str, object]]]:
    for _ in range(count):
        yield prompt.id, {name: next(rest[kind]) for name, kind in prompt.variables.items()}


def _names(prompt_id: str) -> bool:
    return prompt_id.startswith("facility.")


def for_recogniser(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """What a telephone line makes of it (ITU-T G.711 mu-law), at the rate that recognisers take."""
    level = np.abs(samples / 32_768)
    steps = np.round(np.log1p(255 * level) / np.log(256) * 127) / 127
    line = np.sign(samples) * np.expm1(steps * np.log(256)) / 255
    spectrum = np.fft.rfft(line)
    wider = np.fft.irfft(spectrum, len(line) * RECOGNISER_RATE // RATE) * (RECOGNISER_RATE / RATE)
    return np.asarray(wider, np.float32)


def plain(text: str, language: str) -> list[str]:
    """Words alone: numbers spelled, accents and punctuation gone, forms of one number made the same."""
    spell, dollars, cents, and_ = _WORDS[language]
    text = text.lower().replace(",", "")
    text = re.sub(r"\$0?\.(\d\d)", rf"\1 {cents}", text.replace("$0.", "$."))
    text = re.sub(r"\$(\d+)\.00", rf"\1 {dollars}", text)
    text = re.sub(r"\$(\d+)\.(\d\d)", rf"\1 {dollars} {and_} \2 {cents}", text)
    text = re.sub(r"\$(\d+)", rf"\1 {dollars}", text)
    text = re.sub(r"(\d+)(st|nd|rd|th)\b", lambda found: english_ordinal(int(found[1])), text)
    text = re.sub(r"\d{5,}", lambda found: " ".join(found[0]), text)
    text = re.sub(r"\d+", lambda found: f" {spell(int(found[0]))} ", text)
    bare = unicodedata.normalize("NFD", text.replace("ñ", "\0"))
    bare = "".join(each for each in bare if not unicodedata.combining(each)).replace("\0", "ñ")
    return [_SAME.get(word, word) for word in re.findall(r"[a-zñ]+", bare)]


_WORDS = {"en": (english, "dollars", "cents", "and"), "es": (spanish, "dólares", "centavos", "con")}
#: Forms of one number or coin, of which a recogniser that writes figures tells nothing.
_SAME = {
    "un": "uno",
    "una": "uno",
    "veintiun": "veintiuno",
    "veintiuna": "veintiuno",
    "ciento": "cien",
    "dollar": "dollars",
    "cent": "cents",
    "dolar": "dolares",
    "centavo": "centavos",
}


def distance(expected: Sequence[str], heard: Sequence[str]) -> int:
    """How many words were put in, left out or taken for others (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(expected, 1):
        last, row[0] = row[0], number
        for place, other in enumerate(heard, 1):
            last, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, last + (word != other))
    return row[-1]


def recogniser(model: Path) -> Understand:
    """Whisper, from a folder that holds a model as faster-whisper reads it; raises ModuleNotFoundError without it."""
    library: Any = importlib.import_module("faster_whisper")  # needed only to measure
    whisper = library.WhisperModel(str(model), device="cpu", compute_type="int8", cpu_threads=1)

    def understand(samples: NDArray[np.float32], language: str) -> str:
        parts, _ = whisper.transcribe(
            samples, language=language, beam_size=5, temperature=0.0, condition_on_previous_text=False
        )
        return " ".join(part.text.strip() for part in parts)

    return understand


HEADING = (
    "# How well the prompts are understood",
    "",
    "Whisper (base, int8), an offline recogniser, listens to every sentence through G.711 mu-law at 8 kHz. Numbers are",
    "spelled and accents ignored before its words are compared. `make intelligibility` writes this page anew. Among",
    "its mistakes are its own: it writes what it deems likely.",
    "",
)


def table(said: Sequence[Said], worst: int = 15) -> Iterator[str]:
    """The figures of each language, and the sentences that were understood worst, as Markdown."""
    yield "| language | sentences | words | wrong | word error rate | at most |"
    yield "|---|---|---|---|---|---|"
    for language in LANGUAGES:
        of_it = [each for each in said if each.language == language]
        if of_it:
            words, errors = sum(each.count for each in of_it), sum(each.errors for each in of_it)
            most = f"{MOST_ERRORS[language]:.0%}"
            yield f"| {language} | {len(of_it)} | {words} | {errors} | {errors / words:.2%} | {most} |"
    yield ""
    yield "| prompt | said | understood |"
    yield "|---|---|---|"
    wrong = sorted((each for each in said if each.errors), key=lambda each: -each.errors / each.count)
    for each in islice(wrong, worst):
        yield f"| {each.language}/{each.prompt_id} | {each.words} | {each.understood} |"


def rate(said: Sequence[Said]) -> float:
    """The share of words that were not understood."""
    return sum(each.errors for each in said) / max(1, sum(each.count for each in said))
