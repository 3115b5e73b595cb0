"""`ivr explain` answers with the decision that a call would get, writes nothing, and takes thousands of questions."""

import io
import json
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from ivr.controls import Grant, Refused
from ivr.controls.explaining import Answer, ExplainError, Question, explain
from ivr.policy.request import Allow, Deny
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.controller.test_facility_file import contents
from tests.fakes.loop import in_loop
from tests.transcripts.play import World


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
    ]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines)))
    answers = [json.loads(line) for line in ivr("explain", "--batch").out.splitlines()]
    assert [each.get("reason", each.get("decision")) for each in answers[:2]] == ["allow", "number_blocked"]
    told = ("not JSON", "a JSON object", "are needed", "in quotes", "unknown: when", "is not a time")
    assert all(why in each["error"] for why, each in zip(told, answers[2:], strict=True))
