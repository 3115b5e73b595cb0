"""One instance on this machine: its Asterisk, described from the settings, the keyring and the database."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from accounts.db import Database
from dialplan.asterisk import Asterisk
from dialplan.carrier import ENDPOINTS, Carrier, Profile, Tls, Transport
from dialplan.check import prove
from dialplan.dtmf import Dtmf
from dialplan.install import Installation
from dialplan.render import FacilityAsterisk, Station
from ivr.ami import Switchboard
from ivr.config import PROJECT, Settings
from ivr.facility.tables import station
from ivr.keyring import Keyring
from ivr.records.recordings import Places
from ivr.sharing.interface import Lost

PROMPTS = PROJECT / "prompts" / "audio"


def keyring_of(settings: Settings) -> Keyring:
    """The secrets of this instance."""
    return Keyring(settings.state_dir.absolute() / "secrets")


def places_of(settings: Settings) -> Places:
    """Where this instance records calls, and keeps recordings of its own."""
    return Places(settings.recordings, settings.archive, settings.own_node)


def control_socket(settings: Settings) -> Path:
    """Where the running controller takes commands."""
    return settings.state_dir.absolute() / "control.sock"


def tell_others(settings: Settings) -> None:
    """A command has changed something by itself: all controllers look, a few seconds later if they don't hear."""
    if settings.redis_url:
        from ivr.sharing import in_redis  # noqa: PLC0415 - slow to load, and most have none

        with contextlib.suppress(Lost):
            in_redis.say_changed(settings.redis_url)


def switchboard(settings: Settings, keyring: Keyring) -> Switchboard:
    """Asterisk of this instance, for what goes beside the controller's own connection."""
    return Switchboard(
        settings.host,
        settings.ami_port,
        switch_secret=keyring.ami("switch"),
        announcer_secret=keyring.ami("announcer"),
        plus=Profile(settings.carrier_profile).plus,
    )


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


def carrier_names(settings: Settings) -> dict[str, str]:
    """What records call each carrier, by its endpoint."""
    places = [(settings.carrier_host, settings.carrier_port)]
    if settings.second_carrier_host:
        places.append((settings.second_carrier_host, settings.second_carrier_port))
    return {endpoint: f"{host}:{port}" for endpoint, (host, port) in zip(ENDPOINTS, places, strict=False)}


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


def stations_of(settings: Settings) -> dict[str, str]:
    """Every station of every facility in the database, and how its keys come in."""

    def found(conn: Connection) -> dict[str, str]:
        rows = conn.execute(select(station.c.id, station.c.dtmf).order_by(station.c.id))
        return {row.id: row.dtmf for row in rows}

    with Database.open(settings.url) as database:
        return database.read_now(found)
