"""Whole files that staff bring in: who may, and what the log says of them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from ivr.facility.csv_import import Import, import_rows
from ivr.facility.file import FacilityFile
from ivr.facility.kept import Left
from ivr.facility.pins import PinKey
from ivr.facility.tables import facility
from ivr.policy.roles import Role
from ivr.staff import authority
from ivr.staff.authority import Act
from ivr.staff.desk import StaffError, said
from ivr.staff.privileged_report import PRIVILEGED
from ivr.staff.signing import Signer

#: How many lines of a load stand in the log; the file's digest tells the rest.
MOST_TOLD: Final = 200
#: The note of a facility's first load, where nobody says more.
BY_FILE: Final = "by its file"


def loading(file: FacilityFile, note: str | None) -> Act:
    """A facility's file sets its rules and prices: for administrators.

    Raises StaffError for a note that says nothing.
    """
    try:
        why = said(BY_FILE if note is None else note)
    except ValueError as error:
        raise StaffError(f"note: {error}") from None
    return Act("load", Role.ADMINISTRATOR, f"facility {file.facility.id}", why)


def noted(
    conn: Connection, file: FacilityFile, note: str | None, work: Callable[[Connection], list[str]]
) -> list[str]:
    """The work of a load; raises StaffError where it changes a facility that there was, and nobody has said why."""
    was_there = conn.scalar(select(facility.c.id).where(facility.c.id == file.facility.id)) is not None
    changed = work(conn)
    if was_there and note is None and _changes(changed):
        raise StaffError(
            "note: expected one, as the file changes a facility that there is: say why with --note "
            "(--dry-run tells what changes)"
        )
    return changed


def loaded(digest: str, changed: list[str]) -> str:
    """What a load has done, in its own lines, and by which file; nothing, where it has done nothing.

    What it has done to the list of privileged numbers comes first, so that none of it is among what is left out.
    """
    if not _changes(changed):
        return ""
    changed = sorted(changed, key=lambda line: PRIVILEGED not in line)
    more = [f"and {len(changed) - MOST_TOLD} more"] if changed[MOST_TOLD:] else []
    return f"loaded the file {digest}: {'; '.join([*changed[:MOST_TOLD], *more])}"


def _changes(lines: list[str]) -> bool:
    return not all(isinstance(each, Left) for each in lines)


def take_rows(
    conn: Connection, wanted: Import, key: PinKey, at: datetime, *, signer: Signer
) -> str | StaffError:
    """Import a CSV file's rows if the author's role allows it, and log that; refusals for want of a role are values."""
    act = Act(f"import {wanted.kind}", Role.OPERATOR, wanted.kind, "by a CSV file", wanted.facility_id)
    ours = replace(wanted, author=signer.author)
    return authority.attempt(conn, act, signer, at, lambda _: import_rows(conn, ours, key, at))
