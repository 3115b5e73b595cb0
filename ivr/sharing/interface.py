"""What the controllers of several nodes tell each other of this moment: their calls, and that something changed.

Nothing here decides anything, and all of it may be lost: who may call, who pays and what staff want stands in the
database. Whoever is told that something has changed looks there.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

#: What a node has told is forgotten after so long, unless it tells it again.
FORGOTTEN_SECONDS: Final = 15


class Stage(StrEnum):
    """How far a call in progress is, as its Asterisk shows it."""

    RINGING = "ringing"
    ACCEPTING = "accepting"  # the called party has answered
    TALKING = "talking"


@dataclass(frozen=True, slots=True)
class Seen:
    """A call in progress, as its node sees it."""

    call_id: str
    stage: Stage
    since: datetime | None  # none: not known to the node
    ends_at: datetime | None = None  # of a talk: its limit, its hour or a switch, whichever comes first


def written(seen: Sequence[Seen]) -> list[list[str | None]]:
    """Calls as JSON can hold them."""
    return [[each.call_id, each.stage, _text(each.since), _text(each.ends_at)] for each in seen]


def read(told: Sequence[Sequence[str | None]]) -> tuple[Seen, ...]:
    """Calls that were written so."""
    return tuple(
        Seen(str(call_id), Stage(str(stage)), _instant(since), _instant(ends_at))
        for call_id, stage, since, ends_at in told
    )


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


class Lost(Exception):  # noqa: N818 - a state that passes, not a fault
    """The others can't be told now, or not heard; the message says why."""


class Joined(Protocol):
    """One node among the others; each method raises Lost."""

    async def tell(self, seen: Sequence[Seen]) -> None:
        """These are all calls that this node sees."""

    async def changed(self, seconds: float) -> bool:
        """Wait so long at most; whether somebody has said meanwhile that something changed."""


class Shared(Protocol):
    """What joins the nodes. `everybody` and `say_changed` raise Lost."""

    def join(self, node: str) -> AbstractAsyncContextManager[Joined]:
        """Be one of the nodes while the block runs; whatever is said from its beginning on is heard. Raises Lost."""

    async def everybody(self) -> Mapping[str, Sequence[Seen]]:
        """What each node sees that has told it a moment ago, by its name."""

    async def say_changed(self) -> None:
        """Tell every node to look at what staff have changed."""
