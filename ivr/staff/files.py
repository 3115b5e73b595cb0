"""Whole files that staff bring in: who may, and what the log says of them."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from ivr.facility.csv_import import Import, import_rows
from ivr.facility.file import FacilityFile
from ivr.facility.pins import PinKey
from ivr.policy.roles import Role
from ivr.staff import authority
from ivr.staff.authority import Act
from ivr.staff.desk import StaffError
from ivr.staff.signing import Signer


def loading(file: FacilityFile) -> Act:
    """A facility's file sets its rules and prices: for administrators."""
    return Act("load", Role.ADMINISTRATOR, f"facility {file.facility.id}", note="by its file")


def loaded(changed: list[str]) -> str:
    """What a load has done; nothing, where it has done nothing."""
    return f"{len(changed)} changes" if changed else ""


def take_rows(
    conn: Connection, wanted: Import, key: PinKey, at: datetime, *, signer: Signer
) -> str | StaffError:
    """Import a CSV file's rows if the author's role allows it, and log that; refusals for want of a role are values."""
    act = Act(f"import {wanted.kind}", Role.OPERATOR, wanted.kind, "by a CSV file", wanted.facility_id)
    ours = replace(wanted, author=signer.author)
    return authority.attempt(conn, act, signer, at, lambda _: import_rows(conn, ours, key, at))
