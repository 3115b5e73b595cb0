"""What contradicts itself in a facility's file, whatever stands in a database, each with the entry and its place."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise

from rating.numbers import NumberRefusal, Unusable, read_keys
from rating.tariff_file import TariffFile

#: Where something stands in a file: ("inmate", 0, "pin").
Place = tuple[str | int, ...]
Found = Iterator[tuple[Place, str]]


class Contradictions(ValueError):  # noqa: N818 - mistakes of a person, told a line each
    """Entries of one file that do not go together: all of them, each with its place."""

    def __init__(self, found: Sequence[tuple[Place, str]]) -> None:
        super().__init__("; ".join(text for _, text in found))
        self.found = found


def placed(table: str, field: str, values: Iterable[str | None]) -> list[tuple[Place, str]]:
    """The values of a field in each entry of a table that has one."""
    return [((table, number, field), value) for number, value in enumerate(values) if value is not None]


def pin_length(least: int, most: int) -> str:
    """What is expected of a PIN's length."""
    return f"facility.pin_digits says {least if least == most else f'{least} to {most}'} digits"


def pin_taken(other: str) -> str:
    """That another inmate has the same PIN where it is keyed alone."""
    return f"inmate {other} has the same one, and facility.identify_by is pin"


def refuse_backwards(first: str, begins: date | None, last: str, ends: date | None) -> None:
    """What ends begins before; raises ValueError."""
    if begins is not None and ends is not None and ends < begins:
        raise ValueError(f"{last} {ends} is before {first} {begins}")


def refuse_service_code(code: str | None) -> None:
    """What everybody knows as the number of something else, such as 911 or 988, is no hotline's code."""
    known = read_keys(code) if code is not None else None
    if isinstance(known, Unusable) and known.reason in (
        NumberRefusal.EMERGENCY_NUMBER,
        NumberRefusal.SERVICE_CODE,
    ):
        raise ValueError(f"code: {code} is an emergency number or a service code: expected another")


def refuse_twins(what: str, ids: list[str]) -> None:
    """Each is given once; raises ValueError naming those that are not."""
    if again := sorted({each for each in ids if ids.count(each) > 1}):
        raise ValueError(f"{what} given more than once: {', '.join(again)}")


def twins(what: str, given: Iterable[tuple[Place, str]]) -> Found:
    """Each that stands there again."""
    seen: set[str] = set()
    for place, value in given:
        if value in seen:
            yield place, f"{what} given more than once: {value}"
        seen.add(value)


def overlaps(tariffs: Iterable[TariffFile]) -> Iterator[str]:
    """One tariff at most holds on any day."""
    ordered = sorted(tariffs, key=lambda each: each.valid_from)
    for earlier, later in pairwise(ordered):
        if earlier.valid_to is None or earlier.valid_to >= later.valid_from:
            yield f"tariffs {earlier.id} and {later.id} both hold on {later.valid_from}"


def unfit_pins(pins: Sequence[tuple[str, str | None]], least: int, most: int, *, alone: bool) -> Found:
    """PINs without their length, and where PINs are keyed alone those of two inmates; no message tells one."""
    owners: dict[str, str] = {}
    for number, (inmate_id, pin) in enumerate(pins):
        if pin is None:
            continue
        place = ("inmate", number, "pin")
        if not least <= len(pin) <= most:
            yield place, f"inmate {inmate_id}: pin: {pin_length(least, most)}"
        other = owners.setdefault(pin, inmate_id)
        if alone and other != inmate_id:
            yield place, f"inmate {inmate_id}: pin: {pin_taken(other)}"


def unfit_codes(codes: Sequence[tuple[str, str | None]], shortest: int) -> Found:
    """Codes of numbers that are another's, or not shorter than whatever else is keyed to say who calls."""
    for place, code in placed("number", "code", [code for _, code in codes]):
        if len(code) >= shortest:
            number = codes[int(place[1])][0]
            yield place, f"number {number}: code: expected less than {shortest} digits, which a PIN may have"
    yield from twins("hotline code", placed("number", "code", [code for _, code in codes]))
