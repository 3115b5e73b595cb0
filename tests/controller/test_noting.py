"""Staff write notes about calls, in progress or over: the story has them, and the audit log."""

import json

from ivr.policy.hotline import HotlineKind
from ivr.records import calls
from tests.controller.conftest import Ivr
from tests.controller.test_cli import is_one_line
from tests.transcripts.play import World


def test_a_note_stands_in_the_story_and_in_the_audit_log(ivr: Ivr, records: list[str]) -> None:
    ended, _, _, going_on = records
    for call_id, text in (
        (ended, "Asked for a refund"),
        (going_on, "Sounds distressed"),
        (going_on, "Calm again"),
    ):
        assert ivr("note", call_id, text).out == f"call {call_id[:8]}: noted\n"
    told = [" ".join(line.split()) for line in ivr("call", going_on).out.splitlines()]
    assert [line.split(": ")[-1] for line in told if line.startswith("note")] == [
        "Sounds distressed",
        "Calm again",
    ]
    assert "Asked for a refund" in ivr("cdr", ended).out
    deeds = [
        json.loads(line)
        for line in ivr("audit", "show", "--about", f"call {going_on}", "--json").out.splitlines()
    ]
    assert [each["note"] for each in deeds if each["change"] == "note"] == ["Calm again", "Sounds distressed"]


def test_what_can_not_be_noted_is_told_in_one_line(ivr: Ivr, records: list[str], world: World) -> None:
    assert is_one_line(ivr("note", "ffffff", "why"), "no call begins with ffffff")
    assert is_one_line(ivr("note", records[0][:8], "why"), "more than one call begins with 00000000")
    assert is_one_line(ivr("note", records[0], " "), "expected 3 letters or more")
    anonymous = {"hotline_kind": HotlineKind.PREA, "inmate": None, "station_id": "-"}
    world.database.transact_now(lambda conn: calls.set_values(conn, records[3], **anonymous))
    assert is_one_line(
        ivr("note", records[3], "Sounds distressed"), "keeps no trace of who calls, and takes no notes"
    )
