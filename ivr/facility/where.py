"""On which line of a facility's file a field stands: for messages, so that nobody has to search."""

import re
from collections.abc import Iterator, Sequence

_HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.\- ]+?)\s*\]")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=\s*(\[?)")

Place = tuple[str | int, ...]


def line_of(text: str, place: Sequence[str | int]) -> int | None:
    """The line of a field, or of the innermost table around it that has one; None where nothing is found.

    Of a whole array of tables it is the line of the first.
    """
    lines: dict[Place, int] = {}
    for found, line in _places(text):
        lines.setdefault(found, line)
        lines.setdefault(found[:1], line)
    prefixes = (tuple(place[:length]) for length in range(len(place), 0, -1))
    return next((lines[prefix] for prefix in prefixes if prefix in lines), None)


def _places(text: str) -> Iterator[tuple[Place, int]]:
    """Each table, key and row of a list with its line, as far as one statement a line is written."""
    seen: dict[str, int] = {}  # the last index of each array of tables
    table: Place = ()
    array: Place = ()  # the key whose list goes on over lines
    row = 0
    for number, line in enumerate(text.splitlines(), 1):
        if array and line.lstrip().startswith("{"):
            yield (*array, row), number
            row += 1
        elif header := _HEADER.match(line):
            table, array = _enter(header[2].split("."), seen, is_row=header[1] == "[["), ()
            yield table, number
        elif key := _KEY.match(line):
            array, row = ((*table, key[1]) if key[2] else ()), 0
            yield (*table, key[1]), number


def _enter(names: Sequence[str], seen: dict[str, int], *, is_row: bool) -> Place:
    """The place of a table, given the arrays of tables that were begun before it."""
    whole = ".".join(names)
    if is_row:
        index = seen.get(whole, -1) + 1
        for begun in [each for each in seen if each.startswith(f"{whole}.")]:
            del seen[begun]
        seen[whole] = index
    place: Place = ()
    for depth, name in enumerate(names, 1):
        path = ".".join(names[:depth])
        place = (*place, name, seen[path]) if path in seen else (*place, name)
    return place
