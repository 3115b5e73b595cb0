"""What an inmate may hear and change of their own: money and calls that are left, their name, their language."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from ivr.controls.authorisation import gather
from ivr.controls.node import Node
from ivr.facility.lookup import Facility
from ivr.facility.tables import inmate
from ivr.policy.quantity import MINUTE_MS, CallQuota, Counted, MinuteQuota, calls_left, ms_left
from ivr.policy.request import CallRequest, Payer
from ivr.policy.volume import Volume
from ivr.records import sessions
from rating.money import Money
from rating.numbers import NumberRefusal, Unusable
from rating.quote import MOST_SPOKEN_MINUTES, speakable

#: A name is recorded anew so seldom: called parties hear it for nothing, so it could carry messages.
NAME_STAYS: Final = timedelta(days=30)
MOST_SPOKEN_CALLS: Final = 100


@dataclass(frozen=True, slots=True)
class Left:
    """What an inmate has left now."""

    balance: Money | None  # of their own account; none: they have none, or none is offered here
    calls: int | None  # none: no limit
    minutes: int | None


@dataclass(slots=True)
class OwnControls:
    """One inmate who has said who they are."""

    node: Node
    facility: Facility
    inmate_key: int

    async def left(self) -> Left:
        """The balance, and the calls and minutes that the limits still allow, to whatever number."""
        return await self.node.database.read(_left, self.facility, self.inmate_key, self.node.now())

    async def may_record_name(self) -> bool:
        """Whether the name may be recorded anew now."""
        return await self.node.database.read(_may_record_name, self.inmate_key, self.node.now())

    async def keep_volume(self, volume: Volume) -> None:
        """The telephone speaks so loud to them the next time too."""
        await self.node.database.transact(_keep_volume, self.inmate_key, volume)


def take_file(path: Path) -> bytes:
    """What was recorded there, nothing if it was not; the file goes."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    finally:
        path.unlink(missing_ok=True)


def language_of(conn: Connection, found: Row[Any], language: str, *, is_chosen: bool) -> str:
    """The language in which an inmate goes on: chosen by key a moment ago, which is kept, or else the kept one."""
    if not is_chosen:
        return found.language or language
    if found.language != language:
        _keep_language(conn, found.id, language)
    return language


def keep_language(conn: Connection, session_id: str, inmate_key: int, language: str) -> None:
    """The inmate has chosen another language, for this session and the next one."""
    _keep_language(conn, inmate_key, language)
    sessions.set_language(conn, session_id, language)


def _keep_language(conn: Connection, inmate_key: int, language: str) -> None:
    conn.execute(update(inmate).where(inmate.c.id == inmate_key).values(language=language))


def _keep_volume(conn: Connection, inmate_key: int, volume: Volume) -> None:
    conn.execute(update(inmate).where(inmate.c.id == inmate_key).values(volume=volume))


def _may_record_name(conn: Connection, inmate_key: int, at: datetime) -> bool:
    recorded_at = conn.execute(
        select(inmate.c.name_recorded_at).where(inmate.c.id == inmate_key)
    ).scalar_one()
    return recorded_at is None or recorded_at <= at - NAME_STAYS


def _left(conn: Connection, facility: Facility, inmate_key: int, at: datetime) -> Left:
    request = gather(conn, facility, inmate_key, Unusable(NumberRefusal.NUMBER_INVALID), at)
    own = request.funds.get(Payer.DEBIT) if Payer.DEBIT in request.offered else None
    return Left(speakable(own.available) if own else None, _calls_left(request), _minutes_left(request))


def _calls_left(request: CallRequest) -> int | None:
    """By the tightest of the quotas that count all of the inmate's calls."""
    quotas = [
        each for each in request.limits if isinstance(each, CallQuota) and each.counted is Counted.INMATE
    ]
    left = [max(0, calls_left(request.history, each, request.at)) for each in quotas]
    return min(*left, MOST_SPOKEN_CALLS) if left else None


def _minutes_left(request: CallRequest) -> int | None:
    quotas = [
        each for each in request.limits if isinstance(each, MinuteQuota) and each.counted is Counted.INMATE
    ]
    left = [max(0, ms_left(request.history, each, request.at) // MINUTE_MS) for each in quotas]
    return min(*left, MOST_SPOKEN_MINUTES) if left else None
