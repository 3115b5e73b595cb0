"""Numbers that people have a right to reach and that are blocked all the same: it is done, and somebody is told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from ivr.facility import privileged, scopes
from ivr.facility.load_levels import LOADER
from ivr.facility.settings import patterns
from ivr.facility.tables import blocked_number, special_number
from ivr.policy.level import Level
from rating.numbers import ORDINARY_AND_TOLL_FREE, read_e164

#: A relay is never blocked: whoever needs it could call nobody.
RELAY_LAW = "47 CFR 64.6040"


@dataclass(frozen=True, slots=True)
class Cover:
    """What a block covers (number, prefix or type, and which), at a scope."""

    scope: str
    covers: str
    number: str

    def takes(self, number: str, whose: str) -> bool:
        """Whether it takes this number away from anybody whose it is."""
        apart = scopes.level(self.scope) is scopes.level(whose) is Level.INMATE and self.scope != whose
        if apart or (self.covers == "number" and self.number != number):
            return False
        return self.number in patterns(read_e164(number, allowed_kinds=ORDINARY_AND_TOLL_FREE))


def taken_away(conn: Connection, facility_id: str, blocks: Iterable[Cover], at: datetime) -> Sequence[str]:
    """A sentence for each privileged number and each hotline that these blocks cover, and each relay that they name."""
    special = conn.execute(select(special_number).where(special_number.c.facility_id == facility_id)).all()
    listed = privileged.standing(conn, facility_id, at)
    relays = {row.number for row in special if row.relay}
    guarded = {(row.number, row.scope, "is privileged, and blocked") for row in listed}
    guarded |= {(row.number, scopes.FACILITY, _said(row)) for row in special if row.hotline}
    covers = list(blocks)
    found = {
        f"number {number} {said}"
        for number, whose, said in guarded
        if number not in relays and any(each.takes(number, whose) for each in covers)
    }
    named = relays & {each.number for each in covers if each.covers == "number"}
    return sorted(
        found | {f"number {each} is a relay's: no block of it holds ({RELAY_LAW})" for each in named}
    )


def covers_of_file(conn: Connection, facility_id: str) -> Sequence[Cover]:
    """What is blocked at a facility because its file, or its agency's, says so."""
    live = select(blocked_number.c.scope, blocked_number.c.covers, blocked_number.c.number).where(
        blocked_number.c.facility_id == facility_id,
        blocked_number.c.lifted_at.is_(None),
        blocked_number.c.author == LOADER,
    )
    return [Cover(*row) for row in conn.execute(live)]


def is_relay(conn: Connection, facility_id: str, number: str) -> bool:
    """Whether the facility's file calls it a relay."""
    ours = (special_number.c.facility_id == facility_id, special_number.c.number == number)
    return bool(conn.scalar(select(special_number.c.relay).where(*ours)))


def _said(row: Any) -> str:
    kind = f" ({row.hotline_kind})" if row.hotline_kind else ""
    return f"is a hotline's{kind}, and blocked"
