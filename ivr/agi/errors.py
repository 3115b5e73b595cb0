"""What can end an AGI dialogue.

CallerGone           the channel was hung up: not a failure
AgiError             the peer, or Asterisk, broke the protocol or refused a command
├── AgiTimeout       a command's deadline passed
└── PlaybackFailed   Asterisk could not play a file
"""


class CallerGone(Exception):  # noqa: N818 - unwinds a dialogue; not an error
    """The channel is gone; any verb may raise this, and no further command is possible."""


class AgiError(Exception):
    """The other side broke the protocol or refused a command; messages hold no values."""


class AgiTimeout(AgiError):  # noqa: N818
    """Asterisk did not answer a command within its deadline; the connection was closed."""


class PlaybackFailed(AgiError):  # noqa: N818
    """Asterisk could not play at least one of the files."""
