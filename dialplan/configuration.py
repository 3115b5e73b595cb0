"""Asterisk's configuration files, read as far as it takes to prove something about them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

SECTION = re.compile(r"\[([^]]+)\](?:\(([^)]*)\))?$")
OPTION = re.compile(r"([^=]+?)\s*=>?\s*(.*)$")
COMMENT = re.compile(r"(?<!\\);")  # unless a backslash stands before it
STEP = re.compile(r"(?P<priority>\d+|n)(?:\((?P<label>[\w-]+)\))?,(?P<call>.*)$")
CALL = re.compile(r"(\w+)(?:\((.*)\))?$")


@dataclass(slots=True)
class Section:
    """One `[name](templates)` with its options in order, those of its templates first."""

    name: str
    is_template: bool
    options: list[tuple[str, str]] = field(default_factory=list)

    def value(self, name: str, default: str = "") -> str:
        """The last value of an option, which is the one that counts."""
        return next((value for option, value in reversed(self.options) if option == name), default)

    def values(self, name: str) -> list[str]:
        """All values of an option."""
        return [value for option, value in self.options if option == name]


@dataclass(frozen=True, slots=True)
class Step:
    """One priority of an extension: an application and its argument text."""

    application: str
    arguments: str
    label: str = ""

    def __str__(self) -> str:
        return f"{self.application}({self.arguments})"


Dialplan = dict[str, dict[str, list[Step]]]  # context → extension → steps


def lines_of(text: str) -> Iterator[str]:
    """Lines without comments and empty ones."""
    for line in text.splitlines():
        if plain := COMMENT.split(line, maxsplit=1)[0].strip():
            yield plain


def sections_of(text: str) -> list[Section]:
    """The sections of a file, templates resolved."""
    found: list[Section] = []
    for line in lines_of(text):
        if head := SECTION.match(line):
            words = [word.strip() for word in (head[2] or "").split(",") if word.strip()]
            section = Section(head[1], "!" in words)
            for word in words:
                section.options += [o for s in found if s.is_template and s.name == word for o in s.options]
            found.append(section)
        elif (option := OPTION.match(line)) and found:
            found[-1].options.append((option[1], option[2]))
    return found


def dialplan_of(text: str) -> tuple[Dialplan, list[str]]:
    """The contexts of extensions.conf, and the lines that could not be read as an extension's step."""
    plan: Dialplan = {}
    unread: list[str] = []
    context = extension = ""
    for line in lines_of(text):
        if head := SECTION.match(line):
            context, extension = head[1], ""
            plan.setdefault(context, {})
            continue
        if context in {"general", "globals"}:
            continue
        step = None
        if option := OPTION.match(line):
            word, rest = option[1], option[2]
            if word == "exten":
                extension, _, rest = rest.partition(",")
            if word in {"exten", "same"} and extension:
                step = _step(rest)
        if step is None:
            unread.append(line)
        else:
            plan[context].setdefault(extension, []).append(step)
    return plan, unread


def _step(text: str) -> Step | None:
    found = STEP.match(text)
    call = CALL.match(found["call"]) if found else None
    return Step(call[1], call[2] or "", found["label"] or "") if found and call else None
