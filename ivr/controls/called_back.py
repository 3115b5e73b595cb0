"""What a dialogue may ask for with somebody who was called back: their telephone is known, so they hear of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select

from ivr.controls.callers_desk import CallersDesk
from ivr.controls.line import Rates, Receipt, local_date, rates_to
from ivr.controls.node import Node
from ivr.controls.own_account import AccountControls
from ivr.facility import lookup, privileged, scopes
from ivr.facility.lookup import Facility
from ivr.facility.tables import blocked_number
from ivr.policy.reasons import reason
from ivr.policy.request import BlockCause, Payer
from ivr.policy.service import TOLD_CALLS, TOLD_SINCE, Missed, RequestKind, missed
from ivr.records import call_backs
from ivr.records.calls_to import sealed_calls_to
from rating.money import ZERO, Money

#: Whose money pays for a call that the called party is charged for.
THEIRS = frozenset({Payer.PREPAID, Payer.PAID_CALL, Payer.DIRECT_BILL, Payer.COLLECT})


@dataclass(frozen=True, slots=True)
class PastTalk:
    """A call that was talked."""

    call_id: str
    on: date
    minutes: int  # begun ones
    payer: Payer
    charge: Money  # what the called party paid

    @property
    def is_theirs(self) -> bool:
        """Whether the called party paid in money."""
        return self.payer in THEIRS


@dataclass(frozen=True, slots=True)
class MissedCall:
    """A call that did not reach the number."""

    on: date
    why: Missed


@dataclass(frozen=True, slots=True)
class Privilege:
    """A facility at which calls to the number are never recorded."""

    facility_id: str
    since: date  # of the facility
    of_everybody: bool  # else of one inmate
    is_confirmed: bool  # else a second operator has to confirm it


class BlockedBy(StrEnum):
    """Who wants no calls to the number."""

    CALLED_PARTY = "called_party"
    OTHERS = "others"


@dataclass(slots=True)
class CalledBackControls:
    """One call-back. Nothing is told before `verify`: who answers may be anybody, or a machine."""

    node: Node
    call_back_id: str
    _facility: Facility | None = None
    _number: str = ""
    _is_verified: bool = False

    async def answered(self) -> str | None:
        """The language in which it was asked for; None for a call-back that there is not, or that was answered."""
        found = await self.node.database.transact(_answered, self.call_back_id, self.node.now())
        if found is None:
            return None
        row, self._facility = found
        self._number = row.number
        return str(row.language)

    async def verify(self) -> None:
        """Somebody at the number has pressed the key."""
        await self.node.database.transact(call_backs.verified, self.call_back_id, self.node.now())
        self._is_verified = True

    async def unwanted(self) -> None:
        """Somebody there did not ask for it: the number is not called back again for long."""
        await self.node.database.transact(call_backs.unwanted, self.call_back_id, self.node.now())

    @property
    def facility(self) -> Facility:
        """The facility that it is about, once it was answered."""
        assert self._facility is not None
        return self._facility

    @property
    def number(self) -> str:
        """The number, once somebody there has pressed the key; nothing is told or changed without it."""
        if not self._is_verified:
            raise PermissionError(f"call-back {self.call_back_id}: nobody there has pressed the key")
        return self._number

    @property
    def account(self) -> AccountControls:
        """The number's account and subscription."""
        return AccountControls(self.desk)

    @property
    def desk(self) -> CallersDesk:
        """Where what they want is changed."""
        return CallersDesk(self.node, self.facility, self.number, self.call_back_id)

    async def last_talks(self) -> Sequence[PastTalk]:
        """The last calls that were talked, the newest first."""
        return await self.node.database.read(_last_talks, self.facility, self.number, self.node.now())

    async def missed_calls(self) -> Sequence[MissedCall]:
        """The last calls that did not reach the number, the newest first, and why."""
        return await self.node.database.read(_missed_calls, self.facility, self.number, self.node.now())

    async def privileges(self) -> Sequence[Privilege]:
        """Where the number is listed as privileged, of all facilities; one row for each, the widest."""
        return await self.node.database.read(_privileges, self.number, self.node.now())

    async def dispute(self, call_id: str) -> bool:
        """Have staff decide on what a call cost; False where they have decided."""
        return await self.desk.refusal("account dispute", call_id=call_id) is None

    async def blocked_by(self) -> BlockedBy | None:
        """Who has blocked calls from the facility to the number; None: nobody."""
        return await self.node.database.read(_blocked_by, self.facility, self.number)

    async def unblock(self) -> bool:
        """Lift the block that was set from this telephone; False where there is none any more."""
        refused = await self.desk.refusal("number unblock", number=self.number, called_party_asked=True)
        return refused is None

    async def rates(self) -> Rates:
        """What a call to the number costs."""
        return await self.node.database.read(rates_to, self.facility, self.number, self.node.now())

    async def ask_for(self, kind: RequestKind, language: str) -> Receipt:
        """Put something into the list that staff see, as asked for from this telephone."""
        return await self.desk.ask_for(kind, language)


def _answered(conn: Connection, call_back_id: str, at: datetime) -> tuple[Row[Any], Facility] | None:
    row = call_backs.answered(conn, call_back_id, at)
    place = lookup.facility_by_id(conn, row.facility_id) if row else None
    return (row, place) if row and place else None


def _last_talks(conn: Connection, place: Facility, number: str, at: datetime) -> list[PastTalk]:
    rows = sealed_calls_to(conn, place.id, number, at - TOLD_SINCE, TOLD_CALLS, talked=True)
    return [
        PastTalk(
            row.id,
            local_date(place, row.keyed_at),
            -(-row.talk_ms // 60_000),
            Payer(row.payer),
            Money(row.charge) if row.payer in THEIRS else ZERO,
        )
        for row in rows
    ]


def _missed_calls(conn: Connection, place: Facility, number: str, at: datetime) -> list[MissedCall]:
    rows = sealed_calls_to(conn, place.id, number, at - TOLD_SINCE, TOLD_CALLS, talked=False)
    return [MissedCall(local_date(place, row.keyed_at), missed(reason(row.reason))) for row in rows]


def _blocked_by(conn: Connection, place: Facility, number: str) -> BlockedBy | None:
    standing = select(blocked_number.c.cause).where(
        blocked_number.c.facility_id == place.id,
        blocked_number.c.scope == scopes.FACILITY,
        blocked_number.c.covers == "number",
        blocked_number.c.number == number,
        blocked_number.c.lifted_at.is_(None),
    )
    causes = set(conn.scalars(standing))
    if BlockCause.CALLED_PARTY in causes:
        return BlockedBy.CALLED_PARTY
    return BlockedBy.OTHERS if causes else None


def _privileges(conn: Connection, number: str, at: datetime) -> list[Privilege]:
    found: dict[str, Privilege] = {}
    for row in privileged.standing_anywhere(conn, number, at):
        told = Privilege(
            row.facility_id,
            row.added_at.astimezone(ZoneInfo(row.time_zone)).date(),
            of_everybody=row.scope in {scopes.FACILITY, scopes.AGENCY},
            is_confirmed=row.confirmed_at is not None,
        )
        before = found.get(row.facility_id)
        if before is None or _width(told) > _width(before):
            found[row.facility_id] = told
    return list(found.values())


def _width(privilege: Privilege) -> tuple[bool, bool]:
    return privilege.of_everybody, privilege.is_confirmed
