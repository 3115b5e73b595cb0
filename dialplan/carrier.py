"""Who carries calls to the telephone network: one carrier, or two in order, each by what it speaks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from dialplan.dtmf import Dtmf
from dialplan.template import HOST, RenderError, fill, require, require_port

#: The endpoints of carriers, in the order in which they are tried.
ENDPOINTS = ("carrier", "carrier-2")
#: How often a carrier is asked whether it is there (OPTIONS); any answer of it will do.
QUALIFY_SECONDS = 30
#: The module without which no audio can be encrypted.
SRTP = "res_srtp"


class Transport(StrEnum):
    """How a carrier is spoken with; over TLS the audio is encrypted too (SRTP)."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


class Profile(StrEnum):
    """What a carrier expects beside plain SIP."""

    SIP = "sip"  # numbers as digits
    TWILIO = (
        "twilio"  # Elastic SIP Trunking: numbers with their plus sign; certificates for `*.pstn.twilio.com`
    )

    @property
    def plus(self) -> str:
        """What stands before a number."""
        return "+" if self is Profile.TWILIO else ""


@dataclass(frozen=True, slots=True)
class Tls:
    """Where carriers connect to over TLS, which authorities are trusted, and what Asterisk itself shows.

    Without a certificate of its own no carrier could connect, and one that does for the end of a talk is not heard.
    """

    port: int
    authorities: Path
    certificate: Path
    key: Path

    def __post_init__(self) -> None:
        require_port("the port for TLS", self.port)
        for path in self.files:
            if not path.is_absolute():
                raise RenderError(f"{path} must be an absolute path")

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that Asterisk reads."""
        return (self.authorities, self.certificate, self.key)


@dataclass(frozen=True, slots=True)
class Carrier:
    """A way to the telephone network; with user and secret when the carrier asks who calls."""

    host: str
    port: int = 5060
    user: str | None = None
    secret: str | None = field(default=None, repr=False)
    transport: Transport = Transport.UDP
    profile: Profile = Profile.SIP
    dtmf: Dtmf = Dtmf.AUTO
    is_asked: bool = True  # whether it is there; one that answers no OPTIONS would never be tried

    def __post_init__(self) -> None:
        require(HOST, "the carrier's host", self.host)
        require_port("the carrier's port", self.port)
        if (self.user is None) != (self.secret is None):
            raise RenderError("a carrier has both a user and a secret, or neither")
        if self.user is not None and self.secret is not None:
            require(re.compile(r"[\w.+-]{1,64}", re.ASCII), "the carrier's user", self.user)
            require(re.compile(r"[\w.+~=/@:-]{4,128}", re.ASCII), "the carrier's secret", self.secret)

    @property
    def name(self) -> str:
        """What records call it."""
        return f"{self.host}:{self.port}"


def require_carriers(carriers: Sequence[Carrier], tls: Tls | None) -> None:
    """Raise RenderError unless there are one or two, and TLS has what it needs."""
    if not 1 <= len(carriers) <= len(ENDPOINTS):
        raise RenderError(f"there must be one carrier or two, not {len(carriers)}")
    if len({carrier.name for carrier in carriers}) != len(carriers):
        raise RenderError(f"both carriers are {carriers[0].name}: one of them is enough")
    if _speaks(carriers, Transport.TLS) and tls is None:
        raise RenderError("a carrier over TLS needs the authorities whose certificates are trusted")


def ports_of(carriers: Sequence[Carrier], tls: Tls | None, sip_port: int) -> tuple[int, ...]:
    """The TCP ports that Asterisk must be able to take for them."""
    tcp = (sip_port,) if _speaks(carriers, Transport.TCP) else ()
    return (*tcp, tls.port) if tls is not None and _speaks(carriers, Transport.TLS) else tcp


def modules_of(carriers: Sequence[Carrier]) -> tuple[str, ...]:
    """The modules that only these carriers need."""
    return (SRTP,) if _speaks(carriers, Transport.TLS) else ()


def transports(carriers: Sequence[Carrier], tls: Tls | None, sip_address: str, sip_port: int) -> str:
    """The transports of pjsip.conf beside that of the stations."""
    text = ""
    if _speaks(carriers, Transport.TCP):
        text += fill("pjsip_tcp.conf", sip_address=sip_address, sip_port=sip_port)
    if tls is not None and _speaks(carriers, Transport.TLS):
        is_wild = any(carrier.profile is Profile.TWILIO for carrier in carriers)
        text += fill(
            "pjsip_tls.conf",
            sip_address=sip_address,
            tls_port=tls.port,
            authorities=str(tls.authorities),
            certificate=str(tls.certificate),
            key=str(tls.key),
            wildcards="yes" if is_wild else "no",
        )
    return text


def endpoints(carriers: Sequence[Carrier]) -> str:
    """The carriers' parts of pjsip.conf."""
    return "".join(_endpoint(name, carrier) for name, carrier in zip(ENDPOINTS, carriers, strict=False))


def next_carrier(carriers: Sequence[Carrier]) -> str:
    """The dialplan's steps from the first carrier to the second, if there is one."""
    return fill("extensions_next_carrier.conf", plus=carriers[1].profile.plus) if carriers[1:] else ""


def _speaks(carriers: Sequence[Carrier], transport: Transport) -> bool:
    return any(carrier.transport is transport for carrier in carriers)


def _endpoint(name: str, carrier: Carrier) -> str:
    auth = ""
    if carrier.user is not None and carrier.secret is not None:
        auth = fill("pjsip_carrier_auth.conf", id=name, user=carrier.user, secret=carrier.secret)
    is_udp, is_tls = carrier.transport is Transport.UDP, carrier.transport is Transport.TLS
    return fill(
        "pjsip_carrier.conf",
        id=name,
        transport="transport" if is_udp else f"transport-{carrier.transport}",
        dtmf=carrier.dtmf.value,
        host=carrier.host,
        port=carrier.port,
        qualify_seconds=QUALIFY_SECONDS if carrier.is_asked else 0,
        blocks={
            "encryption": fill("pjsip_carrier_srtp.conf") if is_tls else "",
            "auth": auth,
            "over": "" if is_udp else f"\\;transport={carrier.transport}",
        },
    )
