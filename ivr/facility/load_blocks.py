"""Brings the blocks of a facility, and whom its inmates are not to call, in step with its file."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from ivr.facility import kept, scopes
from ivr.facility.differing import Words, block_name
from ivr.facility.file import BlockedEntry, FacilityFile, NoContactEntry
from ivr.facility.kept import Kept, Left
from ivr.facility.load_levels import LOADER
from ivr.facility.tables import blocked_number
from ivr.policy.request import BlockCause

#: What a block is: whose, what it covers, which one, and why.
Block = tuple[str, str, str, str]
_BLOCK = tuple(blocked_number.c[name] for name in ("scope", "covers", "number", "cause"))


def load_blocks(
    conn: Connection,
    file: FacilityFile,
    inmate_keys: Mapping[str, int],
    theirs: Kept,
    at: datetime,
    *,
    words: Words,
) -> list[str]:
    """The file's blocks become those of the file; anybody else's, a called party's for one, are not its to lift.

    A lifted block stays as a row. Those of inmates whom the file does not name stay in force. What staff have lifted
    stays lifted; a line says so where the file wants it.
    """
    named = {scopes.FACILITY, *map(scopes.inmate, inmate_keys.values())}
    wanted = _wanted(file, inmate_keys)
    return put_blocks(conn, file.facility.id, wanted, named, theirs=theirs, at=at, words=words)


def put_blocks(
    conn: Connection,
    facility_id: str,
    wanted: Mapping[Block, str],
    named: Collection[str],
    *,
    theirs: Kept,
    at: datetime,
    words: Words,
) -> list[str]:
    """The loader's blocks of the named scopes become those that are wanted, each with its note."""
    live = select(blocked_number.c.id, blocked_number.c.author, blocked_number.c.note, *_BLOCK).where(
        blocked_number.c.facility_id == facility_id, blocked_number.c.lifted_at.is_(None)
    )
    standing: dict[Block, tuple[int, str, str]] = {
        (scope, covers, number, cause): (key, author, note)
        for key, author, note, scope, covers, number, cause in conn.execute(live)
    }
    ours = {block: (key, note) for block, (key, author, note) in standing.items() if author == LOADER}
    lifted = {block: key for block, (key, _) in ours.items() if block not in wanted and block[0] in named}
    reworded = {
        block: (key, note, wanted[block])
        for block, (key, note) in ours.items()
        if wanted.get(block, note) != note
    }
    for key, _, note in reworded.values():
        conn.execute(update(blocked_number).where(blocked_number.c.id == key).values(note=note))
    for start in range(0, len(lifted), 100):
        some = blocked_number.c.id.in_([*lifted.values()][start : start + 100])
        conn.execute(update(blocked_number).where(some).values(lifted_at=at))
    absent = [block for block in wanted if block not in standing]
    new = [block for block in absent if _kept_by(block, theirs) is None]
    for block in new:
        values = dict(zip(("scope", "covers", "number", "cause"), block, strict=True))
        new_row = {"facility_id": facility_id, "note": wanted[block], "author": LOADER, "blocked_at": at}
        conn.execute(insert(blocked_number).values(**values, **new_row))
    return [
        *(f"{block_name(*block, words)}: added ({wanted[block]})" for block in new),
        *(f"{block_name(*block, words)}: lifted" for block in lifted),
        *(f"{block_name(*block, words)}: note: {old} → {note}" for block, (_, old, note) in reworded.items()),
        *(
            Left(f"{block_name(*block, words)}: stays lifted, as {author} set it")
            for block in absent
            if (author := _kept_by(block, theirs))
        ),
    ]


def _kept_by(block: Block, theirs: Kept) -> str | None:
    """Who has lifted it; nobody lifts a no-contact block so."""
    scope, covers, number, cause = block
    return theirs.author(scope, kept.block(covers, number, cause))


def _wanted(file: FacilityFile, inmate_keys: Mapping[str, int]) -> dict[Block, str]:
    wanted = blocks(scopes.FACILITY, file.blocked, file.no_contact)
    for person in file.inmate:
        wanted |= blocks(scopes.inmate(inmate_keys[person.id]), (), person.no_contact)
    return wanted


def blocks(
    scope: str, blocked: Iterable[BlockedEntry], no_contact: Iterable[NoContactEntry]
) -> dict[Block, str]:
    """What entries want blocked at a scope, with their notes."""
    wanted: dict[Block, str] = {(scope, *each.covered, each.cause): each.note for each in blocked}
    for each in no_contact:
        wanted[scope, "number", each.number, BlockCause.NO_CONTACT] = each.note
    return wanted
