"""Templates of configuration files, and the values that may be put into them."""

import re
from importlib import resources

PLACE = re.compile(r"\{\{(\w+)\}\}")
# Of a value only these characters can come in: nothing that ends a line, a value, an argument or a variable.
PLAIN = re.compile(r"[\w ./:@+=~-]*")
SECRET = re.compile(r"[A-Za-z0-9_-]{16,128}")
NUMBER = re.compile(r"[1-9][0-9]{6,14}")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")


class RenderError(ValueError):
    """A value cannot stand in Asterisk's configuration; nothing was written."""


def fill(template: str, /, *, blocks: dict[str, str] | None = None, **values: str | int) -> str:
    """The text of a template with every place filled; raises RenderError on a value that could inject.

    `blocks` are texts that were themselves made by `fill`; they may hold several lines.
    """
    for name, value in values.items():
        if not PLAIN.fullmatch(str(value)):
            raise RenderError(
                f"{name} holds a character that Asterisk's configuration cannot take: {value!r}"
            )
    given = {name: str(value) for name, value in values.items()} | (blocks or {})
    text = (resources.files("dialplan") / "templates" / template).read_text("utf-8")
    places = set(PLACE.findall(text))
    if places != set(given):
        raise RenderError(f"{template} has places for {sorted(places)}, but was given {sorted(given)}")
    return PLACE.sub(lambda place: given[place[1]], text)


def require(form: re.Pattern[str], name: str, value: str) -> None:
    """Raise RenderError unless the whole value is of this form; a secret is never shown."""
    if not form.fullmatch(value):
        shown = "" if form is SECRET else f": {value!r}"
        raise RenderError(f"{name} is not of the form {form.pattern}{shown}")


def require_port(name: str, port: int) -> None:
    """Raise RenderError unless the number is a port that an ordinary user may take."""
    if not 1024 <= port <= 65535:
        raise RenderError(f"{name} must be a port from 1024 to 65535, not {port}")


def require_distinct(name: str, values: list[str]) -> None:
    """Raise RenderError when a name is given twice."""
    if twice := sorted({value for value in values if values.count(value) > 1}):
        raise RenderError(f"{name} given twice: {', '.join(twice)}")
