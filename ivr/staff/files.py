"""Whole files that staff bring in: who may, and what the log says of them."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from ivr.facility.csv_import import Import, import_rows
from ivr.facility.file import FacilityFile
from ivr.facility.pins import PinKey
from ivr.policy.roles import Role
from ivr.staff import authority
from ivr.staff.authority import Act
from ivr.staff.desk import StaffError, said
from ivr.staff.privileged_report import PRIVILEGED
from ivr.staff.signing import Signer

#: How many lines of a load stand in the log; the file's digest tells the rest.
MOST_TOLD: Final = 200
BY_FILE: Final = "by its file"


def loading(file: FacilityFile, note: str = BY_FILE) -> Act:
    """A facility's file sets its rules and prices: for administrators.

    Raises StaffError for a note that says nothing.
    """
    try:
        return Act("load", Role.ADMINISTRATOR, f"facility {file.facility.id}", said(note))
    except ValueError as error:
        raise StaffError(f"note: {error}") from None


def loaded(digest: str, changed: list[str]) -> str:
    """What a load has done, in its own lines, and by which file; nothing, where it has done nothing.

    What it has done to the list of privileged numbers comes first, so that none of it is among what is left out.
    """
    if not changed:
        return ""
    changed = sorted(changed, key=lambda line: PRIVILEGED not in line)
    more = [f"and {len(changed) - MOST_TOLD} more"] if changed[MOST_TOLD:] else []
    return f"loaded the file {digest}: {'; '.join([*changed[:MOST_TOLD], *more])}"


def take_rows(
    conn: Connection, wanted: Import, key: PinKey, at: datetime, *, signer: Signer
) -> str | StaffError:
    """Import a CSV file's rows if the author's role allows it, and log that; refusals for want of a role are values."""
    act = Act(f"import {wanted.kind}", Role.OPERATOR, wanted.kind, "by a CSV file", wanted.facility_id)
    ours = replace(wanted, author=signer.author)
    return authority.attempt(conn, act, signer, at, lambda _: import_rows(conn, ours, key, at))
