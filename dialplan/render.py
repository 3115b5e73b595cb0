"""The configuration of a facility's Asterisk: values in, texts of files out, nothing touched."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dialplan import carrier, modules
from dialplan.carrier import Carrier, Tls
from dialplan.check import prove
from dialplan.dtmf import Dtmf
from dialplan.template import (
    SECRET,
    RenderError,
    fill,
    require,
    require_distinct,
    require_port,
)

# A letter first: a station's name is never mistaken for the number that a carrier shows as its caller.
STATION_ID = re.compile(r"[a-z][a-z0-9-]{0,39}")
USER_AGENT = "Asterisk"  # no version: it is nobody's business
RESERVED_NAMES = frozenset({"carrier", "global", "system", "transport", "talking", "station", "anonymous"})
# Channels are known by their endpoint: all that begin so are carriers'.
RESERVED_BEGINNINGS = ("carrier-", "transport-")
SHORTEST_RTP_RANGE = 20
# Read by Asterisk's core even when there is nothing to set; a missing file is an error in its log.
EMPTY_FILES = ("acl.conf", "ccss.conf", "codecs.conf", "pjproject.conf", "stasis.conf", "udptl.conf")


@dataclass(frozen=True, slots=True)
class Station:
    """One telephone of the facility, or one port of a gateway: a name and a secret of its own."""

    id: str
    secret: str = field(repr=False)
    dtmf: Dtmf = Dtmf.AUTO

    def __post_init__(self) -> None:
        require(STATION_ID, "a station's id", self.id)
        require(SECRET, f"the secret of station {self.id}", self.secret)
        if self.id in RESERVED_NAMES or self.id.startswith(RESERVED_BEGINNINGS):
            raise RenderError(f"{self.id} cannot be a station's id: the configuration uses that name itself")


@dataclass(frozen=True, slots=True, kw_only=True)
class FacilityAsterisk:
    """All that the facility's Asterisk is told; everything it writes is under `folder`."""

    folder: Path
    prompts: Path  # holds one folder for each language
    sip_port: int
    agi_port: int
    ami_port: int
    rtp_ports: tuple[int, int]  # first and last
    stations: tuple[Station, ...]
    carriers: tuple[Carrier, ...]  # one, or two in order
    listeners: tuple[Station, ...] = ()  # telephones of staff, which call nobody
    token: str = field(repr=False)
    controller_secret: str = field(repr=False)
    switch_secret: str = field(repr=False)
    announcer_secret: str = field(repr=False)
    tls: Tls | None = None  # for carriers that are spoken with over TLS
    sip_address: str = "127.0.0.1"  # 0.0.0.0 listens on every address of the machine
    languages: tuple[str, ...] = ("en", "es")
    dialogue_seconds: int = 240  # at most from off-hook to the verdict, and again after each call
    acceptance_seconds: int = 120  # at most for the called party's dialogue

    def __post_init__(self) -> None:
        for name in ("sip_port", "agi_port", "ami_port"):
            require_port(name, getattr(self, name))
        require_rtp_range(self.rtp_ports)
        if min(self.dialogue_seconds, self.acceptance_seconds) < 1:
            raise RenderError("a dialogue needs a second or more")
        carrier.require_carriers(self.carriers, self.tls)
        require_distinct("station", [station.id for station in (*self.stations, *self.listeners)])
        names = ("token", "controller_secret", "switch_secret", "announcer_secret")
        for name in names:
            require(SECRET, name, getattr(self, name))
        secrets = [
            *(getattr(self, name) for name in names),
            *(s.secret for s in (*self.stations, *self.listeners)),
        ]
        if len(set(secrets)) != len(secrets):
            raise RenderError("two secrets are the same; each must be one of its own")
        for language in self.languages:
            require(re.compile(r"[a-z]{2}"), "a language", language)
        try:
            ipaddress.IPv4Address(self.sip_address)
        except ValueError:
            raise RenderError(f"sip_address must be an IPv4 address, not {self.sip_address!r}") from None

    @property
    def readable(self) -> tuple[Path, ...]:
        """Folders outside `folder` that Asterisk reads."""
        return (self.prompts, *(self.tls.files if self.tls is not None else ()))

    @property
    def sounds(self) -> Mapping[str, Path]:
        """Links in Asterisk's folder of sounds: `<language>/ivr` is the project's audio in that language."""
        return {f"{language}/ivr": self.prompts / language for language in self.languages}

    @property
    def udp_ports(self) -> tuple[int, ...]:
        """Ports that Asterisk must be able to take for SIP."""
        return (self.sip_port,)

    @property
    def tcp_ports(self) -> tuple[int, ...]:
        """Ports that Asterisk must be able to take for AMI and carriers; the one for FastAGI is the controller's."""
        return (self.ami_port, *carrier.ports_of(self.carriers, self.tls, self.sip_port))

    def render(self) -> dict[str, str]:
        """The files of `render`, proven safe; raises `dialplan.check.CheckError` when they are not."""
        files = render(self)
        prove(files)
        return files


def render(spec: FacilityAsterisk) -> dict[str, str]:
    """The text of every configuration file by its name; raises RenderError on a value that could inject."""
    required = (*modules.FACILITY, *carrier.modules_of(spec.carriers))
    return {
        **common_files(spec.folder, "facility", spec.rtp_ports, required, modules.RECORDS),
        "manager.conf": fill(
            "manager.conf",
            ami_port=spec.ami_port,
            controller_secret=spec.controller_secret,
            switch_secret=spec.switch_secret,
            announcer_secret=spec.announcer_secret,
        ),
        "cdr_manager.conf": fill("cdr_manager.conf"),
        "cdr_custom.conf": fill("cdr_custom.conf"),
        "cel.conf": fill("cel_facility.conf"),
        "cel_custom.conf": fill("cel_custom.conf"),
        "cli_aliases.conf": fill("cli_aliases.conf"),
        "extensions.conf": fill(
            "extensions.conf",
            token=spec.token,
            agi_port=spec.agi_port,
            dialogue_seconds=spec.dialogue_seconds,
            acceptance_seconds=spec.acceptance_seconds,
            plus=spec.carriers[0].profile.plus,
            blocks={"next_carrier": carrier.next_carrier(spec.carriers)},
        ),
        "pjsip.conf": _pjsip(spec),
    }


def _pjsip(spec: FacilityAsterisk) -> str:
    known = spec.sip_address != "0.0.0.0"  # noqa: S104 — a comparison, nothing is bound here
    stations = (
        fill("pjsip_station.conf", id=station.id, dtmf=station.dtmf.value, secret=station.secret)
        for station in spec.stations
    )
    listeners = (fill("pjsip_listener.conf", id=each.id, secret=each.secret) for each in spec.listeners)
    return fill(
        "pjsip.conf",
        user_agent=USER_AGENT,
        sip_address=spec.sip_address,
        sip_port=spec.sip_port,
        blocks={
            # Without it Asterisk asks a name server for its own address on every call.
            "media_address": f"media_address = {spec.sip_address}" if known else "",
            "transports": carrier.transports(spec.carriers, spec.tls, spec.sip_address, spec.sip_port),
            "carriers": carrier.endpoints(spec.carriers),
            "stations": "".join((*stations, *listeners)),
        },
    )


def common_files(
    folder: Path,
    system_name: str,
    rtp_ports: tuple[int, int],
    required: tuple[str, ...],
    wanted: tuple[str, ...] = (),
) -> dict[str, str]:
    """The files that every Asterisk of ours has; it starts without what is only wanted."""
    loads = "".join(
        [*(f"require = {name}.so\n" for name in required), *(f"load = {name}.so\n" for name in wanted)]
    )
    return {
        "asterisk.conf": fill("asterisk.conf", folder=_plain_path(folder), system_name=system_name),
        "modules.conf": fill("modules.conf", blocks={"loads": loads}),
        "rtp.conf": fill("rtp.conf", rtp_first=rtp_ports[0], rtp_last=rtp_ports[1]),
        **{
            name: fill(name)
            for name in ("cdr.conf", "cel.conf", "features.conf", "indications.conf", "logger.conf")
        },
        **dict.fromkeys(EMPTY_FILES, fill("empty.conf")),
    }


def require_rtp_range(ports: tuple[int, int]) -> None:
    """Raise RenderError unless the ports are a range that carries some calls (two ports for each leg)."""
    first, last = ports
    require_port("the first RTP port", first)
    require_port("the last RTP port", last)
    if first % 2 or last - first + 1 < SHORTEST_RTP_RANGE:
        raise RenderError(
            f"rtp_ports begin with an even port and hold {SHORTEST_RTP_RANGE} or more, not {ports}"
        )


def _plain_path(folder: Path) -> str:
    if not folder.is_absolute():
        raise RenderError(f"the folder of an Asterisk must be an absolute path, not {folder}")
    return str(folder)
