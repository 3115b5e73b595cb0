"""The texts of a facility's file and of the files that it names, and the lines of their mistakes."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ivr.facility.fields import PLAIN_NAME
from ivr.facility.refusing import Contradictions, Found
from ivr.facility.where import line_of


class FacilityFileError(Exception):
    """The file can't be used; the message has one line a mistake, each naming its field."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The text of a facility's file, and those of the files that it names, by their names."""

    text: str
    beside: Mapping[str, str]

    @property
    def digest(self) -> str:
        """SHA-256 over the SHA-256 of each, the facility's first and then by name, as hexadecimal."""
        texts = [self.text, *(self.beside[name] for name in sorted(self.beside))]
        return sha256(b"".join(sha256(each.encode()).digest() for each in texts)).hexdigest()


def read(path: Path) -> Sources:
    """The file and those beside it that it names; raises FacilityFileError if one can't be read."""
    text = _read(path)
    names = named(toml(text, str(path)))
    return Sources(text, {name: _read(path.with_name(name)) for name in names if is_plain(name)})


def named(content: Mapping[str, Any]) -> list[str]:
    """The files that a facility's file names, as far as it is well formed."""
    facility = content.get("facility")
    if not isinstance(facility, dict):
        return []
    tariffs = facility.get("tariffs")
    names = [*(tariffs if isinstance(tariffs, list) else []), facility.get("taxes"), facility.get("agency")]
    return [each for each in names if isinstance(each, str)]


def is_plain(name: str) -> bool:
    """Whether a name is that of a file beside the facility's."""
    return re.fullmatch(PLAIN_NAME, name) is not None


def toml(text: str, name: str) -> dict[str, Any]:
    """What a text of TOML holds; raises FacilityFileError."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FacilityFileError(f"{name}: not TOML: {error}") from None


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise FacilityFileError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise FacilityFileError(f"{path}: not UTF-8: {error}") from None


def mistakes(name: str, text: str, error: ValidationError) -> list[str]:
    """Each with its field, and with the line of the field or of the table that it is missing from."""
    told = []
    for place, said in _placed(error):
        field = ".".join(str(part) for part in place) or "file"
        line = line_of(text, place)
        told.append(f"{name}: {field}: {said}{f' (line {line})' if line else ''}")
    return told


def _placed(error: ValidationError) -> Found:
    """Every mistake with its place; of entries that do not go together each of them."""
    for each in error.errors(include_input=False):
        cause = each.get("ctx", {}).get("error")
        if isinstance(cause, Contradictions):
            yield from (((*each["loc"], *place), said) for place, said in cause.found)
        else:
            yield each["loc"], each["msg"].removeprefix("Value error, ")
