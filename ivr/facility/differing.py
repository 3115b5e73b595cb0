"""What a load changes, in words: each thing by its name, with what it was and what it becomes; of a PIN only that."""

import tomllib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from sqlalchemy import Column, Table

from accounts.db import Micros
from ivr.facility import scopes
from ivr.facility.fields import named_days
from ivr.policy.level import Level
from ivr.policy.quantity import Counted
from rating.money import Money, format_money

Row = Mapping[str, Any]
#: What a thing is, by the words for it; a value without a word is all that there is to say.
Facts = Mapping[str, str]

NONE, YES, NO, PIN = "none", "yes", "no", "PIN"
#: What a column counts, by how its name ends: how many make one, and what that is called.
_UNITS: Final = {
    "_ms": (60_000, " min"),
    "_seconds": (1, " s"),
    "_minutes": (1, " min"),
    "_days": (1, " days"),
}
#: Columns of which the contrary is worth saying.
_CONTRARY: Final = {"records": "not recorded", "overlay": "no announcements"}
#: Columns that hold a file as it was written, and the word for it.
_FILES: Final = {"taxes": "taxes", "text": "file"}
#: What names a row, whose it is, or follows from the rest.
_NOT_SAID: Final = frozenset(
    {"id", "facility_id", "inmate", "number", "exchange", "sha256", "pin_key_id", "learned"}
)


@dataclass(frozen=True, slots=True)
class Words:
    """What words need: the facility's time zone, and the IDs of inmates by the keys of their rows."""

    zone: tzinfo = UTC
    people: Mapping[int, str] = field(default_factory=dict)

    def whose(self, scope: str) -> str:
        """A scope as people name it."""
        match scope.split("/"):
            case [Level.FACILITY | Level.AGENCY]:
                return f"the {scope}"
            case [Level.INMATE, key]:
                return f"inmate {self.people[int(key)]}"
            case [Level.ENTRY, key, number]:
                return f"inmate {self.people[int(key)]}, number {number}"
            case _:
                return scope.replace("/", " ")

    def local(self, at: datetime) -> str:
        """The facility's time, to the minute."""
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}"


def differences(name: str, old: Facts, new: Facts) -> list[str]:
    """A line for each fact that differs."""
    return [
        ": ".join(filter(None, (name, word, _step(word, old.get(word, NONE), new.get(word, NONE)))))
        for word in dict.fromkeys([*old, *new])
        if old.get(word, NONE) != new.get(word, NONE)
    ]


def contradicted(standing: Row, given: Row, table: Table, words: Words) -> str:
    """What stands where a file says otherwise: "unit unit-b, not unit-a"; of a PIN nothing."""
    new = facts(table, given, words)
    old = facts(table, {column: standing[column] for column in given}, words)
    differing = (word for word in new if word != PIN and old[word] != new[word])
    return ", ".join(f"{word} {old[word]}, not {new[word]}" for word in differing)


def rows_changed(table: Table, old: Sequence[Row], new: Sequence[Row], words: Words) -> list[str]:
    """A line for each row that comes or goes, and for each fact of one that stays."""
    if table.name == "schedule_window":
        return list(_hours_changed(old, new, words))
    named = _NAMES[table.name]
    before, after = _by_name(named, old, words), _by_name(named, new, words)
    lines = []
    for name in dict.fromkeys([*before, *after]):
        was, becomes = ([facts(table, row, words) for row in rows[name]] for rows in (before, after))
        gone = [each for each in was if each not in becomes]
        come = [each for each in becomes if each not in was]
        if len(gone) == len(come) == 1:
            lines += differences(name, gone[0], come[0])
            continue
        lines += [f"{name}: removed{_said(each)}" for each in gone]
        lines += [f"{name}: added{_said(each)}" for each in come]
    return lines


def facts(table: Table, row: Row, words: Words) -> Facts:
    """What a row says, but for what names it."""
    match table.name:
        case "call_limit":
            unit = "" if row["kind"] in ("calls", "attempts") else " min"
            dates = {name: str(row[name] or NONE) for name in ("valid_from", "valid_to")}
            return {"": f"{row['most']}{unit}", **{_word(name): day for name, day in dates.items()}}
        case "schedule_exception":
            return {"note": row["note"]}
        case "unrecorded":
            return {}
    found: dict[str, str] = {}
    for column in (each for each in table.c if each.name in row and each.name not in _NOT_SAID):
        if column.name in _FILES:
            found |= _of_file(_FILES[column.name], row[column.name])
        else:
            found[_word(column.name)] = _value(column, row[column.name], words)
    return found


def block_name(scope: str, covers: str, number: str, cause: str, words: Words) -> str:
    """What people call a block, with its cause."""
    whom = f" for {words.whose(scope)}" if scopes.level(scope) is Level.INMATE else ""
    return f"block of {covers} {number}{whom} ({cause})"


def _step(word: str, old: str, new: str) -> str:
    return "changed" if word == PIN else f"{old} → {new}"


def _said(said: Facts) -> str:
    """What is worth saying of a row that comes or goes: not what it is not, and nothing of a file's inside."""
    told = [
        word if value == YES else f"{word} {value}".lstrip()
        for word, value in said.items()
        if value not in (NONE, NO) and word.partition(" ")[0] not in _FILES.values()
    ]
    return f" ({', '.join(told)})" if told else ""


def _word(column: str) -> str:
    if column == "pin_hash":
        return PIN
    for ending in (*_UNITS, "_id"):
        column = column.removesuffix(ending)
    return _CONTRARY.get(column, column.replace("_", " "))


def _value(column: Column[Any], value: Any, words: Words) -> str:
    """What stands in a column, with its unit."""
    if value is None or value == "":
        return NONE
    if isinstance(value, bool):
        return YES if value != (column.name in _CONTRARY) else NO
    if isinstance(value, datetime):
        return words.local(value)
    if isinstance(column.type, Micros):
        return f"${format_money(Money(value))}"
    for ending, (one, unit) in _UNITS.items():
        if column.name.endswith(ending):
            return f"{value // one}{unit}"
    return str(value)


def _of_file(word: str, text: str) -> Facts:
    """Each value of a TOML file by its place in it: "file rate.1.per_minute"."""

    def within(place: str, value: object) -> Iterator[tuple[str, str]]:
        match value:
            case dict():
                for name, inner in value.items():
                    yield from within(f"{place}.{name}", inner)
            case list():
                for number, inner in enumerate(value, 1):
                    yield from within(f"{place}.{number}", inner)
            case _:
                yield f"{word} {place.removeprefix('.')}", str(value)

    return dict(within("", tomllib.loads(text)))


def _by_name(named: Callable[[Row, Words], str], rows: Sequence[Row], words: Words) -> dict[str, list[Row]]:
    found = defaultdict(list)
    for row in rows:
        found[named(row, words)].append(row)
    return found


def _hours_changed(old: Sequence[Row], new: Sequence[Row], words: Words) -> Iterator[str]:
    """Days whose hours change in the same way are one line."""
    before, after = _hours(old), _hours(new)
    for scope in dict.fromkeys([*before, *after]):
        alike: dict[tuple[str, str], set[int]] = defaultdict(set)
        for day in {*before[scope], *after[scope]}:
            was, becomes = (_opened(each[scope].get(day, ())) for each in (before, after))
            if was != becomes:
                alike[was, becomes].add(day)
        for (was, becomes), days in sorted(alike.items(), key=lambda each: min(each[1])):
            yield f"hours of {words.whose(scope)}, {', '.join(named_days(days))}: {was} → {becomes}"


def _hours(rows: Sequence[Row]) -> dict[str, dict[int, list[Row]]]:
    found: dict[str, dict[int, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row["scope"]][row["day"]].append(row)
    return found


def _opened(windows: Collection[Row]) -> str:
    """The windows of one day."""
    told = sorted(f"{each['opens']} to {each['closes']}" for each in windows)
    return ", ".join(told).replace("to 00:00", "to 24:00") or NONE


def _limit_name(row: Row, words: Words) -> str:
    match row["kind"]:
        case "calls" | "minutes":
            kind = f"{row['kind']} each {row['each']}"
        case "cooling_off":
            kind = f"cooling-off from the {row['measured_from']}"
        case "attempts":
            kind = f"attempts in {row['within_minutes']} min"
        case _:
            kind = " ".join(filter(None, ("longest", row["call_type"], "call")))
            kind += f", {row['days']}" if row["days"] else ""
    of = "" if row["counted"] in (None, Counted.INMATE) else f" of the {row['counted']}"
    return f"limit of {words.whose(row['scope'])}: {kind}{of}"


def _exception_name(row: Row, words: Words) -> str:
    begins, ends = words.local(row["starts_at"]), words.local(row["ends_at"])
    if row["kind"] == "holiday":
        return f"holiday {begins[:10]}"
    return f"{row['kind']} of {words.whose(row['scope'])}, {begins} to {ends}"


#: How rows are named, by their table: those of one name are the same thing, before and after.
_NAMES: Final[Mapping[str, Callable[[Row, Words], str]]] = {
    "allowed_number": lambda row, words: f"inmate {words.people[row['inmate']]}, number {row['number']}",
    "call_limit": _limit_name,
    "local_exchange": lambda row, _: f"local exchange {row['exchange']}",
    "plan": lambda row, _: f"plan {row['id']}",
    "schedule_exception": _exception_name,
    "special_number": lambda row, _: f"number {row['number']}",
    "tariff": lambda row, _: f"tariff {row['id']}",
    "unrecorded": lambda row, words: f"{words.whose(row['scope'])}: not recorded",
}
