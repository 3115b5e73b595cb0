"""An inmate, or everybody at a telephone, may call again after too many wrong PINs."""

from sqlalchemy import select

from ivr.facility import identity
from ivr.facility.tables import facility, station
from ivr.policy.identity import IdentifyBy
from ivr.staff.desk import Asked, Desk, StaffError


class Unlock(Asked):
    """Wrong PINs of an inmate's ID are to be forgotten."""

    inmate_id: str

    @property
    def about(self) -> str:
        """The inmate."""
        return f"inmate {self.inmate_id}"


class UnlockStation(Asked):
    """Wrong PINs that were keyed alone at a station are to be forgotten."""

    station: str

    @property
    def about(self) -> str:
        """The station."""
        return f"station {self.station}"


def unlock(desk: Desk, asked: Unlock) -> str:
    """Unlock an ID; raises StaffError for one that no inmate has."""
    facility_id = desk.facility_id(asked)
    desk.inmate(facility_id, asked.inmate_id)
    was_counted = identity.unlock(desk.conn, facility_id, asked.inmate_id)
    return f"inmate {asked.inmate_id}: {'unlocked' if was_counted else 'no wrong PINs were counted'}"


def unlock_station(desk: Desk, asked: UnlockStation) -> str:
    """End a station's pause; raises StaffError for one that is not there, and where an ID is what is paused."""
    facility_id = desk.facility_id(asked)
    here = select(facility.c.identify_by).join(station, station.c.facility_id == facility.c.id)
    here = here.where(facility.c.id == facility_id, station.c.id == asked.station)
    identify_by = desk.conn.scalar(here)
    if identify_by is None:
        raise StaffError(f"{facility_id} has no station {asked.station}")
    if identify_by != IdentifyBy.PIN:
        raise StaffError(
            f"{facility_id} pauses no station, but an inmate's ID: `ivr inmate unlock` ends that"
        )
    was_counted = identity.unpause(desk.conn, facility_id, asked.station)
    return f"{asked.about}: {'unlocked' if was_counted else 'no wrong PINs were counted'}"
