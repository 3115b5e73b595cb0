"""A second Asterisk that plays the public telephone network in demonstrations and tests."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from dialplan import modules
from dialplan.dtmf import Dtmf
from dialplan.render import USER_AGENT, common_files, require_rtp_range
from dialplan.template import NUMBER, SECRET, RenderError, fill, require, require_distinct, require_port

#: Where forwarded calls go, as far as they do: nobody has it.
OTHER_NUMBER = "12175550999"


class Behaviour(StrEnum):
    """What a number without a phone does when it is called; each is a context of the dialplan."""

    BUSY = "busy"  # 486
    NO_ANSWER = "no_answer"  # rings for ever
    CONGESTION = "congestion"  # 503
    UNALLOCATED = "unallocated"  # 404
    SILENCE = "silence"  # answers and says nothing
    VOICEMAIL = "voicemail"  # answers and talks for nearly two minutes, then hangs up
    EARLY_MEDIA = "early_media"  # 183 with a tone; keeps what it hears and the keys it gets, then answers
    REDIRECTS = "redirects"  # 302 to another number


class Way(StrEnum):
    """How calls come to a phone, and what becomes of them; each is a context of the dialplan."""

    DIRECT = "phone"
    DIVERTED = "diverted"  # its answer says in a Diversion header that the call was forwarded
    OTHER_NUMBER = (
        "other_number"  # its answer says in P-Asserted-Identity that another number has taken the call
    )
    REFERS = "refers"  # once it hangs up, the network sends REFER to another number, and then a tone


@dataclass(frozen=True, slots=True)
class CalledPhone:
    """A phone that registers under its number (digits of E.164, no +)."""

    number: str
    secret: str = field(repr=False)
    way: Way = Way.DIRECT

    def __post_init__(self) -> None:
        require(NUMBER, "a called phone's number", self.number)
        require(SECRET, f"the secret of {self.number}", self.secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAsterisk:
    """All that the played network is told; any other number is unallocated."""

    folder: Path
    sip_port: int
    rtp_ports: tuple[int, int]  # first and last
    facility_port: int  # SIP, on loopback: calls from there are the facility's
    phones: tuple[CalledPhone, ...]
    voicemail_wav: Path  # what the voicemail says, again and again; 8 kHz, mono
    special: Mapping[str, Behaviour] = field(default_factory=dict)
    early_seconds: int = 5  # how long early media lasts before the answer
    dtmf: Dtmf = Dtmf.RFC4733  # how it hands keys to the facility

    def __post_init__(self) -> None:
        require_port("sip_port", self.sip_port)
        require_port("facility_port", self.facility_port)
        require_rtp_range(self.rtp_ports)
        for number in self.special:
            require(NUMBER, "a number", number)
        require_distinct("number", [*(phone.number for phone in self.phones), *self.special])
        if not re.fullmatch(r"[^.]+\.wav", self.voicemail_wav.name):
            raise RenderError(f"voicemail_wav must name a .wav file, not {self.voicemail_wav}")

    @property
    def readable(self) -> tuple[Path, ...]:
        """Files outside `folder` that Asterisk reads."""
        return (self.voicemail_wav,)

    @property
    def sounds(self) -> Mapping[str, Path]:
        """Links in Asterisk's folder of sounds."""
        return {"voicemail.wav": self.voicemail_wav}

    @property
    def udp_ports(self) -> tuple[int, ...]:
        """Ports that Asterisk must be able to take for SIP."""
        return (self.sip_port,)

    @property
    def tcp_ports(self) -> tuple[int, ...]:
        """None: the played network has no AMI."""
        return ()

    @property
    def evidence_folder(self) -> Path:
        """Where early media is kept: `early-<number>-received-<seconds>.wav` is what came from the caller."""
        return self.folder / "spool" / "monitor"

    def render(self) -> dict[str, str]:
        """See `render_network`."""
        return render_network(self)


def render_network(spec: NetworkAsterisk) -> dict[str, str]:
    """The text of every configuration file by its name; raises RenderError on a value that could inject."""
    phones = (
        fill("network_pjsip_phone.conf", number=phone.number, secret=phone.secret) for phone in spec.phones
    )
    contexts = {phone.number: phone.way.value for phone in spec.phones} | dict(spec.special)
    numbers = (
        f"exten => {number},1,Set(NUMBER=${{EXTEN}})\n same => n,Goto({context},s,1)\n"
        for number, context in contexts.items()
    )
    return {
        **common_files(spec.folder, "network", spec.rtp_ports, modules.NETWORK),
        "manager.conf": "[general]\nenabled = no\n",
        "extensions.conf": fill(
            "network_extensions.conf",
            evidence_folder=str(spec.evidence_folder),
            early_seconds=spec.early_seconds,
            other_number=OTHER_NUMBER,
            blocks={"numbers": "".join(numbers)},
        ),
        "pjsip.conf": fill(
            "network_pjsip.conf",
            sip_port=spec.sip_port,
            facility_port=spec.facility_port,
            facility_agent=USER_AGENT,
            dtmf=spec.dtmf.value,
            blocks={"phones": "".join(phones)},
        ),
    }
