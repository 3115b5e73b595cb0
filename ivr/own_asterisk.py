"""The Asterisk of one instance, described from the settings, the keyring and the database."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dialplan.asterisk import Asterisk
from dialplan.carrier import Carrier, Profile, Tls, Transport
from dialplan.check import prove
from dialplan.dtmf import Dtmf
from dialplan.install import Installation
from dialplan.render import FacilityAsterisk, Station
from ivr.config import PROJECT, Settings
from ivr.instance import keyring_of, stations_of
from ivr.keyring import Keyring

PROMPTS = PROJECT / "prompts" / "audio"


def facility_asterisk(settings: Settings, keyring: Keyring, stations: Mapping[str, str]) -> FacilityAsterisk:
    """What the facility's Asterisk is told, proved to fail closed; every station has a secret of its own."""
    spec = FacilityAsterisk(
        folder=settings.state_dir.absolute() / "asterisk",
        prompts=PROMPTS,
        sip_port=settings.sip_port,
        sip_address=settings.sip_host,
        agi_port=settings.agi_port,
        ami_port=settings.ami_port,
        rtp_ports=(settings.rtp_first_port, settings.rtp_last_port),
        stations=tuple(Station(each, keyring.sip(each), Dtmf(dtmf)) for each, dtmf in stations.items()),
        listeners=tuple(Station(each, keyring.sip(each)) for each in settings.listeners),
        carriers=carriers(settings, keyring),
        tls=_tls(settings),
        token=keyring.agi_token,
        controller_secret=keyring.ami("controller"),
        switch_secret=keyring.ami("switch"),
        announcer_secret=keyring.ami("announcer"),
    )
    prove(spec.render())
    return spec


def carriers(settings: Settings, keyring: Keyring) -> tuple[Carrier, ...]:
    """The carriers in the order in which they are tried; raises KeyringError where one's secret is not there."""
    which = ("carrier", "second_carrier") if settings.second_carrier_host else ("carrier",)
    return tuple(_carrier(settings.model_dump(), name, keyring) for name in which)


def _carrier(given: Mapping[str, Any], name: str, keyring: Keyring) -> Carrier:
    user = given[f"{name}_user"]
    return Carrier(
        given[f"{name}_host"],
        given[f"{name}_port"],
        user=user or None,
        secret=keyring.given(name) if user else None,
        transport=Transport(given[f"{name}_transport"]),
        profile=Profile(given[f"{name}_profile"]),
        dtmf=Dtmf(given[f"{name}_dtmf"]),
        is_asked=given[f"{name}_options"],
    )


def _tls(settings: Settings) -> Tls | None:
    if not settings.tls_authorities:
        return None
    files = (settings.tls_authorities, settings.tls_certificate, settings.tls_key)
    return Tls(settings.tls_port, *(Path(file).absolute() for file in files))


def this_asterisk(settings: Settings, installation: Installation) -> Asterisk:
    """The Asterisk of this instance, running or not."""
    return Asterisk(installation, facility_asterisk(settings, keyring_of(settings), stations_of(settings)))


def asterisk_runs(settings: Settings) -> bool:
    """Whether its console can be reached."""
    return (settings.state_dir.absolute() / "asterisk" / "run" / "asterisk.ctl").is_socket()
