"""Numbers that a facility's file says are privileged: a file can add them, and take none away."""

from datetime import datetime

from sqlalchemy import Connection

from ivr.facility import privileged, scopes
from ivr.facility.file import FacilityFile, FacilityFileError
from ivr.facility.load_levels import LOADER
from ivr.policy.privilege import PrivilegeKind, PrivilegeSource


def load_privileged(conn: Connection, file: FacilityFile, at: datetime) -> list[str]:
    """Add what is new; raises FacilityFileError where a number that a file has made privileged is so no longer."""
    facility_id = file.facility.id
    wanted = {each.number: each.label for each in file.number if each.privileged}
    rows = privileged.standing(conn, facility_id, at, scope=scopes.FACILITY)
    gone = sorted(
        {row.number for row in rows if row.source == PrivilegeSource.FILE and row.number not in wanted}
    )
    if gone:
        told = [
            f"number {number}: it is privileged, and no file ends that: two operators do, with `ivr number privileged "
            f"remove {number}` and `ivr number privileged confirm {number}`"
            for number in gone
        ]
        raise FacilityFileError("\n".join(told))
    stands = {row.number for row in rows if row.confirmed_at is not None}
    new = [number for number in wanted if number not in stands]
    if not new:
        return []
    with privileged.changing(conn, facility_id) as listed:
        for number in new:
            listed.add(
                scope=scopes.FACILITY,
                number=number,
                kind=PrivilegeKind.OTHER,
                source=PrivilegeSource.FILE,
                note=wanted[number],
                author=LOADER,
                at=at,
                confirmed_by=LOADER,
            )
    return [f"number {number}: privileged: added ({wanted[number]})" for number in new]
