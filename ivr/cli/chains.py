"""What verbs that prove a chain of hashes have in common."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import Connection

from accounts.db import Chain, Database, chained
from ivr.clock import utc_now
from ivr.counted import counted

#: What waits longer for its link in the chain is proved by nothing.
LINKED_WITHIN = timedelta(hours=1)
Known = Annotated[
    str | None, typer.Option("--head", help="a head that was printed before: is it still in the chain?")
]


class HeadUnread(Exception):  # noqa: N818 - a mistake of whoever asks
    """What was given is no head of a chain."""


def entries(number: int, waiting: int) -> str:
    """How many there are, and how many of them nothing proves yet."""
    return f"{counted(number, 'entry', 'entries')}, {waiting:,} of them not in the chain yet"


def found(faults: Sequence[str]) -> str:
    """How many faults there are."""
    return counted(len(faults), "fault") if faults else "no fault"


def faults(database: Database, chain: Chain, known: str | None) -> list[str]:
    """Every fault of a chain, hashed again with the progress shown; of a known head, whether it stands there still."""
    try:
        head = chained.read_head(known) if known else None
    except ValueError as mistake:
        raise HeadUnread(f"--head: {mistake}") from None
    return database.read_now(_faults, chain, head)


def _faults(conn: Connection, chain: Chain, known: chained.Head | None) -> list[str]:
    screen = Console(stderr=True)
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as progress:
        task = progress.add_task("entries hashed again", total=max(1, chain.links(conn)))
        found = list(chain.faults(conn, lambda count: progress.advance(task, count)))
    if known is not None and not chain.proves(conn, known):
        found.append(f"entry {known.position}: its hash is not the one that was kept elsewhere")
    since = chain.waits_since(conn)
    if since is not None and utc_now() - since > LINKED_WITHIN:
        found.append(
            f"not in the chain since {since:%Y-%m-%d %H:%M} UTC: nothing proves these; `ivr jobs run` links"
        )
    return found
