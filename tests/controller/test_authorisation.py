"""Who races for one balance or one last call gets what there is; and deciding costs a few indexed look-ups."""

import asyncio
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import Connection, event, insert, select, update

from accounts import ledger, payers
from ivr.controls import Grant, Payer, Refused, authorisation
from ivr.controls.settlement import Ending, settle, settle_call
from ivr.facility import lookup
from ivr.facility.tables import allowed_number, inmate
from ivr.policy.reasons import Denial, Outcome
from ivr.policy.request import CallRequest, NotCovered
from ivr.records import calls, recordings, sessions
from rating.numbers import read_keys
from tests.controller import steps
from tests.database import only_sqlite
from tests.fakes.loop import in_loop
from tests.transcripts.play import World


def leave(world: World, account_id: str, amount: int) -> None:
    """Take what is above the amount out of an account."""
    to = payers.CASH if account_id == steps.PREPAID else payers.CALLS_SOLD
    world.database.transact_now(
        ledger.post,
        transfer_id=f"{account_id}/taken",
        debit_id=account_id,
        credit_id=to,
        amount=steps.available(world, account_id) - amount,
        at=world.at,
    )


def racing(world: World, keys: str, callers: int) -> list[Grant | Refused]:
    """So many inmates dial at the same moment."""
    waiting = [asyncio.run(steps.keyed(world, keys, who=who)) for who in steps.crowd(world, callers)]

    def dial(number: int) -> Callable[[], Grant | Refused]:
        return lambda: asyncio.run(waiting[number].authorise())

    return steps.at_once([dial(number) for number in range(callers)])


@pytest.mark.parametrize("callers", [2, 8, 16])
def test_callers_on_one_balance_are_granted_what_it_can_pay(world: World, callers: int) -> None:
    leave(world, steps.PREPAID, 2_000_000)  # two calls of 15 minutes at $0.90, and one of three for $0.20
    outcomes = racing(world, steps.PAID, callers)
    granted = sorted(each.limit_ms for each in outcomes if isinstance(each, Grant))
    assert granted == [200_000, 900_000, 900_000][-min(callers, 3) :]
    refused = [each.reason for each in outcomes if isinstance(each, Refused)]
    assert refused == [Denial.FUNDS_TOO_LOW] * (callers - len(granted))
    assert steps.available(world) == (200_000 if callers == 2 else 0)
    steps.assert_books_are_right(world)


def test_the_last_subscription_call_is_had_once_and_the_others_pay(world: World) -> None:
    period = steps.period_of(world)
    leave(world, period, 1)
    outcomes = racing(world, steps.SUBSCRIBED, 4)
    by_subscription = [
        each for each in outcomes if isinstance(each, Grant) and each.payer is Payer.SUBSCRIPTION
    ]
    by_prepaid = [each for each in outcomes if isinstance(each, Grant) and each.payer is Payer.PREPAID]
    assert (len(by_subscription), len(by_prepaid)) == (1, 3)
    assert steps.available(world, period) == 0
    steps.assert_books_are_right(world)


def test_the_loser_of_a_race_for_the_last_call_is_refused_where_nobody_else_pays(world: World) -> None:
    leave(world, steps.period_of(world), 1)
    world.database.transact_now(
        payers.remove_number, account_id=steps.PREPAID, number="+12175550101", at=world.at
    )
    outcomes = racing(world, steps.SUBSCRIBED, 4)
    assert len([each for each in outcomes if isinstance(each, Grant)]) == 1
    refused = [each for each in outcomes if isinstance(each, Refused)]
    assert [each.reason for each in refused] == [Denial.FUNDS_TOO_LOW] * 3
    assert {each.told["needed"] for each in refused} == {60_000}


def outrun(stale: int) -> Any:
    """The first looks show what there was before another call took it."""
    seen: list[CallRequest] = []
    gather = authorisation.gather

    def look(*args: Any, **given: Any) -> CallRequest:
        if len(seen) >= stale:
            return gather(*args, **given)
        seen.append(seen[0] if seen else gather(*args, **given))
        if len(seen) == 1:
            conn, at = args[0], args[4]
            _take_all(conn, seen[0], at)
        return seen[0]

    return mock.patch.object(authorisation, "gather", look)


def _take_all(conn: Connection, request: CallRequest, at: Any) -> None:
    """Another call takes the subscription's calls, or the whole balance where there is no subscription."""
    plan = request.subscription
    account_id = plan.account_id if plan else steps.PREPAID
    assert account_id is not None
    left = ledger.balance(conn, account_id).available
    other_side = payers.CALLS_SOLD if plan else payers.CASH
    ledger.post(conn, transfer_id="other", debit_id=account_id, credit_id=other_side, amount=left, at=at)


@in_loop
async def test_who_was_outrun_for_a_subscription_call_is_decided_on_anew(world: World) -> None:
    with outrun(stale=1):
        call_id, grant = await steps.decided(world, steps.SUBSCRIBED)
    assert isinstance(grant, Grant)
    assert grant.payer is Payer.PREPAID
    row = steps.record(world, call_id)
    assert (row.payer, row.not_covered, row.account_id) == (Payer.PREPAID, NotCovered.USED_UP, steps.PREPAID)
    assert world.database.read_now(steps.open_holds) == [f"call/{call_id}/hold"]


@in_loop
async def test_who_is_outrun_again_and_again_is_refused_for_funds(world: World) -> None:
    with outrun(stale=1_000):
        call_id, refused = await steps.decided(world, steps.PAID)
    assert refused == Refused(Denial.FUNDS_TOO_LOW, {"needed": 60_000})
    row = steps.record(world, call_id)
    assert (row.reason, row.number, row.hold_id) == (Denial.FUNDS_TOO_LOW, "+12175550102", None)
    assert world.database.read_now(steps.open_holds) == []


@in_loop
async def test_a_refused_call_is_sealed_with_its_reason_and_holds_nothing(world: World) -> None:
    call_id, refused = await steps.decided(world, "5")
    assert refused == Refused(Denial.NUMBER_BLOCKED, {})
    row = steps.record(world, call_id)
    assert (row.reason, row.charge, row.talk_ms) == (Denial.NUMBER_BLOCKED, 0, 0)
    assert world.database.read_now(steps.open_holds) == []


def crowd(conn: Connection, people: int) -> None:
    """A facility with many more inmates, each with a list of numbers."""
    facility_id = "example-county-jail"
    model = conn.execute(select(inmate).limit(1)).one()
    rows = [
        {
            **model._mapping,
            "id": 5000 + n,
            "inmate_id": f"{5000 + n}",
            "facility_id": facility_id,
            "pin_hash": f"{n}",
        }
        for n in range(people)
    ]
    conn.execute(insert(inmate), rows)
    listed = [
        {"inmate": 5000 + n, "number": f"+121755501{m:02d}", "records": True, "learned": False}
        for n in range(people)
        for m in range(10)
    ]
    conn.execute(insert(allowed_number), listed)


@in_loop
async def test_deciding_takes_a_few_statements_however_many_inmates_there_are(world: World) -> None:
    async def statements(keys: str) -> int:
        controls = await steps.keyed(world, keys)
        call_id, before = controls.call_id, world.database.counts().statements
        await controls.authorise()
        statements = world.database.counts().statements - before
        await settle_call(world.node, call_id, Ending(Outcome.CALLER_HUNG_UP))
        return statements

    few = [await statements(keys) for keys in (steps.PAID, steps.SUBSCRIBED, steps.PRIVILEGED, "5")]
    world.database.transact_now(crowd, 500)
    assert [await statements(keys) for keys in (steps.PAID, steps.SUBSCRIBED, steps.PRIVILEGED, "5")] == few
    assert max(few) <= 11

    def gathered(conn: Connection) -> None:
        facility = lookup.facility_of_station(conn, "demo-a1")
        assert facility is not None
        alex = lookup.inmate_by_id(conn, facility.id, "1001")
        assert alex is not None
        before = world.database.counts().statements
        authorisation.gather(conn, facility, alex.id, read_keys("2175550102"), world.at)
        assert world.database.counts().statements - before <= 5

    world.database.read_now(gathered)


def plans(conn: Connection, work: Callable[[Connection], object]) -> list[str]:
    """How SQLite goes about each statement of the work."""
    ran: list[tuple[str, Any]] = []

    def note(_conn: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        ran.append((statement, parameters))

    event.listen(conn.engine, "before_cursor_execute", note)
    try:
        work(conn)
    finally:
        event.remove(conn.engine, "before_cursor_execute", note)
    return [
        f"{row.detail} FOR {statement}"
        for statement, parameters in ran
        for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
    ]


def scans(plan: list[str]) -> list[str]:
    """Steps that read a whole table or index; those of what is open or running hold little."""
    little = (
        "SCAN CONSTANT ROW",
        "SCAN anchor",
        "INDEX ix_call_unsealed",
        "INDEX ix_session_open",
        "INDEX ix_recording_running",
    )
    return [step for step in plan if "SCAN" in step and not any(each in step for each in little)]


@only_sqlite
@in_loop
async def test_nothing_on_a_calls_path_reads_a_whole_table(world: World) -> None:
    world.database.transact_now(crowd, 200)
    call_id = await steps.accepted(world)
    waiting = await steps.keyed(world, steps.SUBSCRIBED, who=steps.crowd(world, 1)[0])
    facility = waiting.facility

    def path(conn: Connection) -> None:
        lookup.facility_of_station(conn, "demo-a1")
        alex = lookup.inmate_by_id(conn, facility.id, "1001")
        assert alex is not None
        known: dict[str, Any] = {"call_id": waiting.call_id, "inmate": 1000, "dialled": steps.SUBSCRIBED}
        calls.open_call(
            conn,
            **known,
            session_id=waiting.session_id,
            facility_id=facility.id,
            station_id="demo-a1",
            language="en",
            at=world.at,
        )
        authorisation.authorise(conn, facility, **known, at=world.at)
        calls.offer(conn, waiting.call_id, dialled_at=None, carrier=None, at=world.at)
        calls.accept(conn, waiting.call_id, key="1", language="en", at=world.at)
        calls.still_alive(conn, [call_id], world.at)
        settle(conn, call_id, Ending(Outcome.SYSTEM_FAULT), at=world.at, version="test")
        recordings.running_of_sealed_calls(conn)
        sessions.session_of(conn, waiting.session_id)
        sessions.close_session(conn, waiting.session_id, None, world.at)

    found = world.database.transact_now(plans, path)
    assert len(found) > 25
    assert scans(found) == []


@only_sqlite
@in_loop
async def test_a_resync_reads_only_what_is_open(world: World) -> None:
    await steps.accepted(world)

    def look(conn: Connection) -> None:
        calls.unsealed(conn)
        sessions.close_forgotten(conn, {"demo-a1"}, world.at, world.at)

    found = world.database.transact_now(plans, look)
    assert len(found) == 2
    assert scans(found) == []


@in_loop
async def test_a_released_inmate_is_refused_though_they_keyed_before(world: World) -> None:
    controls = await steps.keyed(world)
    world.database.transact_now(lambda conn: conn.execute(update(inmate).values(state="released")))
    assert await controls.authorise() == Refused(Denial.INMATE_RELEASED, {})
