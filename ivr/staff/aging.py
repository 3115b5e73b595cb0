"""Recordings that are older than the facility keeps them are destroyed at once, by staff."""

from typing import Final

from ivr import retention
from ivr.counted import counted
from ivr.staff.desk import Asked, Desk

#: There may be more: ask again.
MORE: Final = f"{retention.AT_ONCE} recordings destroyed"


class Purge(Asked):
    """All of a facility that are too old."""

    @property
    def about(self) -> str:
        """Which recordings."""
        return "old recordings"


def purge(desk: Desk, asked: Purge) -> str:
    """Destroy some of them, the oldest first, `AT_ONCE` at most; how many."""
    done = retention.destroy(
        desk.conn, desk.facility_id(asked), desk.at, author=asked.author, note=asked.note
    )
    return f"{counted(done, 'recording')} destroyed"
