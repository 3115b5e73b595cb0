"""Whether somebody's role allows what they ask for; what they did, read or were refused goes into the audit log."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from ivr.facility import audit, operators
from ivr.facility.audit import Deed
from ivr.policy.roles import Role, may, needed_or_above
from ivr.records.alerts import alert
from ivr.staff.desk import Alarm, StaffError
from ivr.staff.signing import Origin, Signer

T = TypeVar("T")


class NotAllowed(StaffError):  # noqa: N818 - the refusal, which is logged
    """Whoever asks may not do this."""


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody wants to do, and who may; `author`: in whose name it stands, if not in that of who signs."""

    verb: str
    needs: Role
    about: str
    note: str = ""
    facility_id: str | None = None
    deed: Deed = Deed.CHANGE
    author: str | None = None
    is_own: bool = False  # somebody who was called back may have it done for their own number


def attempt(
    conn: Connection,
    act: Act,
    signer: Signer,
    at: datetime,
    work: Callable[[Connection], T],
    *,
    tell: Callable[[T], str] = str,
) -> T | StaffError:
    """Do the work and log it in this transaction; refusals are values, so that what is logged of them stays.

    `tell` says what was done, or nothing where nothing is to be logged. Of an alarm the alert remains and a row that
    it was refused, and nothing of the work.
    """
    role = role_of(conn, signer)
    if refusal := _refusal(act, signer, role):
        _log(conn, act, signer, role, at, deed=Deed.REFUSED, told=str(refusal))
        return refusal
    try:
        with conn.begin_nested():
            done = work(conn)
            if told := tell(done):
                _log(conn, act, signer, role, at, deed=act.deed, told=told)
    except Alarm as alarm:
        alert(conn, alarm.kind, str(alarm), at)
        _log(conn, act, signer, role, at, deed=Deed.REFUSED, told=str(alarm))
        return alarm
    return done


def role_of(conn: Connection, signer: Signer) -> Role | None:
    """What whoever signs may do; of nobody none. While there are no operators, the instance's owner may do all."""
    if signer.fault is not None or signer.origin is Origin.SERVICE_LINE:
        return None
    if not operators.are_there_any(conn):
        return Role.ADMINISTRATOR
    row = operators.named(conn, signer.author)
    return Role(row.role) if row is not None else None


def _refusal(act: Act, signer: Signer, role: Role | None) -> NotAllowed | None:
    if signer.origin is Origin.SERVICE_LINE:
        return None if act.is_own else NotAllowed(f"{signer.author}: `ivr {act.verb}` is for staff alone")
    if role is not None and may(role, act.needs):
        return None
    why = signer.fault or ("is no operator" if role is None else f"is {_a(role)}")
    return NotAllowed(f"{signer.author} {why}: `ivr {act.verb}` needs {_a(needed_or_above(act.needs))}")


def _a(words: str) -> str:
    return f"{'an' if words[0] in 'aeio' else 'a'} {words}"


def _log(
    conn: Connection, act: Act, signer: Signer, role: Role | None, at: datetime, *, deed: Deed, told: str
) -> None:
    audit.log(
        conn,
        deed,
        act.verb,
        act.about,
        told,
        author=act.author or signer.author,
        at=at,
        note=act.note,
        facility_id=act.facility_id,
        role=role,
        login=signer.login,
    )
