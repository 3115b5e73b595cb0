"""How long a talk lasted, from whatever was seen of it; unknown is decided in the payer's favour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Kind(StrEnum):
    """What an evidence row saw."""

    TALK_FROM = "talk_from"
    TALK_TO = "talk_to"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sighting of a talk's start or end.

    `at` is Asterisk's own stamp. `monotonic_ms` is the controller's clock when it saw the event live, and
    `clock` names the process whose clock that is: spans are only taken within one. `cause` (Q.850) is what the
    dialplan's note of an end holds beside it.
    """

    kind: Kind
    at: datetime
    monotonic_ms: int | None = None
    clock: str | None = None
    cause: int | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """The billable span. `flagged` says that two clocks disagree by more than a second, or that nobody saw the end."""

    ms: int
    started_at: datetime | None = None
    ended_at: datetime | None = None
    flagged: bool = False
    end_seen: bool = True


NO_TALK = Talk(0)
_TOLERANCE_MS = 1000


def talk(seen: Sequence[Evidence], *, limit_ms: int, last_seen_at: datetime | None) -> Talk:
    """The smallest span that the evidence supports, never above the limit.

    Without a start there was no talk. Without an end it ran until the call was last seen alive, and is 0 ms
    if nobody ever saw it. A span that would be negative is unknown: 0 ms, flagged.
    """
    starts = [each for each in seen if each.kind is Kind.TALK_FROM]
    ends = [each for each in seen if each.kind is Kind.TALK_TO]
    if not starts:
        return NO_TALK
    started_at = max(each.at for each in starts)
    ended_at = min((each.at for each in ends), default=last_seen_at)
    if ended_at is None:
        return Talk(0, started_at, started_at, flagged=True, end_seen=False)
    spans = [_ms(ended_at - started_at), *_monotonic_spans(starts, ends)]
    if min(spans) < 0:
        return Talk(0, started_at, started_at, flagged=True, end_seen=bool(ends))
    disagree = max(spans) - min(spans) > _TOLERANCE_MS
    ms = min(*spans, limit_ms)
    return Talk(ms, started_at, ended_at, flagged=disagree or not ends, end_seen=bool(ends))


def _monotonic_spans(starts: Sequence[Evidence], ends: Sequence[Evidence]) -> list[int]:
    return [
        end.monotonic_ms - start.monotonic_ms
        for start in starts
        for end in ends
        if start.monotonic_ms is not None and end.monotonic_ms is not None and start.clock == end.clock
    ]


def _ms(span: timedelta) -> int:
    return int(span / timedelta(milliseconds=1))
