"""CSV files of inmates, of their numbers and of blocks: what may stand in them, and where a mistake is."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, ValidationError

from ivr.facility.fields import E164, Digits, InmateId, Note
from ivr.facility.file import AllowedEntry, BlockedEntry, InmateEntry
from ivr.policy.privilege import PrivilegeKind

Mistakes = list[tuple[int, str]]


class ImportMistakes(Exception):  # noqa: N818 - the message is mistakes, a line each
    """Nothing was imported; the message has a line for each mistake, with line number and field."""


class ListedRow(AllowedEntry):
    """A number of an inmate's list."""

    inmate: Digits


class PrivilegedRow(BaseModel):
    """A number that is never recorded: everybody's, or one inmate's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: E164
    kind: PrivilegeKind
    note: Note
    inmate: InmateId | None = None
    untimed: bool = False
    bar_number: str | None = None


class Kind(StrEnum):
    """What a CSV file holds."""

    INMATES = "inmates"
    NUMBERS = "numbers"
    BLOCKED = "blocked"
    PRIVILEGED = "privileged"


@dataclass(frozen=True, slots=True)
class Shape:
    """The header of a kind of file: columns that it must have, and that it may."""

    entry: type[BaseModel]
    needed: tuple[str, ...]
    possible: tuple[str, ...]


SHAPES = {
    Kind.INMATES: Shape(InmateEntry, ("id", "name"), ("pin", "unit", "state", "state_note")),
    Kind.NUMBERS: Shape(
        ListedRow, ("inmate", "number"), ("speed_dial", "relation", "records", "payer", "override_note")
    ),
    Kind.PRIVILEGED: Shape(PrivilegedRow, ("number", "kind", "note"), ("inmate", "untimed", "bar_number")),
    Kind.BLOCKED: Shape(BlockedEntry, ("note",), ("number", "prefix", "type", "cause")),
}


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a file, each with its line: the good ones, the cells of those that are bad, and what is wrong there.

    Whoever uses them refuses the file with `refuse`, beside what else they find: all mistakes are told at once.
    """

    columns: frozenset[str]
    entries: Sequence[tuple[int, BaseModel]]
    mistakes: Mistakes = field(default_factory=list)
    bad: Sequence[Mapping[str, str]] = ()
    file: str = ""  # its name

    def refuse(self, found: Iterable[tuple[int, str]] = ()) -> None:
        """Raises ImportMistakes with the mistakes of the rows by themselves and those found since, if any."""
        refuse([*self.mistakes, *found], self.file)


def refuse(mistakes: Mistakes, file: str = "") -> None:
    """Raises ImportMistakes with all of them, if there are any; each line begins with the file's name, where known."""
    if mistakes:
        told = [f"line {line}: {mistake}" for line, mistake in sorted(mistakes)]
        told.append(f"nothing was imported; {len(mistakes)} mistakes")
        raise ImportMistakes("\n".join(f"{file}: {each}" if file else each for each in told))


def read_rows(kind: Kind, text: str) -> Rows:
    """The rows of a CSV text of a kind; raises ImportMistakes naming every bad one."""
    return read_shape(SHAPES[kind], text)


def read_shape(shape: Shape, text: str, progress: Callable[[], object] = lambda: None) -> Rows:
    """The rows of a CSV text; raises ImportMistakes naming every bad one. `progress` is called for each row."""
    rows = read_all(shape, text, progress=progress)
    rows.refuse()
    return rows


def read_all(shape: Shape, text: str, file: str = "", progress: Callable[[], object] = lambda: None) -> Rows:
    """The rows of a CSV text, the bad ones with their mistakes; raises ImportMistakes for a header that is wrong."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    mistakes: Mistakes = []
    entries, bad = [], []
    header: list[str] = []
    try:
        header = [each.strip() for each in next(reader, [])]
        refuse(list(_header_mistakes(shape, header)), file)
        for line, cells in _numbered(reader):
            progress()
            if len(cells) != len(header):
                mistakes.append((line, f"expected {len(header)} fields, found {len(cells)}"))
                bad.append(dict(zip(header, map(str.strip, cells), strict=False)))
                continue
            given = {name: cell for name, cell in zip(header, map(str.strip, cells), strict=True) if cell}
            if zeros := [name for name, cell in given.items() if "\0" in cell]:
                mistakes.append((line, f"{zeros[0]}: expected text, found a zero byte in it"))
                bad.append(given)
                continue
            try:
                entries.append((line, shape.entry.model_validate(given)))
            except ValidationError as error:
                mistakes += [(line, each) for each in _told(error)]
                bad.append(given)
    except csv.Error as error:
        mistakes.append((reader.line_num, f"not CSV: {error}"))
    return Rows(frozenset(header), entries, mistakes, bad, file)


def _header_mistakes(shape: Shape, header: list[str]) -> Iterator[tuple[int, str]]:
    known = (*shape.needed, *shape.possible)
    unknown = [each or "nothing" for each in header if each not in known]
    missing = [each for each in shape.needed if each not in header]
    twice = sorted({each for each in header if header.count(each) > 1})
    if unknown or missing or twice:
        needed = ", ".join(shape.needed)
        yield 1, f"expected a header of {', '.join(known)}, parted by commas ({needed} needed)"


def _numbered(reader: "Iterator[list[str]]") -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the line on which it begins."""
    began = 2
    for cells in reader:
        if any(map(str.strip, cells)):
            yield began, cells
        began = reader.line_num + 1  # type: ignore[attr-defined] # a csv.reader, whose type has no name


def _told(error: ValidationError) -> Iterator[str]:
    for each in error.errors(include_input=False):
        name = ".".join(map(str, each["loc"]))
        yield f"{name}: {each['msg']}".removeprefix(": ").replace("Value error, ", "")
