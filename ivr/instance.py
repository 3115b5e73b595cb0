"""One instance on this machine: its Asterisk, described from the settings, the keyring and the database."""

from pathlib import Path

from sqlalchemy import Connection, select

from accounts.db import Database
from dialplan.render import Carrier, FacilityAsterisk, Station
from ivr.config import PROJECT, Settings
from ivr.facility.tables import station
from ivr.keyring import Keyring

PROMPTS = PROJECT / "prompts" / "audio"


def keyring_of(settings: Settings) -> Keyring:
    """The secrets of this instance."""
    return Keyring(settings.state_dir.absolute() / "secrets")


def control_socket(settings: Settings) -> Path:
    """Where the running controller takes commands."""
    return settings.state_dir.absolute() / "control.sock"


def facility_asterisk(settings: Settings, keyring: Keyring, stations: list[str]) -> FacilityAsterisk:
    """What the facility's Asterisk is told; every station has a secret of its own."""
    return FacilityAsterisk(
        folder=settings.state_dir.absolute() / "asterisk",
        prompts=PROMPTS,
        sip_port=settings.sip_port,
        sip_address=settings.sip_host,
        agi_port=settings.agi_port,
        ami_port=settings.ami_port,
        rtp_ports=(settings.rtp_first_port, settings.rtp_last_port),
        stations=tuple(Station(each, keyring.sip(each)) for each in stations),
        carrier=Carrier(settings.carrier_host, settings.carrier_port),
        token=keyring.agi_token,
        controller_secret=keyring.ami("controller"),
        switch_secret=keyring.ami("switch"),
    )


def station_ids(settings: Settings) -> list[str]:
    """Every station of every facility in the database."""

    def ids(conn: Connection) -> list[str]:
        return list(conn.scalars(select(station.c.id).order_by(station.c.id)))

    with Database.open(settings.url) as database:
        return database.read_now(ids)
