"""A call is settled once, with the right amount, in whatever order its end is told, and by however many."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, event, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from accounts.tables import transfer
from ivr.ami.client import AmiClient, Event
from ivr.controls.settlement import Ending, Settled, settle, settle_call
from ivr.policy.reasons import Outcome
from ivr.policy.talk import Evidence, Kind
from ivr.records import calls, evidence
from ivr.records.tables import call as call_table
from ivr.records.tables import evidence as evidence_table
from ivr.watch import Watch
from rating.money import Money
from rating.price import Price, charge
from rating.tariff import simple_rate
from rating.timetable import always
from tests.controller import steps
from tests.database import only_postgresql, only_sqlite
from tests.fakes.loop import in_loop
from tests.transcripts.play import World

PRICE = Price(always(simple_rate(Money(60_000), 60, 1)))
BY_NOBODY = Ending(Outcome.SYSTEM_FAULT)

#: How news of a call may come, and whether it settles the call, tells of the start, tells of the end.
NEWS = {
    "from": (False, True, False),  # the event of the start
    "to": (True, True, True),  # the event of the end, which names the start too
    "to alone": (True, False, True),
    "beat": (False, False, False),
    "dialogue": (True, False, False),  # the dialogue after the call, no note to be had
    "dialogue, talking": (True, True, False),  # its note was written before the end
    "dialogue, ended": (True, True, True),
}


class Told:
    """An AMI client that has only these events."""

    def __init__(self, *events: Event) -> None:
        self._events = events

    async def events(self) -> AsyncIterator[Event]:
        for each in self._events:
            yield each


class Telling:
    """A talk of so many seconds, and the ways to tell of it."""

    def __init__(self, world: World, call_id: str, talk_ms: int) -> None:
        self.world, self.call_id = world, call_id
        self.start = world.at
        self.end = world.at + timedelta(milliseconds=talk_ms)

    async def tell(self, news: str) -> None:
        began, ended = (f"{each.timestamp():.6f}" for each in (self.start, self.end))
        call = ("Call", self.call_id)
        match news:
            case "from":
                await self._event(self.start, call, ("UserEvent", "TalkFrom"), ("At", began))
            case "to":
                to = ("UserEvent", "TalkTo"), ("From", began), ("At", ended), ("Cause", "16")
                await self._event(self.end, call, *to)
            case "to alone":
                await self._event(self.end, call, ("UserEvent", "TalkTo"), ("At", ended), ("Cause", "16"))
            case "beat":
                seen_at = self.start + (self.end - self.start) / 2
                await self.world.database.transact(calls.still_alive, [self.call_id], seen_at)
            case dialogue:
                notes = {"dialogue": "", "dialogue, talking": began}
                note = notes.get(dialogue, f"{began} {ended} 16")
                await settle_call(self.world.node, self.call_id, BY_NOBODY, seen=evidence.note(note))

    async def _event(self, at: datetime, *headers: tuple[str, str]) -> None:
        """Asterisk tells it at once, so the monotonic clock of the controller says the same."""
        event = Event("UserEvent", dict(headers), received_s=at.timestamp())
        watch = Watch(self.world.node, cast(AmiClient, Told(event)), "clock")
        await watch.run()
        await watch.close()


def resolutions(world: World, call_id: str) -> Sequence[Any]:
    rows = select(transfer).where(transfer.c.resolves_id == f"call/{call_id}/hold")
    return world.database.read_now(lambda conn: conn.execute(rows).all())


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(told=st.lists(st.sampled_from(sorted(NEWS)), max_size=6), talk_ms=st.integers(0, 900_000))
@example(told=["to"], talk_ms=83_000)
@example(told=["from", "from", "to", "to", "dialogue, ended"], talk_ms=83_000)
@example(told=["dialogue", "from", "to"], talk_ms=83_000)
@example(told=["to alone", "from"], talk_ms=61_000)
@example(told=["from", "beat", "dialogue"], talk_ms=600_000)
@example(told=["beat", "beat"], talk_ms=900_000)
def test_any_order_repetition_and_loss_of_news_settles_once_and_never_for_more_than_was_talked(
    world: World, told: list[str], talk_ms: int
) -> None:
    async def play() -> None:
        call_id = await steps.accepted(world)
        telling = Telling(world, call_id, talk_ms)
        known: set[str] = set()
        sealed = None
        for news in [*told, "dialogue, ended"]:  # the note in AstDB stands until the call is settled
            await telling.tell(news)
            settles, start, end = NEWS[news]
            if sealed is None:
                known |= {word for word, is_known in (("start", start), ("end", end)) if is_known}
            if settles and sealed is None:
                sealed = steps.record(world, call_id)
                assert sealed.sealed_at is not None
        assert steps.record(world, call_id) == sealed
        assert sealed is not None
        truth = charge(PRICE, world.at, talk_ms).due if talk_ms >= 1_000 else 0
        assert 0 <= sealed.charge <= truth
        if "start" not in known:
            assert sealed.charge == 0
        elif known == {"start", "end"}:
            assert (sealed.charge, sealed.talk_ms) == (truth, talk_ms)
        (one,) = resolutions(world, call_id)
        assert one.amount == sealed.charge

    steps.deposit(world, 1, f"deposit/{world.node.new_id()}")
    before = steps.available(world)
    asyncio.run(play())
    assert before - 1_000_000 < steps.available(world) <= before
    steps.assert_books_are_right(world)


@pytest.mark.parametrize("keys", [steps.PAID, steps.SUBSCRIBED, steps.PRIVILEGED])
def test_many_who_settle_at_once_from_threads_get_one_answer(world: World, keys: str) -> None:
    for _ in range(3):
        call_id = asyncio.run(steps.accepted(world, keys))
        began, ended = world.at.timestamp(), (world.at + timedelta(seconds=90)).timestamp()
        note = f"{began:.6f} {ended:.6f} 16"

        def end(call_id: str = call_id, note: str = note) -> Settled | None:
            return asyncio.run(settle_call(world.node, call_id, BY_NOBODY, seen=evidence.note(note)))

        answers = steps.at_once([end] * 8)
        assert answers == [answers[0]] * 8
        assert [answer.is_new for answer in answers if answer].count(True) == 1
        assert answers[0] is not None
        assert answers[0].talk_ms == 90_000
        assert answers[0].charge == (90_000 if keys == steps.PAID else 0)
        row = steps.record(world, call_id)
        assert row.calls_charged == (1 if keys == steps.SUBSCRIBED else 0)
        assert len(resolutions(world, call_id)) == (0 if keys == steps.PRIVILEGED else 1)
    steps.assert_books_are_right(world)


@only_postgresql
def test_who_settles_does_not_wait_for_who_adds_evidence(world: World) -> None:
    call_id = asyncio.run(steps.accepted(world))
    added, settled = threading.Event(), threading.Event()

    def add_and_wait(conn: Connection) -> bool:
        evidence.add(conn, call_id, Evidence(Kind.TALK_FROM, world.at), source="event", at=world.at)
        added.set()
        return settled.wait(10)

    waiting = threading.Thread(target=world.database.transact_now, args=(add_and_wait,))
    waiting.start()
    assert added.wait(10)
    assert world.database.transact_now(settle, call_id, BY_NOBODY, at=world.at, version="test")
    settled.set()
    waiting.join()


@contextmanager
def dying(conn: Connection, statements: int) -> Iterator[None]:
    """Let the connection be there for so many statements."""
    left = iter(range(statements))

    def count(*_what: object) -> None:
        if next(left, None) is None:
            raise ConnectionAbortedError

    event.listen(conn.engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(conn.engine, "before_cursor_execute", count)


@pytest.mark.parametrize("keys", [steps.PAID, steps.SUBSCRIBED])
@pytest.mark.parametrize("talk_s", [0, 90])
def test_a_death_between_any_two_statements_leaves_nothing_behind(
    world: World, keys: str, talk_s: int
) -> None:
    call_id = asyncio.run(steps.accepted(world, keys))
    began, ended = world.at, world.at + timedelta(seconds=talk_s)
    for kind, at in ((Kind.TALK_FROM, began), (Kind.TALK_TO, ended)):
        world.database.transact_now(evidence.add, call_id, Evidence(kind, at), source="event", at=at)
    before, free = steps.record(world, call_id), steps.available(world)

    def settle_and_die(conn: Connection, statements: int) -> Settled | None:
        with dying(conn, statements):
            return settle(conn, call_id, BY_NOBODY, at=ended, version="test")

    deaths = 0
    while True:
        try:
            settled = world.database.transact_now(settle_and_die, deaths)
        except ConnectionAbortedError:
            deaths += 1
            assert steps.record(world, call_id) == before
            assert steps.available(world) == free
            assert resolutions(world, call_id) == []
        else:
            break
    assert deaths >= 6
    assert settled is not None
    assert settled.talk_ms == talk_s * 1000
    assert len(resolutions(world, call_id)) == 1
    steps.assert_books_are_right(world)


@in_loop
async def test_a_call_that_nobody_accepted_costs_nothing_whatever_was_seen(world: World) -> None:
    before = steps.available(world)
    called = await steps.offered(world)
    await Telling(world, called.call_id, 60_000).tell("to")
    row = steps.record(world, called.call_id)
    assert (row.charge, row.talk_ms) == (0, 0)
    assert steps.available(world) == before


@in_loop
async def test_an_unknown_call_is_nobodys_to_settle(world: World) -> None:
    assert (
        await settle_call(world.node, "f" * 32, BY_NOBODY, seen=evidence.note("1.000000 2.000000 16")) is None
    )
    await Telling(world, "f" * 32, 60_000).tell("to")
    assert world.database.read_now(steps.unfinished) == []


def refused(world: World, statement: Any) -> None:
    """The database itself says no."""
    with pytest.raises(DBAPIError, match="never changed"):
        world.database.transact_now(lambda conn: conn.execute(statement))


@in_loop
async def test_a_sealed_call_and_its_evidence_stand_for_ever(world: World) -> None:
    call_id = await steps.accepted(world)
    await Telling(world, call_id, 60_000).tell("to")
    mine, seen = call_table.c.id == call_id, evidence_table.c.call_id == call_id
    sealed = steps.record(world, call_id)
    for values in ({"charge": 0}, {"sealed_at": None, "reason": None}, {"number": None}):
        refused(world, update(call_table).where(mine).values(**values))
    refused(world, delete(call_table).where(mine))
    refused(world, update(evidence_table).where(seen).values(at=world.at))
    refused(world, delete(evidence_table).where(seen))
    world.database.transact_now(lambda conn: calls.set_values(conn, call_id, charge=0))
    world.database.transact_now(calls.seal, call_id, {"reason": "busy"}, world.at)
    assert steps.record(world, call_id) == sealed


@only_sqlite
@in_loop
async def test_a_sealed_call_is_not_replaced_by_another_of_its_id(world: World) -> None:
    call_id = await steps.accepted(world)
    await Telling(world, call_id, 60_000).tell("to")
    row = dict(steps.record(world, call_id)._mapping)
    refused(world, insert(call_table).prefix_with("OR REPLACE").values(**{**row, "charge": 0}))


@only_postgresql
def test_sealed_calls_and_evidence_are_not_emptied(world: World) -> None:
    for table in ("evidence", "call"):
        refused(world, text(f"TRUNCATE {table} CASCADE"))
