"""Fold the clips that were heard back into the prompts they spoke."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from prompts.catalogue import Catalogue, Part, Prompt, Segment
from prompts.listen.listener import Heard
from prompts.speak import Kind

# Each clip is written as "<id> ", so that a pattern matches whole clips only.
_PATTERNS: Mapping[Kind, str] = {
    Kind.MONEY: r"(?:money/[a-z_]+\.\d+ )+",
    Kind.MINUTES: r"(?:hours/\d+ )?(?:minutes/\d+ )?",
    Kind.CALLS_REMAINING: r"calls_remaining/\d+ ",
    Kind.CALLS: r"calls/\d+ ",
    Kind.FULL_DATE: r"date/day\.\d+ date/month\.\d+ date/year\.\d+ ",
    Kind.DATE: r"date/day\.\d+ date/month\.\d+ ",
    Kind.DIGITS: r"(?:digits/\d )+",
    Kind.FACILITY: r"facility\.\S+ ",
    Kind.RECORDING: r"",  # its sound is not known here
}
_INTERRUPTED = " (interrupted)"


@dataclass(frozen=True, slots=True)
class _Match:
    line: str
    clips: int
    complete: bool


def transcript(heard: Sequence[Heard], catalogue: Catalogue) -> list[str]:
    """One line for each prompt that was heard, such as "price_and_time price=0.06 time=15", in order of time.

    Money is in dollars, a date is month-day, and a recording is not named. A prompt that was cut off ends in
    "(interrupted)", and a clip that belongs to no prompt stands as its own id.
    """
    first_names = {other: one.clip_id for one in heard for other in one.also}
    lines: list[str] = []
    rest = list(heard)
    while rest:
        match = _best_match(rest, catalogue, first_names)
        lines.append(match.line)
        rest = rest[match.clips :]
    return lines


def _best_match(heard: Sequence[Heard], catalogue: Catalogue, first_names: Mapping[str, str]) -> _Match:
    """The prompt that takes in most of the clips to come: a complete one, else the beginning of one."""
    language = heard[0].language
    spoken = list(takewhile(lambda one: one.language == language, heard))
    found = [
        match
        for prompt in catalogue.prompts.values()
        for count in range(1, len(prompt.parts[language]) + 1)
        if (match := _match(prompt, prompt.parts[language], count, spoken, first_names))
    ]
    if found:
        return max(found, key=lambda one: (one.complete, one.clips))
    return _Match(spoken[0].clip_id + ("" if spoken[0].whole else _INTERRUPTED), 1, complete=True)


def _match(
    prompt: Prompt, parts: Sequence[Part], count: int, heard: Sequence[Heard], first_names: Mapping[str, str]
) -> _Match | None:
    """The first `count` parts of a prompt, if the clips to come are those."""
    pattern = "".join(_pattern(part, first_names) for part in parts[:count])
    found = re.match(pattern, "".join(f"{one.clip_id} " for one in heard))
    if not found or not found.group():
        return None
    clips = found.group().count(" ")
    complete = count == len(parts) and all(one.whole for one in heard[:clips])
    told = [
        f"{name}={_value(prompt.variables[name], value)}"
        for name, value in found.groupdict().items()
        if prompt.variables[name] is not Kind.RECORDING
    ]
    return _Match(" ".join([prompt.id, *told]) + ("" if complete else _INTERRUPTED), clips, complete)


def _pattern(part: Part, first_names: Mapping[str, str]) -> str:
    if isinstance(part, Segment):
        return re.escape(first_names.get(part.clip_id, part.clip_id)) + " "
    return f"(?P<{part.name}>{_PATTERNS[part.kind]})"


def _value(kind: Kind, clips: str) -> str:
    """What was told in a variable, from the clips that spoke it."""
    numbers = {name: int(number) for name, number in re.findall(r"([a-z_]+)[/.](\d+) ", clips)}
    match kind:
        case Kind.MONEY:
            dollars = numbers.get("thousand", 0) * 1000 + numbers.get("hundred", 0) * 100
            cents = numbers.get("cents", 0) + numbers.get("and_cents", 0)
            dollars += numbers.get("dollars", 0) + numbers.get("more_dollars", 0)
            return f"{dollars}.{cents:02d}"
        case Kind.MINUTES:
            return str(numbers.get("hours", 0) * 60 + numbers.get("minutes", 0))
        case Kind.DATE:
            return f"{numbers['month']:02d}-{numbers['day']:02d}"
        case Kind.FULL_DATE:
            return f"{numbers['year']}-{numbers['month']:02d}-{numbers['day']:02d}"
        case Kind.FACILITY:
            return clips.strip().removeprefix("facility.")
        case _:
            return "".join(re.findall(r"\d", clips))
