"""Staff say that a node is gone for good."""

from typing import ClassVar

from ivr.policy.gone import GONE_AFTER, is_gone
from ivr.records import calls, nodes, sessions
from ivr.staff.desk import Asked, Desk, StaffError


class OfNode(Asked):
    """A node, by its name."""

    of_facility: ClassVar[bool] = False

    name: str

    @property
    def about(self) -> str:
        """The node."""
        return f"node {self.name}"


def forget(desk: Desk, asked: OfNode) -> str:
    """It is told of no longer; raises StaffError for one that may still run, and for one with calls to settle."""
    row = nodes.named(desk.conn, asked.name)
    if row is None:
        raise StaffError(f"there is no node {asked.name}: `ivr status` lists them")
    if row.stopped_at is None and not is_gone(row.seen_at, desk.at):
        gone_at = row.seen_at + GONE_AFTER
        raise StaffError(
            f"{asked.about} may still run: unless it is seen, it is gone at {gone_at:%H:%M:%S} UTC"
        )
    if left := len(calls.unsealed(desk.conn, asked.name)):
        raise StaffError(
            f"{asked.about} has calls that are not settled yet, {left} of them: "
            "another node settles them once they are over for certain"
        )
    sessions.close_of_gone(desk.conn, asked.name, desk.at)
    nodes.forget(desk.conn, asked.name)
    return f"{asked.about}: forgotten"
