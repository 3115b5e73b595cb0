"""A talk that the network or we dropped soon after it began costs nothing, counts for nothing, and is told."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Row, select, update

from accounts.db import Database
from accounts.holders import put_holder
from accounts.payment_tables import notice
from accounts.tables import subscription, transfer
from ivr.ami.client import AmiClient, Event
from ivr.controls import InmateControls, Refused
from ivr.controls.settlement import Ending, Settled, settle
from ivr.policy.dropped import DroppedBy, Fault
from ivr.policy.reasons import Denial, Outcome
from ivr.policy.talk import Evidence, Kind
from ivr.records.states import Leg
from ivr.watch import Watch
from tests.controller import steps
from tests.controller.test_limits import CHEAP_PLAN
from tests.controller.test_pricing import MASSACHUSETTS
from tests.controller.test_settlement import Told
from tests.fakes.loop import in_loop
from tests.transcripts.play import World, demonstration

COMPLETED = Ending(Outcome.SYSTEM_FAULT, cause=16, ended_by=Leg.CALLED_PARTY)
BROKEN = Ending(Outcome.SYSTEM_FAULT, cause=38, ended_by=Leg.CALLED_PARTY)


@dataclass(slots=True)
class Talk:
    """An accepted call whose talk begins now and lasts so long."""

    world: World
    call_id: str
    seconds: float

    def ends(self, ending: Ending = COMPLETED, *, seen: bool = True, quality: str = "") -> Settled:
        """It is over, and somebody has seen the end or not."""
        began, ended = self.world.at, self.world.at + timedelta(seconds=self.seconds)
        told = [Evidence(Kind.TALK_FROM, began), *([Evidence(Kind.TALK_TO, ended)] if seen else [])]
        settled = self.world.database.transact_now(
            settle, self.call_id, ending, at=ended, version="test", seen=told, source="event", quality=quality
        )
        self.world.node.live.remove(self.call_id, settled)
        assert settled is not None
        return settled

    @property
    def record(self) -> Row[Any]:
        return steps.record(self.world, self.call_id)


def talk(world: World, seconds: float, keys: str = steps.PAID) -> Talk:
    return Talk(world, asyncio.run(steps.accepted(world, keys)), seconds)


def ledger_of(world: World, call_id: str) -> list[tuple[str, int]]:
    rows = select(transfer.c.kind, transfer.c.amount).where(transfer.c.id.startswith(f"call/{call_id}/"))
    found = world.database.read_now(lambda conn: conn.execute(rows.order_by(transfer.c.kind)).all())
    return [(row.kind, row.amount) for row in found]


def notices(world: World) -> list[Row[Any]]:
    return list(world.database.read_now(lambda conn: conn.execute(select(notice)).all()))


@pytest.mark.parametrize("keys", [steps.PAID, steps.SUBSCRIBED])
def test_a_talk_that_the_network_drops_within_the_time_is_given_back(world: World, keys: str) -> None:
    account = steps.PREPAID if keys == steps.PAID else steps.period_of(world)
    before = steps.available(world, account)
    broken = talk(world, 59.9, keys)
    settled = broken.ends(BROKEN)
    row = broken.record
    assert (settled.reason, settled.charge, settled.given_back) == (Outcome.COMPLETED, 0, True)
    assert (row.reason, row.dropped_by, row.given_back) == (Outcome.COMPLETED, DroppedBy.NETWORK, True)
    assert (row.charge, row.calls_charged, row.talk_ms, row.billed_seconds) == (0, 0, 59_900, 0)
    assert [kind for kind, _ in ledger_of(world, broken.call_id)] == ["hold", "release"]
    assert steps.available(world, account) == before
    steps.assert_books_are_right(world)


@pytest.mark.parametrize("keys", [steps.PAID, steps.SUBSCRIBED])
def test_one_that_drops_later_is_paid_and_says_so(world: World, keys: str) -> None:
    late = talk(world, 60, keys)
    assert not late.ends(BROKEN).given_back
    row = late.record
    assert (row.dropped_by, row.given_back) == (DroppedBy.NETWORK, False)
    assert (row.charge, row.calls_charged) == ((60_000, 0) if keys == steps.PAID else (0, 1))


def test_one_that_a_party_ends_is_paid_and_was_dropped_by_nobody(world: World) -> None:
    short = talk(world, 10)
    assert not short.ends().given_back
    assert (short.record.charge, short.record.dropped_by, short.record.given_back) == (60_000, None, None)


@pytest.mark.parametrize(
    ("ending", "seen", "quality", "by"),
    [
        (COMPLETED, False, "", DroppedBy.US),  # Asterisk was killed
        (Ending(Outcome.SYSTEM_FAULT, cause=16, fault=Fault.SHUTDOWN), True, "", DroppedBy.US),
        (Ending(Outcome.SYSTEM_FAULT), True, "", DroppedBy.US),  # nothing is known of the end
        (COMPLETED, True, "rxcount=1000;lp=3", DroppedBy.MEDIA),  # twenty seconds of thirty
        (
            Ending(Outcome.SYSTEM_FAULT, ended_by=Leg.INMATE, fault=Fault.SILENT_LEG),
            True,
            "",
            DroppedBy.MEDIA,
        ),
    ],
)
def test_each_evidence_of_a_drop_gives_the_talk_back(
    world: World, ending: Ending, seen: bool, quality: str, by: DroppedBy
) -> None:
    lost = talk(world, 30)
    assert lost.ends(ending, seen=seen, quality=quality).given_back
    assert (lost.record.dropped_by, lost.record.charge) == (by, 0)


def test_audio_that_stopped_early_gives_back_a_talk_that_went_on_in_silence(world: World) -> None:
    mute = talk(world, 100)
    assert mute.ends(COMPLETED, quality="rxcount=2500;lp=0").given_back  # they heard each other for 50 s
    assert mute.record.dropped_by == DroppedBy.MEDIA
    heard = talk(world, 100)
    assert not heard.ends(COMPLETED, quality="rxcount=4990;lp=0").given_back


def test_a_limit_that_ends_a_talk_drops_none(world: World) -> None:
    limited = talk(world, 900)
    assert not limited.ends(BROKEN).given_back
    assert (limited.record.reason, limited.record.dropped_by) == (Outcome.LIMIT_REACHED, None)


def test_a_facility_may_give_nothing_back(database: Database, tmp_path: Path) -> None:
    world = World(
        database, tmp_path, demonstration(("dropped_within_seconds = 60", "dropped_within_seconds = 0"))
    )
    broken = talk(world, 5)
    assert not broken.ends(BROKEN).given_back
    assert (broken.record.dropped_by, broken.record.charge) == (DroppedBy.NETWORK, 60_000)


def test_settling_twice_and_late_evidence_change_nothing(world: World) -> None:
    lost = talk(world, 30)
    first = lost.ends(seen=False)
    sealed, told = lost.record, notices(world)
    assert lost.ends() == first  # the end is told after all
    assert lost.record == sealed
    assert [kind for kind, _ in ledger_of(world, lost.call_id)] == ["hold", "release"]
    assert notices(world) == told
    steps.assert_books_are_right(world)


def test_many_who_settle_a_dropped_call_at_once_give_it_back_once(world: World) -> None:
    lost = talk(world, 30, steps.SUBSCRIBED)
    answers = steps.at_once([lambda: lost.ends(BROKEN)] * 8)
    assert answers == [answers[0]] * 8
    assert all(answer.given_back for answer in answers)
    assert [kind for kind, _ in ledger_of(world, lost.call_id)] == ["hold", "release"]
    steps.assert_books_are_right(world)


def holder(world: World, account_id: str, **known: object) -> None:
    world.database.transact_now(
        lambda conn: put_holder(conn, account_id, world.at, mobile="+12175550102", **known)
    )


def test_the_payer_is_told_once(world: World) -> None:
    holder(world, steps.PREPAID)
    lost = talk(world, 30)
    for _ in range(2):
        lost.ends(BROKEN)
    [told] = notices(world)
    assert (told.kind, told.account_id, told.told) == (
        "dropped_call",
        steps.PREPAID,
        '{"number": "+12175550102"}',
    )


def test_of_a_subscriptions_call_the_one_who_bought_it_is_told(world: World) -> None:
    holder(world, steps.PREPAID)
    bought = update(subscription).values(account_id=steps.PREPAID)
    world.database.transact_now(lambda conn: conn.execute(bought))
    talk(world, 30, steps.SUBSCRIBED).ends(BROKEN)
    [told] = notices(world)
    assert told.account_id == steps.PREPAID


def test_nobody_is_told_that_a_call_was_given_back_that_is_paid(world: World) -> None:
    holder(world, steps.PREPAID)
    talk(world, 70).ends(BROKEN)
    assert [row.kind for row in notices(world)] == ["receipt"]


@in_loop
async def test_the_inmate_hears_that_the_call_does_not_count(world: World) -> None:
    call_id = await steps.accepted(world)
    controls = InmateControls(world.node, "demo-a1", "PJSIP/demo-a1-1", call_id=call_id)
    began, ended = world.at.timestamp(), world.at.timestamp() + 30
    controls.dial_status, controls.note = "ANSWER", f"{began:.6f} {ended:.6f} 41"
    world.node.live.remove(call_id)
    assert await controls.end_call() == Outcome.COMPLETED
    assert controls.is_given_back
    assert steps.record(world, call_id).cause == 41  # as the dialplan's note has it


@pytest.mark.parametrize(
    ("flag", "by"), [("1", DroppedBy.MEDIA), ("4", DroppedBy.US), ("16", None), ("32", None)]
)
def test_what_asterisk_tells_of_an_end_of_its_own_is_evidence(
    world: World, flag: str, by: DroppedBy | None
) -> None:
    call_id = asyncio.run(steps.accepted(world))
    live = world.node.live.get(call_id)
    assert live is not None
    began, ended = (f"{world.at.timestamp() + seconds:.6f}" for seconds in (0, 30))
    about = {"Call": call_id, "From": began}
    told = Told(
        Event("UserEvent", {**about, "UserEvent": "TalkFrom", "At": began}, received_s=0),
        Event("SoftHangupRequest", {"Channel": live.inmate_channel, "Cause": flag}, received_s=30),
        Event("UserEvent", {**about, "UserEvent": "TalkTo", "At": ended, "Cause": "16"}, received_s=30),
    )

    async def watched() -> None:
        watch = Watch(world.node, cast(AmiClient, told), "clock")
        await watch.run()
        await watch.close()

    asyncio.run(watched())
    row = steps.record(world, call_id)
    assert (row.dropped_by, row.charge) == (by, 0 if by else 60_000)


def test_the_agency_owes_nothing_for_a_call_that_is_given_back(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path, demonstration(*MASSACHUSETTS))
    lost = talk(world, 30)
    lost.ends(BROKEN)
    assert (lost.record.agency_rule, lost.record.agency_charge) == ("ma-2023", 0)
    assert ledger_of(world, lost.call_id) == []


def test_a_call_that_is_given_back_uses_up_no_quota(database: Database, tmp_path: Path) -> None:
    once = ("[[plan]]", '[[facility.limit]]\ncalls = 1\neach = "day"\n\n[[plan]]')
    world = World(database, tmp_path, demonstration(once, CHEAP_PLAN))
    talk(world, 30).ends(BROKEN)
    talk(world, 30).ends()
    refused = asyncio.run(steps.decided(world, steps.PAID))[1]
    assert isinstance(refused, Refused)
    assert refused.reason is Denial.CALLS_USED
