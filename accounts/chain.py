"""The chain over the book: each transfer's hash covers the one before it, so that none is changed or taken out unseen.

Links are added a moment after the transfers, in the order in which those are found: nothing waits for the chain while a
call is settled. A hash that was posted elsewhere proves every transfer up to it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, func, insert, select, type_coerce
from sqlalchemy.exc import IntegrityError

from accounts.db import LostRace
from accounts.tables import ledger_link, transfer

#: What the first link covers in place of one before it.
START: Final = "0" * 64
MOST_AT_ONCE: Final = 5_000
#: How far before the newest linked transfer one is looked for that was posted late.
LATE: Final = timedelta(hours=1)
_ROWS_AT_ONCE: Final = 10_000
#: The fields of a transfer that a link covers, the instant as the database keeps it.
_COVERED: Final[Sequence[Any]] = (
    transfer.c.id,
    transfer.c.kind,
    transfer.c.unit,
    transfer.c.debit_id,
    transfer.c.credit_id,
    transfer.c.amount,
    transfer.c.resolves_id,
    type_coerce(transfer.c.posted_at, BigInteger),
)


@dataclass(frozen=True, slots=True)
class Head:
    """The last link: how many transfers the chain covers, and the hash that proves them."""

    position: int
    hash: str

    def __str__(self) -> str:
        return f"{self.position}:{self.hash}"


def head(conn: Connection) -> Head:
    """Where the chain ends now."""
    newest = select(ledger_link.c.position, ledger_link.c.hash).order_by(ledger_link.c.position.desc())
    row = conn.execute(newest.limit(1)).first()
    return Head(row.position, row.hash) if row else Head(0, START)


def link_hash(before: str, entry: Iterable[object]) -> str:
    """SHA-256 over the hash before and every covered field, each with its length, as hexadecimal."""
    fields = [before, *map(str, entry)]
    return sha256("".join([f"{len(each)}:{each}" for each in fields]).encode()).hexdigest()


def extend(conn: Connection, *, since: datetime | None = None) -> int:
    """Link transfers that are not in the chain yet, so many at once; how many were linked.

    `since`: only those posted from then on are looked for; without it all, which reads the whole book. Raises LostRace
    where another has extended the chain meanwhile.
    """
    last = head(conn)
    unlinked = select(*_COVERED).outerjoin(ledger_link).where(ledger_link.c.transfer_id.is_(None))
    if since is not None:
        unlinked = unlinked.where(transfer.c.posted_at >= since)
    rows = []
    position, before = last.position, last.hash
    for entry in conn.execute(unlinked.order_by(transfer.c.posted_at, transfer.c.id).limit(MOST_AT_ONCE)):
        position, before = position + 1, link_hash(before, entry)
        rows.append({"position": position, "transfer_id": entry[0], "hash": before})
    if not rows:
        return 0
    try:
        conn.execute(insert(ledger_link), rows)
    except IntegrityError as taken:
        raise LostRace("the chain of the ledger") from taken
    return len(rows)


def newest_posted(conn: Connection) -> datetime | None:
    """When the newest linked transfer was posted, less what another may be late; None for an empty chain."""
    last = select(transfer.c.posted_at).join(ledger_link).order_by(ledger_link.c.position.desc()).limit(1)
    found: datetime | None = conn.scalar(last)
    return found - LATE if found else None


def chain_faults(conn: Connection, progress: Callable[[int], object] = lambda _: None) -> Iterator[str]:
    """Every linked transfer that is not as it was, or missing, and every link that is, in words.

    `progress` is told how many links were looked at, from time to time.
    """
    links = (
        select(ledger_link.c.position, ledger_link.c.transfer_id, ledger_link.c.hash, *_COVERED)
        .outerjoin(transfer, transfer.c.id == ledger_link.c.transfer_id)
        .order_by(ledger_link.c.position)
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


def waits_since(conn: Connection) -> datetime | None:
    """When the first transfer that waits for its link was posted; None where none waits."""
    waiting = select(func.min(transfer.c.posted_at)).outerjoin(ledger_link)
    found: datetime | None = conn.scalar(waiting.where(ledger_link.c.transfer_id.is_(None)))
    return found


def unlinked(conn: Connection) -> int:
    """How many transfers wait for their link."""
    posted = conn.scalar(select(func.count()).select_from(transfer)) or 0
    linked = conn.scalar(select(func.count()).select_from(ledger_link)) or 0
    return posted - linked


def proves(conn: Connection, known: Head) -> bool:
    """Whether the chain still has a hash that was kept elsewhere, at its place."""
    at = select(ledger_link.c.hash).where(ledger_link.c.position == known.position)
    return known == Head(0, START) or conn.scalar(at) == known.hash


def read_head(text: str) -> Head:
    """A head as it is printed, "57:3fa0…"; raises ValueError."""
    position, _, digest = text.strip().partition(":")
    if not (position.isdecimal() and len(digest) == len(START) and set(digest) <= set("0123456789abcdef")):
        raise ValueError('expected a head as `ivr ledger head` prints it, such as "57:3fa0…"')
    return Head(int(position), digest)
