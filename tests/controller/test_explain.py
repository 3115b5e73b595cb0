"""`ivr explain` answers with the decision that a call would get, writes nothing, and takes thousands of questions."""

import io
import json
import sys
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from time import process_time
from typing import Any

import pytest

from ivr.controls import Grant, Refused
from ivr.controls.day import explain_day
from ivr.controls.explaining import Answer, ExplainError, Question, explain
from ivr.controls.settlement import Ending, settle
from ivr.loading import load
from ivr.policy.reasons import Outcome
from ivr.policy.request import Allow, Deny
from ivr.policy.talk import Evidence, Kind
from ivr.records import evidence
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.controller.test_facility_file import contents
from tests.fakes.loop import in_loop
from tests.transcripts.play import KEY, World, demonstration


def asked(world: World, number: str, **more: Any) -> Answer:
    question = Question(**{"inmate_id": "1001", "station_id": "demo-a1", "number": number, **more})
    return world.database.read_now(explain, question, world.at)


@pytest.mark.parametrize("keys", ["1", "2", "3", "4", "5", "911", "2175550110", "2025550199", "12"])
@in_loop
async def test_the_answer_is_the_decision_that_a_call_gets_and_nothing_is_written(
    world: World, keys: str
) -> None:
    before = world.database.read_now(contents)
    answer = asked(world, keys)
    assert world.database.read_now(contents) == before
    match answer.explained.decision, await steps.answer(world, keys):
        case Allow(limit, payment), Grant() as grant:
            assert (limit.ms, payment.payer) == (grant.limit_ms, grant.payer)
        case Deny(reason, told), refused:
            assert refused == Refused(reason, dict(told))
        case other:
            pytest.fail(f"{other}")


def test_a_number_may_be_asked_for_as_it_is_written(world: World) -> None:
    assert asked(world, "+12175550102").request == asked(world, "2").request


@in_loop
async def test_at_another_time_calls_in_progress_are_over(world: World) -> None:
    await steps.accepted(world)
    assert asked(world, "1").as_dict()["reason"] == "inmate_on_a_call"
    later = asked(world, "1", at=datetime.fromisoformat("2026-11-24T12:00"))
    assert later.request.at.astimezone(UTC) == datetime(2026, 11, 24, 18, tzinfo=UTC)
    assert later.as_dict()["decision"] == "allow"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"inmate_id": "9999"}, "example-county-jail has no inmate 9999"),
        ({"station_id": "x"}, "there is no station x"),
        ({"station_id": None, "facility_id": "x"}, "there is no facility x"),
        ({"facility_id": "x"}, "station demo-a1 belongs to facility example-county-jail, not to x"),
    ],
)
def test_what_is_not_known_is_told(world: World, wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ExplainError, match=told):
        asked(world, "2", **wrong)


def test_it_fits_a_terminal_and_says_who_objects(ivr: Ivr, world: World, on_database: str) -> None:
    said = ivr("explain", "--inmate", "1001", "--number", "2025550199", "--at", "2026-11-24T12:00")
    assert (said.status, said.err) == (0, "")
    lines = said.out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert lines[1] == "refused: number_not_allowed"
    assert "number_is_allowed: number_not_allowed" in lines
    assert "within_schedule: no objection" in lines
    assert "limit 0:15:00: longest_call of facility" in lines
    allowed = ivr("explain", "--inmate", "1001", "--number", "2", "--at", "2026-11-24T12:00").out.splitlines()
    assert allowed[1:3] == [
        "allowed for 0:15:00: longest_call of facility",
        "paid by prepaid, at most $0.90; recorded",
    ]


def test_one_question_is_answered_as_json(ivr: Ivr, world: World, on_database: str) -> None:
    words = (
        "--inmate",
        "1001",
        "--number",
        "1",
        "--station",
        "demo-a1",
        "--at",
        "2026-11-24T12:00",
        "--json",
    )
    answer = json.loads(ivr("explain", *words).out)
    assert (answer["decision"], answer["payer"], answer["price"]) == ("allow", "subscription", "1 call")
    assert answer["limit"] == {"set_by": "longest_call", "level": "facility", "seconds": 900}
    assert {each["view"] for each in answer["rules"]} == {"no objection"}


def test_many_questions_are_answered_line_by_line(
    ivr: Ivr,
    world: World,
    on_database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = [
        '{"inmate": "1001", "number": "2", "at": "2026-11-24T12:00"}',
        '{"inmate": "1001", "number": "5", "at": "2026-11-24T12:00-06:00"}',
        "nonsense",
        "[]",
        '{"inmate": "1001"}',
        '{"inmate": "1001", "number": 2}',
        '{"inmate": "1001", "number": "2", "when": "now"}',
        '{"inmate": "1001", "number": "2", "at": "soon"}',
        "",
        '{"inmate": "1001", "number": "2", "at": "9999-12-31T23:00"}',
        '{"inmate": "1001", "number": "2", "at": "0001-01-01T00:00"}',
        r'{"inmate": "1001", "number": "\ud800"}',
        r'{"inmate": "10\u0000", "number": "2"}',
        "[" * 100_000,
        '{"inmate": "1001", "number": "2", "at": "2000-01-01T00:00"}',
        '{"inmate": "1001", "number": "2", "at": "2100-12-31T23:59"}',
    ]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines)))
    answers = [json.loads(line) for line in ivr("explain", "--batch").out.splitlines()]
    assert [each.get("reason", each.get("decision")) for each in answers[:2]] == ["allow", "number_blocked"]
    assert answers[1]["blocked_by"] == "facility"
    told = ["not JSON", "a JSON object", "are needed", "in quotes", "unknown: when", "is not a time"]
    told += ("empty line", "from 2000 to 2100, not 9999", "not 0001", "number: ", "inmate: ", "not JSON")
    assert all(why in each["error"] for why, each in zip(told, answers[2:-2], strict=True))
    assert all("decision" in each for each in answers[-2:])


def test_a_day_is_told_in_spans(ivr: Ivr, world: World, on_database: str) -> None:
    hours = [("00:00", "07:30"), ("24:00", "22:00")]
    changes = [
        (f'{name} = "{old}"', f'{name} = "{new}"')
        for (old, new), name in zip(hours, ("opens", "closes"), strict=True)
    ]
    world.database.transact_now(load, demonstration(*changes), KEY, world.at)
    words = ("explain", "--day", "--inmate", "1001", "--number", "2", "--at", "2026-11-24")
    assert ivr(*words).out.splitlines() == [
        "inmate 1001, number +12175550102, Tuesday 2026-11-24",
        "00:00 to 07:30  refused: outside_schedule",
        "07:30 to 22:00  allowed for 0:15:00 at most, paid by prepaid",
        "22:00 to 24:00  refused: outside_schedule",
    ]
    spans = json.loads(ivr(*words, "--json").out)["spans"]
    assert spans[1] == {
        "from": "2026-11-24T07:30:00-06:00",
        "until": "2026-11-24T22:00:00-06:00",
        "decision": "allow",
        "payer": "prepaid",
        "seconds": 900,
    }
    night = ivr("explain", "--inmate", "1001", "--number", "2", "--at", "2026-11-24T23:00").out.splitlines()
    assert night[1] == "refused: outside_schedule of facility"
    wrong = ivr(*words[:-1], "soon")
    assert (wrong.status, wrong.err) == (1, "ivr: at: 'soon' is not a day such as 2026-12-24\n")


@pytest.mark.parametrize(("on", "hours"), [("2026-03-08", 23), ("2026-11-01", 25), ("2026-11-23", 24)])
def test_a_day_is_as_long_as_it_is_and_each_minute_is_decided_as_a_call_would_be(
    world: World, on: str, hours: int
) -> None:
    night = [('opens = "00:00"', 'opens = "22:00"'), ('closes = "24:00"', 'closes = "03:00"')]
    world.database.transact_now(load, demonstration(*night), KEY, world.at)
    question = Question("1001", "2", "demo-a1")
    began = process_time()
    day = world.database.read_now(explain_day, question, date.fromisoformat(on), world.at)
    assert process_time() - began < 2
    assert sum((_utc(each.ends) - _utc(each.starts)).total_seconds() for each in day.spans) == hours * 3600
    for each, after in pairwise(day.spans):
        assert _utc(each.ends) == _utc(after.starts)
        for at, span in ((each.ends - timedelta(minutes=1), each), (after.starts, after)):
            found = asked(world, "2", at=_utc(at)).as_dict()
            assert found["decision"] == span.as_dict()["decision"]


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


@in_loop
async def test_a_days_quota_counts_the_calls_until_now(world: World) -> None:
    once = ("[[plan]]", '[[facility.limit]]\ncalls = 1\neach = "day"\n[[plan]]')
    world.database.transact_now(load, demonstration(once), KEY, world.at)
    call_id = await steps.accepted(world)
    ended = world.at + timedelta(minutes=2)
    for kind, at in ((Kind.TALK_FROM, world.at), (Kind.TALK_TO, ended)):
        world.database.transact_now(evidence.add, call_id, Evidence(kind, at), source="event", at=at)
    world.database.transact_now(settle, call_id, Ending(Outcome.SYSTEM_FAULT), at=ended, version="test")
    days = [
        world.database.read_now(explain_day, Question("1001", "2", "demo-a1"), on, ended)
        for on in (None, date(2026, 11, 24))
    ]
    again = world.database.read_now(explain, Question("1001", "2", "demo-a1"), ended).as_dict()
    assert (again["reason"], again["level"]) == ("calls_used", "facility")
    told = [[(each.starts.hour, each.as_dict().get("reason")) for each in day.spans] for day in days]
    assert told == [[(0, None), (12, "calls_used")], [(0, None)]]


def test_whoever_has_not_called_yet_is_not_refused_for_the_name_that_the_telephone_asks_for(
    ivr: Ivr, world: World, on_database: str
) -> None:
    words = ("explain", "--inmate", "1001", "--number", "2")
    named, day = ivr(*words).out, ivr(*words, "--day").out
    world.record_names(None)
    unnamed = ivr(*words).out
    assert ivr(*words, "--day").out == day
    assert "refused:" not in named + day + unnamed
    line = "the telephone asks for their name first, once: no call is made without it"
    assert line in unnamed.splitlines()
    assert len(unnamed.splitlines()) == len(named.splitlines()) + 1


def test_it_tells_what_keeps_each_payer_from_paying(ivr: Ivr, world: World, on_database: str) -> None:
    answer = asked(world, "2").as_dict()
    assert (answer["payer"], answer["price"]) == ("prepaid", "$0.90")
    assert answer["payers"] == {
        "free": "has_a_price",
        "subscription": "no_account",
        **dict.fromkeys(("debit", "card", "paid_call", "direct_bill", "collect", "courtesy"), "not_offered"),
        "prepaid": "can pay",
    }
    said = ivr("explain", "--inmate", "1001", "--number", "2", "--station", "demo-a1")
    assert "payer subscription: no_account" in said.out.splitlines()
