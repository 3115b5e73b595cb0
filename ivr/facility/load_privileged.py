"""Numbers that a facility's or an agency's file says are privileged: a file can add them, and take none away."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from ivr.facility import privileged, scopes
from ivr.facility.file import FacilityFile, FacilityFileError
from ivr.facility.load_levels import LOADER
from ivr.policy.privilege import PrivilegeKind, PrivilegeSource


def load_privileged(conn: Connection, file: FacilityFile, at: datetime) -> list[str]:
    """Add what is new; raises FacilityFileError where a number that a file has made privileged is so no longer."""
    wanted = {each.number: each.label for each in file.number if each.privileged}
    rows = privileged.standing(conn, file.facility.id, at, scope=scopes.FACILITY)
    _refuse_gone(rows, wanted, "")
    added = _add(conn, file.facility.id, scopes.FACILITY, wanted, rows, at=at)
    _reword(conn, file.facility.id, wanted, rows)  # told as the number's own label
    return added


def load_of_agency(
    conn: Connection, file: FacilityFile, its: Iterable[str], at: datetime
) -> Mapping[str, list[str]]:
    """Make the agency's numbers privileged at each of its facilities; the lines of each.

    Those that operators or signed lists have made so stand at all of them, too, whichever came to the agency last.
    Raises FacilityFileError as `load_privileged` does.
    """
    if file.agency is None:
        return {}
    wanted = {each.number: each.label for each in file.agency.privileged}
    stand = {each: privileged.standing(conn, each, at, scope=scopes.AGENCY) for each in its}
    anywhere = [row for rows in stand.values() for row in rows]
    _refuse_gone(anywhere, wanted, f" --agency {file.agency.agency.id}")
    return {
        each: _add(conn, each, scopes.AGENCY, wanted, anywhere, at=at)
        + _take_over(conn, each, rows, anywhere, at)
        + _reword(conn, each, wanted, privileged.standing(conn, each, at, scope=scopes.AGENCY))
        for each, rows in stand.items()
    }


def leave_agency(conn: Connection, facility_id: str, agency_id: str, at: datetime) -> list[str]:
    """What is privileged as an agency's number stays so at a facility that leaves it, as the facility's own."""
    rows = privileged.standing(conn, facility_id, at)
    own = {(row.number, row.untimed): row for row in rows if row.scope == scopes.FACILITY}
    if not (theirs := [row for row in rows if row.scope == scopes.AGENCY]):
        return []
    with privileged.changing(conn, facility_id) as listed:
        for row in theirs:
            before = own.get((row.number, row.untimed))
            if before is not None and before.confirmed_at is not None:
                listed.change(row.id, removed_at=at)
                continue
            if before is not None:
                listed.change(before.id, removed_at=at)
            listed.change(row.id, scope=scopes.FACILITY, source=PrivilegeSource.STAFF)
    return [
        f"number {row.number}: privileged: stays so, no longer as of agency {agency_id}" for row in theirs
    ]


def _refuse_gone(rows: Iterable[Row[Any]], wanted: Mapping[str, str], option: str) -> None:
    gone = sorted(
        {row.number for row in rows if row.source == PrivilegeSource.FILE and row.number not in wanted}
    )
    if gone:
        told = [
            f"number {number}: it is privileged, and no file ends that: two operators do, with `ivr number privileged "
            f"remove {number}{option}` and `ivr number privileged confirm {number}{option}`"
            for number in gone
        ]
        raise FacilityFileError("\n".join(told))


def _add(
    conn: Connection,
    facility_id: str,
    scope: str,
    wanted: Mapping[str, str],
    rows: Iterable[Row[Any]],
    *,
    at: datetime,
) -> list[str]:
    stands = {row.number for row in rows if row.confirmed_at is not None}
    new = [number for number in wanted if number not in stands]
    if not new:
        return []
    with privileged.changing(conn, facility_id) as listed:
        for number in new:
            listed.add(
                scope=scope,
                number=number,
                kind=PrivilegeKind.OTHER,
                source=PrivilegeSource.FILE,
                note=wanted[number],
                author=LOADER,
                at=at,
                confirmed_by=LOADER,
            )
    return [f"number {number}: privileged: added ({wanted[number]})" for number in new]


def _reword(
    conn: Connection, facility_id: str, wanted: Mapping[str, str], rows: Iterable[Row[Any]]
) -> list[str]:
    """What a file has made privileged is called as the file calls it now; a line for each."""
    ours = [row for row in rows if row.source == PrivilegeSource.FILE]
    reworded = [row for row in ours if wanted[row.number] != row.note]
    if not reworded:
        return []
    with privileged.changing(conn, facility_id) as listed:
        for row in reworded:
            listed.change(row.id, note=wanted[row.number])
    return [f"number {row.number}: privileged: label: {row.note} → {wanted[row.number]}" for row in reworded]


def _take_over(
    conn: Connection, facility_id: str, rows: Iterable[Row[Any]], anywhere: Iterable[Row[Any]], at: datetime
) -> list[str]:
    """What stands at other facilities of the agency and not here."""
    known = {(row.number, row.untimed) for row in rows}
    new = {(row.number, row.untimed): row for row in anywhere if (row.number, row.untimed) not in known}
    if not new:
        return []
    with privileged.changing(conn, facility_id) as listed:
        for row in new.values():
            listed.copy(row, at)
    return [f"number {row.number}: privileged: added, as of its agency ({row.note})" for row in new.values()]
