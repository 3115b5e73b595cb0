"""FastAGI: Asterisk asks what to do with a channel, and a handler says it verb by verb."""

from ivr.agi.errors import AgiError, AgiTimeout, CallerGone, PlaybackFailed
from ivr.agi.protocol import Reply, encode
from ivr.agi.server import AgiServer, Counts, Limits, serve
from ivr.agi.session import Digits, Recorded, Session

__all__ = [
    "AgiError",
    "AgiServer",
    "AgiTimeout",
    "CallerGone",
    "Counts",
    "Digits",
    "Limits",
    "PlaybackFailed",
    "Recorded",
    "Reply",
    "Session",
    "encode",
    "serve",
]
