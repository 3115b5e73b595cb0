"""What staff have set by a verb, or a feed, stays as they set it whatever file is loaded."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from ivr.facility import scopes
from ivr.facility.daily import kept_setting

#: What is kept of an inmate, and whether a number stands in their list; of a block, `block`.
STATE, UNIT, PIN, LISTED = "state", "unit", "pin", "listed"
#: Of a number: which prepaid account pays for calls to it.
PAYER = "payer"
#: The columns of an inmate's row that are kept together.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    STATE: ("state", "state_note", "suspended_from", "suspended_to"),
    UNIT: ("unit_id",),
    PIN: ("pin_hash", "pin_key_id"),
}


class Left(str):
    """A line of a load about what it leaves as it is: such a line changes nothing."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """What staff keep at a facility."""

    authors: Mapping[tuple[str, str], str]  # by scope and word
    numbers: Mapping[str, set[str]]  # of the list of an inmate, by the inmate's scope

    def author(self, scope: str, what: str) -> str | None:
        """Who keeps it; None where nobody does."""
        return self.authors.get((scope, what))


def block(covers: str, number: str, cause: str) -> str:
    """The word for whether a block stands."""
    return f"block {covers} {number} {cause}"


def kept(conn: Connection, facility_id: str) -> Kept:
    """All that staff keep at a facility."""
    mine = select(kept_setting).where(kept_setting.c.facility_id == facility_id)
    authors = {(row.scope, row.what): row.author for row in conn.execute(mine)}
    numbers: dict[str, set[str]] = defaultdict(set)
    for scope, what in authors:
        if what == LISTED:
            numbers[scopes.owner(scope)].add(scope.rpartition("/")[2])
    return Kept(authors, dict(numbers))


def keep(
    conn: Connection, facility_id: str, settings: Iterable[tuple[str, str]], author: str, at: datetime
) -> None:
    """From now on these scopes' words are the author's, and no file's."""
    names = ("facility_id", "scope", "what")
    rows = [
        dict(zip(names, (facility_id, scope, what), strict=True)) for scope, what in dict.fromkeys(settings)
    ]
    if not rows:
        return
    each: list[Any] = [kept_setting.c[name] == bindparam(f"_{name}") for name in names]
    conn.execute(
        delete(kept_setting).where(*each), [{f"_{name}": row[name] for name in names} for row in rows]
    )
    conn.execute(insert(kept_setting), [{**row, "author": author, "at": at} for row in rows])
