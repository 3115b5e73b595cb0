"""Writes TOML: the values that a facility's file may hold, in a form that people can go on editing."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

Table = Mapping[str, Any]


def to_toml(content: Table) -> str:
    """The content as TOML: tables of it under their headings, short rows of nested ones in braces.

    Values are texts, whole numbers, truth values, dates, local times, lists of these, and tables; what is None is
    left out. Reading it with `tomllib` gives the same content.
    """
    return "\n".join(_body(content, "")).strip("\n") + "\n"


def _body(table: Table, path: str) -> Iterator[str]:
    nested = {}
    for name, value in table.items():
        if value is None:
            continue
        if _is_table(value) or (_is_rows(value) and not (path and _is_short(value))):
            nested[name] = value
        else:
            yield f"{name} = {_value(value)}"
    for name, value in nested.items():
        inner = f"{path}.{name}" if path else name
        for each in value if _is_rows(value) else [value]:
            yield f"\n[[{inner}]]" if _is_rows(value) else f"\n[{inner}]"
            yield from _body(each, inner)


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_rows(value: object) -> bool:
    return isinstance(value, Sequence) and bool(value) and _is_table(value[0])


def _is_short(rows: Sequence[Table]) -> bool:
    """Whether each row fits in braces: nothing nests in it."""
    return not any(isinstance(value, list | Mapping) for row in rows for value in row.values())


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
        case int():
            return str(value)
        case datetime() | date():  # local times: a facility's file has no others
            return value.isoformat()
        case list() if _is_rows(value):
            return "[\n" + "".join(f"    {_in_braces(row)},\n" for row in value) + "]"
        case list():
            return f"[{', '.join(map(_value, value))}]"
    raise TypeError(f"{type(value).__name__} is no value of a facility's file")


def _in_braces(row: Table) -> str:
    held = ", ".join(f"{name} = {_value(value)}" for name, value in row.items() if value is not None)
    return f"{{ {held} }}" if held else "{}"
