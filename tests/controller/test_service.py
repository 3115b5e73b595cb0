"""Call-backs are rung by the controller, and what people have asked for is answered by staff."""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, update

from accounts.db import Database
from ivr import overdue
from ivr.ami import Switchboard
from ivr.calling_back import CallingBack
from ivr.controls.called_back import CalledBackControls
from ivr.controls.calling_in import north_american
from ivr.jobs import do_round
from ivr.policy.service import FREE_AFTER, UNVERIFIED_AN_HOUR, RequestKind, RequestState, due_on
from ivr.records import alerts, call_backs, service_requests
from ivr.records.tables import service_request
from ivr.staff import changes
from ivr.staff.desk import StaffError
from ivr.staff.service import service_shown
from tests.controller.exchange import watching
from tests.fakes.loop import in_loop
from tests.transcripts.play import KEY, World

CHICAGO = ZoneInfo("America/Chicago")
JAIL, NUMBER = "example-county-jail", "+12175550101"
ASKED = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def ask(conn: Connection, world: World) -> None:
    """Somebody who has shown the number is to be called back."""
    assert call_backs.ask(conn, ASKED, facility_id=JAIL, number=NUMBER, language="es", at=world.at)


@in_loop
async def test_who_called_in_is_rung_at_their_number_three_times_at_most(world: World) -> None:
    async with watching(world) as on:
        on.asterisk.users |= {"announcer": "demonstration"}
        board = Switchboard("127.0.0.1", on.asterisk.port, "demonstration", "demonstration", plus="+")
        worker = CallingBack(world.node, board)
        assert not await worker.work()
        world.database.transact_now(ask, world)
        assert await worker.work()  # the line may not be free yet
        assert [each["Action"] for each in on.asterisk.received].count("Originate") == 0
        world.database.transact_now(call_backs.is_free, ASKED, world.at)
        assert await worker.work()
        assert [each["Action"] for each in on.asterisk.received].count("Originate") == 0
        world.at += FREE_AFTER
        for rung in (1, 2, 3):
            assert await worker.work() is (rung < 3)
            await worker.work()
            sent = await on.asterisk.seen("Originate", rung)
            world.at += timedelta(seconds=45)
        assert not await worker.work()
        assert (sent["Channel"], sent["Context"]) == ("PJSIP/+12175550101@carrier", "called-back")
        assert (sent["CallerID"], sent["Variable"]) == ("+12175550100", f"CALL_BACK={ASKED}")
        assert [each["Action"] for each in on.asterisk.received].count("Originate") == 3


@in_loop
async def test_nobody_is_rung_who_has_answered_or_called_long_ago(world: World) -> None:
    async with watching(world) as on:
        on.asterisk.users |= {"announcer": "demonstration"}
        board = Switchboard("127.0.0.1", on.asterisk.port, "demonstration", "demonstration")
        world.database.transact_now(ask, world)
        world.at += timedelta(minutes=6)  # no controller ran
        assert not await CallingBack(world.node, board).work()
        assert world.database.transact_now(call_backs.answered, ASKED, world.at) is None
        assert "Originate" not in [each["Action"] for each in on.asterisk.received]
        world.at += timedelta(days=1)
        world.database.transact_now(
            call_backs.ask, "f" * 32, facility_id=JAIL, number=NUMBER, language="en", at=world.at
        )
        assert world.database.transact_now(call_backs.answered, "f" * 32, world.at) is not None
        assert not await CallingBack(world.node, board).work()


def test_whoever_shows_one_number_after_the_other_has_us_ring_a_hundred_an_hour_at_most(world: World) -> None:
    def asks(conn: Connection) -> int:
        tried = (
            call_backs.ask(
                conn, f"{n:032x}", facility_id=JAIL, number=f"+1217555{n:04d}", language="en", at=world.at
            )
            for n in range(150)
        )
        return sum(tried)

    assert world.database.transact_now(asks) == UNVERIFIED_AN_HOUR
    assert not world.database.read_now(call_backs.may_be_called_back, NUMBER, world.at)
    world.at += timedelta(hours=1)
    assert world.database.read_now(call_backs.may_be_called_back, NUMBER, world.at)


@pytest.mark.parametrize(
    ("shown", "rung"),
    [
        ("2175550101", "+12175550101"),
        ("+14165550123", "+14165550123"),
        ("18765550123", None),
        ("+18095550123", None),
        ("+442079460000", None),
        ("anonymous", None),
    ],
)
def test_only_the_united_states_and_canada_are_rung_back(shown: str, rung: str | None) -> None:
    assert north_american(shown) == rung


@in_loop
async def test_nothing_is_told_or_changed_before_somebody_there_has_pressed_the_key(world: World) -> None:
    world.database.transact_now(ask, world)
    controls = CalledBackControls(world.node, ASKED)
    assert await controls.answered() == "es"
    for asked in (controls.last_talks, controls.missed_calls, controls.privileges, controls.unblock):
        with pytest.raises(PermissionError, match="nobody there has pressed the key"):
            await asked()
    await controls.verify()
    assert await controls.last_talks() == []


def test_staff_see_what_was_asked_for_and_by_when_and_answer_once(world: World) -> None:
    friday = world.at.date() + timedelta(days=4)
    assert friday.weekday() == 4
    assert due_on(friday, RequestKind.PERSON) == friday + timedelta(days=3)

    def asks(conn: Connection, kind: RequestKind) -> int:
        row = service_requests.ask(
            conn,
            kind,
            facility_id=JAIL,
            number=NUMBER,
            language="en",
            call_back_id=None,
            at=world.at,
            due_on=due_on(world.at.date(), kind),
        )
        return int(row.id)

    later = world.database.transact_now(asks, RequestKind.PRIVILEGED)
    first = world.database.transact_now(asks, RequestKind.PERSON)
    assert world.database.transact_now(asks, RequestKind.PERSON) == first
    shown = world.database.read_now(service_shown, JAIL, decided=False)
    assert [(each["request"], each["due"], each["verified"]) for each in shown] == [
        (first, "2026-11-24", "no"),
        (later, "2026-11-26", "no"),
    ]
    answer = {"request": first, "note": "Called them", "author": "amy"}
    asked = changes.read("service done", answer)
    told = world.database.transact_now(changes.do, "service done", asked, KEY, world.at)
    assert told == f"{NUMBER}: person, done"
    with pytest.raises(StaffError, match="was done by amy"):
        world.database.transact_now(changes.do, "service refuse", asked, KEY, world.at)
    assert len(world.database.read_now(service_shown, None, decided=True)) == 2


def is_asked(conn: Connection, world: World, kind: RequestKind) -> date:
    """Somebody who called in wants something of people; the day by which they are to have it."""
    due = due_on(world.at.astimezone(CHICAGO).date(), kind)
    who = {"facility_id": JAIL, "number": NUMBER, "language": "en"}
    service_requests.ask(conn, kind, **who, call_back_id=None, at=world.at, due_on=due)
    return due


def alerted(world: World, at: datetime) -> int:
    """The job that looks for what is overdue runs; how many alerts come of it."""
    return world.database.transact_now(do_round, overdue.NAME, at).did


@pytest.mark.parametrize("kind", RequestKind)
def test_a_request_that_nobody_answers_becomes_an_alert_on_the_day_after_once(
    world: World, kind: RequestKind
) -> None:
    due = world.database.transact_now(is_asked, world, kind)
    last_minute = datetime.combine(due, time(23, 59), CHICAGO)
    assert [alerted(world, last_minute + timedelta(minutes=later)) for later in (0, 1, 1440)] == [0, 1, 0]
    [alert] = world.database.read_now(alerts.open_alerts)
    assert (alert.kind, f"({kind})" in alert.text, str(due) in alert.text) == (overdue.KIND, True, True)
    world.database.transact_now(alerts.done, alert.id, "amy", world.at)
    assert alerted(world, last_minute + timedelta(days=2)) == 0


def test_a_request_that_was_answered_becomes_no_alert(world: World) -> None:
    world.database.transact_now(is_asked, world, RequestKind.PERSON)
    answered = {"state": RequestState.DONE, "decided_at": world.at, "decided_by": "amy"}
    world.database.transact_now(lambda conn: conn.execute(update(service_request).values(answered)))
    assert alerted(world, world.at + timedelta(days=5)) == 0
