"""The compliance report on privileged numbers says what there is, and who has touched it."""

import csv
import io
import json
from typing import Any

import pytest

from ivr.archive.cipher import RecordingKey
from ivr.config import load_settings
from ivr.facility.audit import Deed, log
from ivr.instance import keyring_of, places_of
from ivr.records import listening, recordings
from ivr.staff.changes import do, read
from ivr.staff.files import MOST_TOLD, loaded, loading
from ivr.staff.privileged_report import privileged_report
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.controller.kept import finisher_of, recorded
from tests.fakes.loop import in_loop
from tests.transcripts.play import KEY, NOON, World, demonstration

NUMBER = "+12175550102"  # speed dial 2
DAYS = ("--since", f"{NOON:%Y-%m-%d}", "--until", f"{NOON:%Y-%m-%d}")


def staff(world: World, name: str, author: str, note: str, **given: object) -> None:
    asked = read(name, {"author": author, "note": note, **given})
    world.database.transact_now(do, name, asked, KEY, world.at)


async def listens(world: World, recording_id: str) -> None:
    """Somebody's telephone was rung to hear the call of the recording, and not answered."""
    call_id = await world.database.read(recordings.call_of, recording_id)
    who: dict[str, Any] = {"author": "ida", "note": "Case 17", "phone": "staff-desk", "at": world.at}
    await world.database.transact(
        lambda conn: listening.begin(conn, call_id=call_id, listening_id="a" * 32, **who)
    )


@in_loop
async def history(world: World, ids: list[str]) -> None:
    """A call is recorded, its number becomes an attorney's, two open the recording, another call is made."""
    settings = load_settings()
    places = places_of(settings)
    ids.append(await recorded(world, 8_000, places.spool, talk_seconds=2))
    key = RecordingKey(keyring_of(settings).recording_key)
    await finisher_of(world, places, key).finish_all()
    add = {"number": NUMBER, "kind": "attorney"}
    staff(world, "number privileged add", "anna", "=Bar card 12345", **add)
    staff(world, "number privileged confirm", "berta", "seen", number=NUMBER)
    await listens(world, ids[0])
    for who in ("anna", "berta"):
        staff(world, "recording open", who, "the attorney asked", recording_id=ids[0])
    call_id = await steps.accepted(world)
    assert steps.recordings_of(world, call_id) == 0
    await steps.settle_unanswered(world, call_id)


@pytest.fixture
def recording_id(world: World, ivr: Ivr, on_database: str) -> str:
    ids: list[str] = []
    history(world, ids)
    return ids[0]


def test_it_tells_of_numbers_changes_calls_recordings_and_of_who_opened_what(
    recording_id: str, ivr: Ivr, world: World
) -> None:
    staff(world, "recording play", "berta", "with the attorney", recording_id=recording_id)
    found = json.loads(ivr("number", "privileged", "report", *DAYS, "--json").out)
    assert list(found["sums"].values()) == [2, 2, 1, 1, 0, 1, 3, 1]  # the file's own number is one of the two
    [listed] = [each for each in found["numbers"] if each["number"] == NUMBER]
    assert (listed["kind"], listed["by"], listed["until"]) == ("attorney", "anna, berta", None)
    assert [each["author"] for each in found["changes"]] == ["anna", "berta"]
    assert [(each["privileged"], each["recording"]) for each in found["calls"]] == [
        (False, recording_id[:12]),
        (True, "none: privileged"),
    ]
    [kept] = found["recordings"]
    assert (kept["state"], kept["privileged"], kept["sealed"] is not None) == ("kept", False, True)
    assert [(each["author"], each["note"]) for each in found["accesses"]] == [
        ("anna", "the attorney asked"),
        ("berta", "the attorney asked"),
        ("berta", "with the attorney"),
    ]
    [heard] = found["listenings"]
    assert (heard["author"], heard["note"]) == ("ida", "Case 17")
    assert heard["told"].endswith("staff-desk, not answered")
    logged = json.loads(ivr("audit", "show", "--deed", "read", "--most", "1", "--json").out)
    assert logged["change"] == "audit show"
    assert "number privileged report" in ivr("audit", "show", "--deed", "read").out
    shown = ivr("number", "privileged", "report", *DAYS).out
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "       0  recordings of privileged calls, kept and not sealed\n" in shown
    assert "with the attorney" in " ".join(shown.split())
    lines = csv.DictReader(io.StringIO(ivr("number", "privileged", "report", *DAYS, "--csv", "changes").out))
    assert [each["note"] for each in lines] == ["'=Bar card 12345", "seen"]


def test_of_other_days_it_tells_nothing_and_wrong_days_are_refused(recording_id: str, ivr: Ivr) -> None:
    before = ("--since", "2020-01-01", "--until", "2020-12-31")
    said = ivr("number", "privileged", "report", *before).out
    for nothing in ("No privileged numbers.", "No changes of the list.", "No calls with them."):
        assert nothing in said
    assert ivr("number", "privileged", "report", "--since", "2020-01-02", "--until", "2020-01-01").status == 2
    elsewhere = ivr("number", "privileged", "report", *before, "--facility", "nowhere")
    assert elsewhere.err == "ivr: there is no facility nowhere\n"


def test_what_a_loaded_file_has_done_to_the_list_is_a_change_of_it(world: World) -> None:
    added = f"number {NUMBER}: privileged: added (X)"
    told = loaded("5f0c", [*(f"inmate {each}: added" for each in range(MOST_TOLD)), added])
    row: dict[str, Any] = {"author": "amy", "note": "by its file", "at": world.at}
    about = loading(demonstration(), None).about
    world.database.transact_now(lambda conn: log(conn, Deed.CHANGE, "load", about, told, **row))
    found = world.database.read_now(privileged_report, None, world.at.date(), world.at.date())
    assert [each["told"] for each in found.changes] == [added]
