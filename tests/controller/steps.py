"""A call, brought step by step to where a test begins, through the real controls; and what stands of it afterwards."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, func, insert, select

from accounts import ledger, payers
from accounts.tables import TransferKind, account, transfer
from accounts.verification import verify
from ivr.controls import Accepted, CalledPartyControls, Grant, InmateControls, Refused
from ivr.controls.settlement import Ending, settle
from ivr.facility.tables import allowed_number, inmate, special_number
from ivr.policy.reasons import Outcome
from ivr.records import calls
from ivr.records.tables import call as call_table
from ivr.records.tables import recording, session
from rating.money import Money
from tests.transcripts.play import KEY, World

T = TypeVar("T")

PREPAID = "prepaid/example-county-jail/family-one"
SUBSCRIBED, PAID, PRIVILEGED = "1", "2", "2175550110"  # keys: two speed dials, and the public defender
ALEX = "10012468"


async def keyed(world: World, keys: str = PAID, station: str = "demo-a1", who: str = ALEX) -> InmateControls:
    """An inmate has identified themselves and keyed a number."""
    controls = InmateControls(world.node, station, f"PJSIP/{station}-{world.node.new_id()}")
    await controls.open_session()
    assert await controls.identify(who)
    await controls.open_call(keys)
    return controls


async def dialled(world: World, keys: str = PAID, **whose: str) -> InmateControls:
    """The call is allowed, its hold stands, and the dialplan rings."""
    controls = await keyed(world, keys, **whose)
    grant = await controls.authorise()
    assert isinstance(grant, Grant)
    await controls.dialling(grant)
    await controls.close_session(None)
    return controls


async def offered(world: World, keys: str = PAID, **whose: str) -> CalledPartyControls:
    """The called party has answered and heard the offer."""
    caller = await dialled(world, keys, **whose)
    called = CalledPartyControls(world.node, caller.call_id, f"PJSIP/carrier-{caller.call_id}")
    await called.offer()
    await called.close()
    return called


async def accepted(world: World, keys: str = PAID, **whose: str) -> str:
    """The called party has accepted; the id of the call."""
    called = await offered(world, keys, **whose)
    assert isinstance(await called.accept("1", "en"), Accepted)
    return called.call_id


async def decided(world: World, keys: str, **whose: str) -> tuple[str, Grant | Refused]:
    """A keyed call, and what came of its authorisation."""
    controls = await keyed(world, keys, **whose)
    call_id = controls.call_id
    return call_id, await controls.authorise()


async def answer(world: World, keys: str = PAID, **whose: str) -> Grant | Refused:
    """What came of an authorisation; a call that may be made ends before it rings."""
    call_id, outcome = await decided(world, keys, **whose)
    ended = Ending(Outcome.CALLER_HUNG_UP)
    world.database.transact_now(settle, call_id, ended, at=world.at, version="test")
    return outcome


def crowd(world: World, people: int) -> list[str]:
    """So many more inmates with Alex's list, whose two payable numbers take several calls; what each keys."""
    world.database.transact_now(make_crowd, people)
    return [f"{2000 + n}2468" for n in range(people)]


def make_crowd(conn: Connection, people: int) -> None:
    """So many more inmates with the list of inmate 1001; its two payable numbers take several calls."""
    alex = conn.execute(select(inmate).where(inmate.c.inmate_id == "1001")).one()._mapping
    listed = conn.execute(select(allowed_number).where(allowed_number.c.inmate == alex["id"])).all()
    for n in range(people):
        key, keyed_id = 1000 + n, f"{2000 + n}"
        own = {"id": key, "inmate_id": keyed_id, "pin_hash": KEY.hash(alex["facility_id"], keyed_id, "2468")}
        conn.execute(insert(inmate).values({**alex, **own}))
        rows = [{**row._mapping, "inmate": key} for row in listed]
        conn.execute(insert(allowed_number), rows)
    flags = {"free": False, "office": True, "hotline": False, "passive": False, "relay": False}
    for number in ("+12175550101", "+12175550102"):
        office = {"facility_id": alex["facility_id"], "number": number, "label": "office", **flags}
        conn.execute(insert(special_number).values(office))


def record(world: World, call_id: str) -> Row[Any]:
    """The call's row."""
    row = world.database.read_now(calls.call_of, call_id)
    assert row is not None
    return row


def recordings_of(world: World, call_id: str) -> int:
    """How many recordings were begun."""
    count = select(func.count()).select_from(recording).where(recording.c.call_id == call_id)
    return world.database.read_now(lambda conn: conn.scalar(count)) or 0


def open_holds(conn: Connection) -> list[str]:
    """Holds that were neither settled nor released."""
    end = transfer.alias("end")
    holds = select(transfer.c.id).outerjoin(end, end.c.resolves_id == transfer.c.id)
    return list(conn.scalars(holds.where(transfer.c.kind == TransferKind.HOLD, end.c.id.is_(None))))


def held_by_sealed_calls(conn: Connection) -> list[str]:
    """Holds that are open although their call is sealed: there must never be one."""
    sealed = conn.scalars(select(call_table.c.hold_id).where(call_table.c.sealed_at.is_not(None)))
    return sorted(set(open_holds(conn)) & set(sealed))


def unfinished(conn: Connection) -> list[str]:
    """Calls without a sealed record, and sessions without an end."""
    open_calls = conn.scalars(select(call_table.c.id).where(call_table.c.sealed_at.is_(None)))
    open_sessions = conn.scalars(select(session.c.id).where(session.c.ended_at.is_(None)))
    return [*open_calls, *open_sessions]


def available(world: World, account_id: str = PREPAID) -> int:
    """What may be spent or held now."""
    return world.database.read_now(ledger.balance, account_id).available


def period_of(world: World, keys_number: str = "+12175550101") -> str:
    """The account of a subscription's only period."""
    ids = select(account.c.id).where(account.c.id.like(f"subscription/%{keys_number}/%"))
    return str(world.database.read_now(lambda conn: conn.scalars(ids).one()))


def deposit(world: World, dollars: int, name: str) -> None:
    """Money comes in to the prepaid account."""
    world.database.transact_now(
        payers.deposit, transfer_id=name, account_id=PREPAID, amount=Money(dollars * 1_000_000), at=world.at
    )


def assert_books_are_right(world: World) -> None:
    """Everything adds up, and nothing is held for a call that is over."""
    assert world.database.read_now(verify).faults == ()
    assert world.database.read_now(held_by_sealed_calls) == []


def at_once(contenders: list[Callable[[], T]]) -> list[T]:
    """What came of each, started at the same moment from threads of their own."""
    start = threading.Barrier(len(contenders))

    def run(contender: Callable[[], T]) -> T:
        start.wait()
        return contender()

    with ThreadPoolExecutor(len(contenders)) as threads:
        return list(threads.map(run, contenders))


async def settle_unanswered(world: World, call_id: str) -> None:
    """A call ends before anybody has answered."""
    ended = Ending(Outcome.CALLER_HUNG_UP)
    await world.database.transact(settle, call_id, ended, at=world.at, version="test")
