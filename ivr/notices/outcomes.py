"""What may come of sending a notice. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from accounts.outbox import NoticeKind


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice that is to be sent now; this is its try number `tries`."""

    id: int
    kind: NoticeKind
    channel: str
    recipient: str
    language: str
    told: Mapping[str, object]
    made_at_s: int  # seconds since 1970
    tries: int
    in_doubt: bool  # a try before this one began, and what came of it is not known


@dataclass(frozen=True, slots=True)
class Sent:
    """The carrier or the mail server has taken it, and calls it this."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """It was certainly not taken; a later try may do better. `ours`: until an operator mends something, none does."""

    why: str
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never be taken for this recipient; `opted_out`: since they have answered STOP."""

    why: str
    opted_out: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have been taken or not; whoever comes next has to look before sending."""

    why: str


@dataclass(frozen=True, slots=True)
class GivenUp:
    """No try will be made: it can't be put into words, or nothing can tell whether it was sent."""

    why: str


Outcome = Sent | NotSent | Refused | Unknown | GivenUp


class Sender(Protocol):
    """One way to send. Both functions block, for a bounded time, and raise nothing that they can foresee."""

    def send(self, notice: Notice) -> Outcome:
        """Send it now."""

    def find(self, notice: Notice, others: frozenset[str]) -> Outcome:
        """What became of a try in doubt; NotSent: it may be sent. `others` are the provider's names of other ones."""
