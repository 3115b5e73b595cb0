"""A call, brought step by step to where a test begins, through the real controls; and what stands of it afterwards."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, func, select

from accounts import ledger, payers
from accounts.tables import TransferKind, account, transfer
from accounts.verification import verify
from ivr.controls import Accepted, CalledPartyControls, Grant, InmateControls, Refused
from ivr.records import calls
from ivr.records.tables import call as call_table
from ivr.records.tables import recording, session
from rating.money import Money
from tests.transcripts.play import World

T = TypeVar("T")

PREPAID = "prepaid/example-county-jail/family-one"
SUBSCRIBED, PAID, PRIVILEGED = "1", "2", "2175550110"  # keys: two speed dials, and the public defender
ALEX = "10012468"


async def keyed(world: World, keys: str = PAID, station: str = "demo-a1") -> InmateControls:
    """An inmate has identified themselves and keyed a number."""
    controls = InmateControls(world.node, station, f"PJSIP/{station}-{world.node.new_id()}")
    await controls.open_session()
    assert await controls.identify(ALEX)
    await controls.open_call(keys)
    return controls


async def dialled(world: World, keys: str = PAID, station: str = "demo-a1") -> InmateControls:
    """The call is allowed, its hold stands, and the dialplan rings."""
    controls = await keyed(world, keys, station)
    grant = await controls.authorise()
    assert isinstance(grant, Grant)
    await controls.dialling(grant)
    await controls.close_session(None)
    return controls


async def offered(world: World, keys: str = PAID, station: str = "demo-a1") -> CalledPartyControls:
    """The called party has answered and heard the offer."""
    caller = await dialled(world, keys, station)
    called = CalledPartyControls(world.node, caller.call_id, f"PJSIP/carrier-{caller.call_id}")
    await called.offer()
    await called.close()
    return called


async def accepted(world: World, keys: str = PAID, station: str = "demo-a1") -> str:
    """The called party has accepted; the id of the call."""
    called = await offered(world, keys, station)
    assert isinstance(await called.accept("1", "en"), Accepted)
    return called.call_id


async def decided(world: World, keys: str, station: str = "demo-a1") -> tuple[str, Grant | Refused]:
    """A keyed call, and what came of its authorisation."""
    controls = await keyed(world, keys, station)
    call_id = controls.call_id
    return call_id, await controls.authorise()


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
