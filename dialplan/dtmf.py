"""How the keys of a telephone or a carrier come in, in Asterisk's words."""

from enum import StrEnum


class Dtmf(StrEnum):
    """SIP INFO is understood in every way; tones in the audio only where events were not agreed on, or alone."""

    AUTO = "auto"  # events of RFC 4733 where the other side knows them, else tones
    RFC4733 = "rfc4733"
    INBAND = "inband"  # tones: also of one that agrees on events and sends none
    INFO = "info"
