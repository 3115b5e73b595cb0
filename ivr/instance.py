"""One instance on this machine: where its parts are, from the settings and the keyring."""

import contextlib

from sqlalchemy import Connection, select

from accounts.db import Database
from dialplan.carrier import ENDPOINTS, Profile
from ivr.ami import Switchboard
from ivr.config import Settings
from ivr.facility.tables import station
from ivr.keyring import Keyring
from ivr.records.recordings import Places
from ivr.sharing.interface import Lost


def keyring_of(settings: Settings) -> Keyring:
    """The secrets of this instance."""
    return Keyring(settings.state_dir.absolute() / "secrets")


def places_of(settings: Settings) -> Places:
    """Where this instance records calls, and keeps recordings of its own."""
    return Places(settings.recordings, settings.archive, settings.own_node)


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


def carrier_names(settings: Settings) -> dict[str, str]:
    """What records call each carrier, by its endpoint."""
    places = [(settings.carrier_host, settings.carrier_port)]
    if settings.second_carrier_host:
        places.append((settings.second_carrier_host, settings.second_carrier_port))
    return {endpoint: f"{host}:{port}" for endpoint, (host, port) in zip(ENDPOINTS, places, strict=False)}


def stations_of(settings: Settings) -> dict[str, str]:
    """Every station of every facility in the database, and how its keys come in."""

    def found(conn: Connection) -> dict[str, str]:
        rows = conn.execute(select(station.c.id, station.c.dtmf).order_by(station.c.id))
        return {row.id: row.dtmf for row in rows}

    with Database.open(settings.url) as database:
        return database.read_now(found)
