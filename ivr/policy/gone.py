"""When a call of a node that nobody has seen for long is over for certain, so that it may be settled without it."""

from datetime import datetime, timedelta
from typing import Final

#: A controller that does not reach the database for so long is gone; its Asterisk may well go on.
GONE_AFTER: Final = timedelta(minutes=10)
#: From the keyed number to the connection: the dialogue, the ringing and the acceptance end by Asterisk's own
#: time-outs in less than this.
BEFORE_TALK: Final = timedelta(minutes=30)
#: What clocks of two nodes may differ, and the hour to which the time of an anonymous call is kept.
DOUBT: Final = timedelta(minutes=75)


def is_gone(seen_at: datetime, at: datetime) -> bool:
    """Whether a node that was seen then has been away for so long that others look after its calls."""
    return at - seen_at >= GONE_AFTER


def surely_over(keyed_at: datetime, limit_ms: int | None, at: datetime) -> bool:
    """Whether a call can't go on any more, whatever has become of its node: Asterisk itself ends it at its limit."""
    limit = timedelta(milliseconds=limit_ms or 0)
    return at - keyed_at >= BEFORE_TALK + limit + DOUBT
