"""AMI: actions and events of one Asterisk, for the controller and for one-shot verbs."""

from ivr.ami.client import AmiClient, Connected, Disconnected, Event, Timing
from ivr.ami.errors import AmiDown, AmiError, AmiTimeout
from ivr.ami.oneshot import one_shot
from ivr.ami.switchboard import SILENTLY, Switchboard, end_talk

__all__ = [
    "SILENTLY",
    "AmiClient",
    "AmiDown",
    "AmiError",
    "AmiTimeout",
    "Connected",
    "Disconnected",
    "Event",
    "Switchboard",
    "Timing",
    "end_talk",
    "one_shot",
]
