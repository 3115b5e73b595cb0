"""Numbers that look like ordinary ones and are not: directory assistance, premium exchanges, time and weather."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

DATA = files("rating") / "data" / "number_types.toml"


@dataclass(frozen=True, slots=True)
class _Types:
    """What is known by exchange, by the last seven digits, and by the whole number."""

    exchanges: dict[str, str]
    endings: dict[str, str]
    numbers: dict[str, str]


def special_kind(e164: str) -> str | None:
    """The kind of a North American number that no numbering plan tells; None for any other."""
    if not (e164.startswith("+1") and len(e164) == 12):
        return None
    known = _shipped()
    return known.numbers.get(e164) or known.endings.get(e164[5:]) or known.exchanges.get(e164[5:8])


@cache
def _shipped() -> _Types:
    rows = tomllib.loads(DATA.read_text(encoding="utf-8"))["type"]
    found = [
        {row[field]: row["kind"] for row in rows if field in row}
        for field in ("exchange", "ending", "number")
    ]
    return _Types(*found)
