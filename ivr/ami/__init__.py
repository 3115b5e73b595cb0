"""AMI: actions and events of one Asterisk, for one-shot verbs; the controller's own connection is `ivr.ami.client`.

That one takes a tenth of a second to load, which verbs do not need.
"""

from ivr.ami.errors import AmiDown, AmiError, AmiTimeout
from ivr.ami.oneshot import one_shot
from ivr.ami.switchboard import SILENTLY, Switchboard, end_talk

__all__ = [
    "SILENTLY",
    "AmiDown",
    "AmiError",
    "AmiTimeout",
    "Switchboard",
    "end_talk",
    "one_shot",
]
