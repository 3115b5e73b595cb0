"""A chain over a table that only grows: each entry's hash covers the one before it, so that none is changed unseen.

Links are added a moment after the entries, in the order in which those are found: nothing waits for the chain while an
entry is written. A hash that was kept elsewhere proves every entry up to it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Column, Connection, Table, func, insert, select
from sqlalchemy.exc import IntegrityError

from accounts.db.errors import LostRace

#: What the first link covers in place of one before it.
START: Final = "0" * 64
MOST_AT_ONCE: Final = 5_000
#: How far before the newest linked entry one is looked for that was written late.
LATE: Final = timedelta(hours=1)
_ROWS_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Head:
    """The last link: how many entries the chain covers, and the hash that proves them."""

    position: int
    hash: str

    def __str__(self) -> str:
        return f"{self.position}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Chain:
    """The links of one table: `link` has a position without gaps, a hash, and in `linked` the entry's id.

    `covered` are the fields that a link covers, the id first, as the database keeps them; `written_at` is when an entry
    was written; `named` is what the whole is called.
    """

    named: str
    link: Table
    linked: Column[Any]
    covered: Sequence[Any]
    written_at: Column[datetime]

    def head(self, conn: Connection) -> Head:
        """Where the chain ends now."""
        newest = select(self.link.c.position, self.link.c.hash).order_by(self.link.c.position.desc())
        row = conn.execute(newest.limit(1)).first()
        return Head(row.position, row.hash) if row else Head(0, START)

    def extend(self, conn: Connection, *, since: datetime | None = None) -> int:
        """Link entries that are not in the chain yet, so many at once; how many were linked.

        `since`: only those written from then on are looked for; without it all, which reads the whole table. Raises
        LostRace where another has extended the chain meanwhile.
        """
        last, entry_id = self.head(conn), self.covered[0]
        unlinked = select(*self.covered).outerjoin(self.link).where(self.linked.is_(None))
        if since is not None:
            unlinked = unlinked.where(self.written_at >= since)
        rows = []
        position, before = last.position, last.hash
        for entry in conn.execute(unlinked.order_by(self.written_at, entry_id).limit(MOST_AT_ONCE)):
            position, before = position + 1, link_hash(before, entry)
            rows.append({"position": position, self.linked.name: entry[0], "hash": before})
        if not rows:
            return 0
        try:
            conn.execute(insert(self.link), rows)
        except IntegrityError as taken:
            raise LostRace(f"the chain of the {self.named}") from taken
        return len(rows)

    def newest(self, conn: Connection) -> datetime | None:
        """When the newest linked entry was written, less what another may be late; None for an empty chain."""
        last = select(self.written_at).join(self.link).order_by(self.link.c.position.desc()).limit(1)
        found: datetime | None = conn.scalar(last)
        return found - LATE if found else None

    def faults(self, conn: Connection, progress: Callable[[int], object] = lambda _: None) -> Iterator[str]:
        """Every linked entry that is not as it was, or missing, and every link that is, in words.

        `progress` is told how many links were looked at, from time to time.
        """
        links = (
            select(self.link.c.position, self.linked, self.link.c.hash, *self.covered)
            .outerjoin(self.covered[0].table, self.covered[0] == self.linked)
            .order_by(self.link.c.position)
            .execution_options(yield_per=_ROWS_AT_ONCE)
        )
        position, before = 0, START
        for at, linked_id, linked, *entry in conn.execute(links):
            position += 1
            if at != position:
                yield f"the chain has no entry {position}"
                position = at
            elif entry[0] is None:
                yield f"entry {position}: {linked_id} is missing"
            elif link_hash(before, entry) != linked:
                yield f"entry {position}: {linked_id} is not what was linked"
            before = linked  # so that one fault does not make all after it look wrong
            if position % _ROWS_AT_ONCE == 0:
                progress(_ROWS_AT_ONCE)

    def waits_since(self, conn: Connection) -> datetime | None:
        """When the first entry that waits for its link was written; None where none waits."""
        waiting = select(func.min(self.written_at)).outerjoin(self.link)
        found: datetime | None = conn.scalar(waiting.where(self.linked.is_(None)))
        return found

    def unlinked(self, conn: Connection) -> int:
        """How many entries wait for their link."""
        written = conn.scalar(select(func.count()).select_from(self.covered[0].table)) or 0
        return written - self.links(conn)

    def links(self, conn: Connection) -> int:
        """How many entries are linked."""
        return conn.scalar(select(func.count()).select_from(self.link)) or 0

    def proves(self, conn: Connection, known: Head) -> bool:
        """Whether the chain still has a hash that was kept elsewhere, at its place."""
        at = select(self.link.c.hash).where(self.link.c.position == known.position)
        return known == Head(0, START) or conn.scalar(at) == known.hash


def link_hash(before: str, entry: Iterable[object]) -> str:
    """SHA-256 over the hash before and every covered field, each with its length, as hexadecimal."""
    fields = [before, *map(str, entry)]
    return sha256("".join([f"{len(each)}:{each}" for each in fields]).encode()).hexdigest()


def read_head(text: str) -> Head:
    """A head as it is printed, "57:3fa0…"; raises ValueError."""
    position, _, digest = text.strip().partition(":")
    if not (position.isdecimal() and len(digest) == len(START) and set(digest) <= set("0123456789abcdef")):
        raise ValueError('expected a head as it is printed, such as "57:3fa0…"')
    return Head(int(position), digest)
