"""Numbers are blocked, for everybody or for one inmate, and blocks lifted."""

from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator
from sqlalchemy import Row, insert, select, update

from ivr.facility import kept, scopes
from ivr.facility.fields import E164, Prefix
from ivr.facility.file import BLOCKED_TYPES
from ivr.facility.kept import keep
from ivr.facility.tables import blocked_number
from ivr.facility.taken_away import RELAY_LAW, Cover, is_relay, taken_away
from ivr.policy.request import BlockCause
from ivr.records.alerts import TAKEN_AWAY, alert
from ivr.staff.desk import Asked, Desk, StaffError


class Covering(Asked):
    """A number, all that begin with a prefix, or a type of number; for everybody, or for one inmate."""

    number: E164 | None = None
    prefix: Prefix | None = None
    type: BLOCKED_TYPES | None = Field(default=None, validate_default=True)
    inmate_id: str | None = None

    @field_validator("type")
    @classmethod
    def _covers_one_thing(cls, value: str | None, info: ValidationInfo) -> str | None:
        known = {"number", "prefix"} <= info.data.keys()  # no mistake of theirs was told
        if known and len([each for each in (info.data["number"], info.data["prefix"], value) if each]) != 1:
            raise ValueError("expected exactly one of number, prefix, type")
        return value

    @property
    def covered(self) -> tuple[str, str]:
        """What it covers: number, prefix or type, and which."""
        possible = (("number", self.number), ("prefix", self.prefix), ("type", self.type))
        return next((what, value) for what, value in possible if value)

    @property
    def about(self) -> str:
        """What is covered, behind the inmate for whom alone."""
        return f"{f'inmate {self.inmate_id}, ' if self.inmate_id else ''}{' '.join(self.covered)}"


class Block(Covering):
    """It is not to be called."""

    cause: Literal["facility", "security", "agent"] = "facility"


class Unblock(Covering):
    """It may be called again; what a called party has blocked, only if they asked for it."""

    called_party_asked: bool = False


def block(desk: Desk, asked: Block) -> str:
    """Block it, if the same block does not stand already; of a privileged number or a hotline an alert tells.

    Raises StaffError for a relay's number, which is never blocked.
    """
    own = desk.facility_id(asked)
    scope = _scope(desk, own, asked)
    covers, number = asked.covered
    if asked.number is not None and is_relay(desk.conn, own, asked.number):
        raise StaffError(f"{asked.about}: is a relay's, which nobody blocks ({RELAY_LAW})")
    found = [row for row in _live(desk, own, scope, asked) if row.cause == asked.cause]
    if not found:
        row = {"facility_id": own, "scope": scope, "covers": covers, "number": number, "cause": asked.cause}
        why = {"note": asked.note, "author": asked.author, "blocked_at": desk.at}
        desk.conn.execute(insert(blocked_number).values(**row, **why))
    told = [f"{asked.about}: {'was blocked already' if found else 'blocked'} ({asked.cause})"]
    for each in taken_away(desk.conn, own, [Cover(scope, covers, number)], desk.at):
        told.append(f"alert: {each}")
        if not found:
            alert(desk.conn, TAKEN_AWAY, f"{own}: {each}, by {asked.author}: {asked.note}", desk.at)
    return "; ".join(told)


def unblock(desk: Desk, asked: Unblock) -> str:
    """Lift the blocks of staff and of the file, or those of the called party where they asked; no-contact never.

    Raises StaffError where there is none to lift.
    """
    own = desk.facility_id(asked)
    live = _live(desk, own, _scope(desk, own, asked), asked)
    lifted = [row for row in live if _is_meant(row.cause, asked)]
    left = sorted({row.cause for row in live if row not in lifted})
    if not lifted:
        raise StaffError(f"{asked.about}: {_why_not(left)}")
    desk.conn.execute(
        update(blocked_number)
        .where(blocked_number.c.id.in_([row.id for row in lifted]))
        .values(lifted_at=desk.at)
    )
    words = [(row.scope, kept.block(row.covers, row.number, row.cause)) for row in lifted]
    keep(desk.conn, own, words, asked.author, desk.at)
    causes = ", ".join(row.cause for row in lifted)
    still = f", still blocked: {', '.join(left)}" if left else ""
    return f"{asked.about}: unblocked ({causes}){still}"


def _is_meant(cause: str, asked: Unblock) -> bool:
    if cause == BlockCause.NO_CONTACT:
        return False
    return (cause == BlockCause.CALLED_PARTY) is asked.called_party_asked


def _why_not(left: list[str]) -> str:
    if not left:
        return "no such block"
    if left == [BlockCause.NO_CONTACT]:
        return "no-contact, which only the facility's file lifts"
    if BlockCause.CALLED_PARTY in left:
        return "blocked by the called party: lifted only with --called-party-asked"
    return f"not blocked by the called party, but {', '.join(left)}"


def _scope(desk: Desk, own: str, asked: Covering) -> str:
    if asked.inmate_id is None:
        return scopes.FACILITY
    return scopes.inmate(desk.inmate(own, asked.inmate_id).id)


def _live(desk: Desk, own: str, scope: str, asked: Covering) -> list[Row[Any]]:
    covers, number = asked.covered
    mine = (blocked_number.c.facility_id == own, blocked_number.c.scope == scope)
    what = (blocked_number.c.covers == covers, blocked_number.c.number == number)
    live = select(blocked_number).where(*mine, *what, blocked_number.c.lifted_at.is_(None))
    return list(desk.conn.execute(live.order_by(blocked_number.c.id)))
