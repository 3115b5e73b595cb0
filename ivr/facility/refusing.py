"""What contradicts itself in a facility's file, whatever stands in a database: ValueErrors that name the entry."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from rating.numbers import NumberRefusal, Unusable, read_keys
from rating.tariff_file import TariffFile


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


def refuse_overlaps(tariffs: list[TariffFile]) -> None:
    """One tariff at most holds on any day."""
    ordered = sorted(tariffs, key=lambda each: each.valid_from)
    for earlier, later in pairwise(ordered):
        if earlier.valid_to is None or earlier.valid_to >= later.valid_from:
            raise ValueError(f"tariffs {earlier.id} and {later.id} both hold on {later.valid_from}")


def refuse_twins(what: str, ids: list[str]) -> None:
    """Each is given once; raises ValueError naming those that are not."""
    if twins := sorted({each for each in ids if ids.count(each) > 1}):
        raise ValueError(f"{what} given more than once: {', '.join(twins)}")


def refuse_pins(pins: Sequence[tuple[str, str | None]], least: int, most: int, *, alone: bool) -> None:
    """Each inmate's PIN has its length, and where PINs are keyed alone no other inmate has it; no message tells one."""
    owners: dict[str, str] = {}
    for inmate_id, pin in pins:
        if pin is None:
            continue
        if not least <= len(pin) <= most:
            raise ValueError(f"inmate {inmate_id}: pin: {pin_length(least, most)}")
        other = owners.setdefault(pin, inmate_id)
        if alone and other != inmate_id:
            raise ValueError(f"inmate {inmate_id}: pin: {pin_taken(other)}")


def refuse_service_code(code: str | None) -> None:
    """What everybody knows as the number of something else, such as 911 or 988, is no hotline's code."""
    known = read_keys(code) if code is not None else None
    if isinstance(known, Unusable) and known.reason in (
        NumberRefusal.EMERGENCY_NUMBER,
        NumberRefusal.SERVICE_CODE,
    ):
        raise ValueError(f"code: {code} is an emergency number or a service code: expected another")


def refuse_codes(codes: Sequence[tuple[str, str | None]], shortest: int) -> None:
    """A number's code is its own, and shorter than whatever else is keyed to say who calls."""
    for number, code in codes:
        if code is not None and len(code) >= shortest:
            raise ValueError(
                f"number {number}: code: expected less than {shortest} digits, which a PIN may have"
            )
    refuse_twins("hotline code", [code for _, code in codes if code])
