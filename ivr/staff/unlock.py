"""An inmate may call again after too many wrong PINs."""

from ivr.facility import identity
from ivr.staff.desk import Asked, Desk


class Unlock(Asked):
    """Wrong PINs of an inmate's ID are to be forgotten."""

    inmate_id: str

    @property
    def about(self) -> str:
        """The inmate."""
        return f"inmate {self.inmate_id}"


def unlock(desk: Desk, asked: Unlock) -> str:
    """Unlock an ID; raises StaffError for one that no inmate has."""
    facility_id = desk.facility_id(asked)
    desk.inmate(facility_id, asked.inmate_id)
    was_counted = identity.unlock(desk.conn, facility_id, asked.inmate_id)
    return f"inmate {asked.inmate_id}: {'unlocked' if was_counted else 'no wrong PINs were counted'}"
