"""A facility's dumped file is its settings: loading it changes nothing, and it holds no PIN."""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.controls.called_party import block_number
from ivr.dumping import DumpError, dump
from ivr.facility.file import FacilityFile, FacilityFileError, Sources, parse, read
from ivr.facility.tables import allowed_number, schedule_exception
from ivr.facility.toml import to_toml
from ivr.loading import load
from tests.controller.conftest import Ivr
from tests.controller.test_cli import is_one_line
from tests.controller.test_facility_file import SOURCES, TEXT, contents
from tests.transcripts.play import FACILITY, KEY, World

JAIL = "example-county-jail"
#: Rules of each kind, as every level may have them.
RULES = """
[[{0}.schedule]]
days = "mon-wed"
opens = "08:00"
closes = "12:00"
[[{0}.schedule]]
days = "fri-sat"
opens = "08:00"
closes = "12:00"
[[{0}.schedule]]
days = "sat-sun"
opens = "22:00"
closes = "24:00"
[[{0}.schedule]]
days = "holiday"
opens = "23:00"
closes = "02:00"
[[{0}.closure]]
starts = 2027-11-07T01:30:00  # in an hour that there is twice
ends = 2027-11-07T03:00:00.250
note = "Tests of the \\"line\\" \\\\ — no é calls"
[[{0}.opening]]
starts = 2027-03-14T02:30:00  # in an hour that there is not
ends = 2027-03-14T05:00:00
note = "Easter"
[[{0}.limit]]
longest_call_minutes = 5
call_type = "international"
days = "holiday"
[[{0}.limit]]
calls = 3
each = "day"
[[{0}.limit]]
minutes = 90
each = "month"
counts = "number"
[[{0}.limit]]
cooling_off_minutes = 10
measured_from = "start"
[[{0}.limit]]
attempts = 4
in_minutes = 30
valid_from = 2026-12-01
valid_to = 2027-01-31
"""
UNIT = '\n[[unit]]\nid = "unit-b"\nlabel = "Unit B"\n' + RULES.format("unit")
AGENCY = (
    '[agency]\nid = "example-agency"\nname = "Example Agency"\nrecords = false\n'
    + RULES.format("agency")
    + '\n[[blocked]]\nprefix = "809"\ncause = "security"\nnote = "Fraud"\n'
    + '\n[[no_contact]]\nnumber = "2175550122"\nnote = "Victim"\n'
)
EVERYTHING = (
    TEXT.partition("[[station]]")[0]
    .replace("pin_change_by_phone = true", "pin_change_by_phone = false")
    .replace("accept_key = 1", "accept_key = 5")
    .replace("block_key = 9", "block_key = 7")
    .replace("block_confirm_key = 6", "block_confirm_key = 9")
    .replace("intake_within_minutes = 180", "intake_within_minutes = 60")
    .replace('"4-12"', "4")
    .replace("kept_days = 365", "kept_days = 90")
    .replace('when_it_fails = "end"', 'when_it_fails = "alert"')
    + UNIT
    + '\n[[station]]\nid = "demo-a1"\nlabel = "First"\nunit = "unit-a"\nintake = true\ndtmf = "info"\n'
    + "records = false\n"
    + RULES.format("station")
    + '\n[[inmate]]\nid = "1001"\npin = "2468"\nname = "Alex \\u0022Example\\u0022"\nunit = "unit-b"\n'
    + 'state = "suspended"\nstate_note = "Fight"\nsuspended_from = 2026-12-01T08:00:00\n'
    + 'suspended_to = 2026-12-05T00:00:00\nno_contact = [{ number = "2175550120", note = "Court order" }]\n'
    + RULES.format("inmate")
    + '\n[[inmate.numbers]]\nnumber = "2175550101"\nspeed_dial = "1"\nrelation = "Mother"\nrecords = false\n'
    + RULES.format("inmate.numbers")
    + '\n[[inmate.numbers]]\nnumber = "2175550105"\noverride_note = "By order"\n'
    + '\n[[inmate]]\nid = "1002"\npin = "1357"\nname = "Sam"\n'
    + '\n[[number]]\nnumber = "2175550110"\nlabel = "Defender"\nprivileged = true\noffice = true\n'
    + RULES.format("number")
    + '\n[[number]]\nnumber = "2175550111"\nlabel = "Tips"\nfree = true\nhotline = true\n'
    + '\n[[number]]\nnumber = "2175550112"\nlabel = "Reports"\nhotline_kind = "prea"\ncode = "77"\n'
    + '\n[[blocked]]\nnumber = "2175550105"\nnote = "Protective order (demonstration)"\n'
    + '[[blocked]]\nprefix = "900"\ncause = "security"\n'
    + 'note = "Premium"\n[[blocked]]\ntype = "international"\ncause = "agent"\nnote = "Fraud"\n'
    + '\n[[no_contact]]\nnumber = "2175550121"\nnote = "Victim"\n'
    + TEXT[TEXT.index("[[prepaid]]") :]
)
HOLIDAY = '\n[[facility.holiday]]\ndate = 2026-12-24\nname = "Founders\' day"\n'
EVERYTHING = EVERYTHING.replace("\n[[plan]]", HOLIDAY + RULES.format("facility") + "\n[[plan]]", 1)
EVERYTHING = EVERYTHING.replace('kind = "jail"', 'agency = "an-agency.toml"\nkind = "jail"', 1)
PRIVILEGED = (
    '[[number]]\nnumber = "2175550110"\nlabel = "Public defender"\nprivileged = true\n'  # no file ends it
)
BARE = (
    TEXT.partition("[[facility.schedule]]")[0].replace('["217555"]', '["217555"]\nschedule = []') + PRIVILEGED
)


BESIDE = {**SOURCES.beside, "an-agency.toml": AGENCY}


def everything() -> FacilityFile:
    return parse(Sources(EVERYTHING, BESIDE), "everything")


def dumped(world: World) -> FacilityFile:
    found = world.database.read_now(dump, JAIL)
    return parse(Sources(found.text, found.beside), "dumped")


def loaded(world: World, file: FacilityFile) -> list[str]:
    return world.database.transact_now(load, file, KEY, world.at)


@pytest.mark.parametrize("text", [TEXT, EVERYTHING, BARE], ids=["demonstration", "everything", "bare"])
def test_loading_what_was_dumped_changes_nothing(world: World, text: str) -> None:
    loaded(world, parse(Sources(text, BESIDE), "given"))
    before = world.database.read_now(contents)
    assert loaded(world, dumped(world)) == []
    assert world.database.read_now(contents) == before


def test_everything_that_a_file_sets_is_dumped(world: World) -> None:
    file = everything()
    loaded(world, file)
    again = dumped(world)
    assert again.tariff == file.tariff
    for table in ("unit", "blocked", "no_contact", "prepaid", "plan", "subscription", "number"):
        assert _told(getattr(again, table)) == _told(getattr(file, table)), table
    assert again.facility.holiday == file.facility.holiday
    assert _told([again.agency]) == _told([file.agency])
    assert [each.records for each in again.station] == [False, True, True]
    assert _told(again.inmate[0].numbers) == _told(file.inmate[0].numbers)
    assert {(each.unit, each.state, each.state_note) for each in again.inmate} == {
        (each.unit, each.state, each.state_note) for each in file.inmate
    }


def _told(entries: list[Any]) -> list[Any]:
    """Entries in one order, each with its rules in one order."""
    return sorted((_plain(each.model_dump(mode="json")) for each in entries), key=str)


def _plain(value: Any) -> Any:
    """What it says: days one by one, no defaults that a dump writes out, a moment that there is not as one that is."""
    if isinstance(value, list):
        return sorted(map(_plain, value), key=str)
    if not isinstance(value, dict):
        return str(value).replace("T02:30:00", "T03:00:00")
    if "opens" in value:
        return sorted((day, value["opens"], value["closes"]) for day in value["days"])
    kept = {name: each for name, each in value.items() if name not in ("counts", "measured_from", "schedule")}
    days = [row for window in value.get("schedule", []) for row in _plain(window)]
    return {name: _plain(each) for name, each in kept.items() if each is not None} | {"windows": sorted(days)}


def test_a_dump_holds_no_pin_and_a_new_inmate_needs_one(world: World) -> None:
    text = world.database.read_now(dump, JAIL).text
    assert "2468" not in text
    assert not any("pin" in each for each in tomllib.loads(text)["inmate"])
    more = text + '\n[[inmate]]\nid = "1003"\nname = "New"\n'
    found = world.database.read_now(dump, JAIL)
    with pytest.raises(FacilityFileError, match="inmate 1003: pin: expected one, since the inmate is new"):
        loaded(world, parse(Sources(more, found.beside), "more"))


def test_what_others_have_set_stays_theirs_and_is_counted(world: World) -> None:
    world.database.transact_now(block_number, JAIL, "+12175550102", "0" * 32, world.node)
    world.database.transact_now(lambda conn: [conn.execute(each) for each in _of_others(conn, world.at)])
    before = world.database.read_now(contents)
    text = world.database.read_now(dump, JAIL).text
    heading = [line for line in text.splitlines() if line.startswith("# Not in this file")]
    assert [line.partition(": ")[2].split()[0] for line in heading] == ["1", "1", "1"]
    assert loaded(world, dumped(world)) == []
    assert world.database.read_now(contents) == before


def _of_others(conn: Any, at: datetime) -> list[Any]:
    row = conn.execute(allowed_number.select().limit(1)).one()
    learned = {"inmate": row.inmate, "number": "+12175550199", "records": True, "learned": True}
    closure = {
        "facility_id": JAIL,
        "scope": "facility",
        "kind": "closure",
        "note": "why",
        "author": "officer",
    }
    ends = datetime.fromisoformat("2030-01-01T00:00+00:00")
    return [
        allowed_number.insert().values(learned),
        schedule_exception.insert().values(**closure, starts_at=at, ends_at=ends, set_at=at),
    ]


def test_a_facility_is_dumped_into_a_folder_and_loaded_from_it(
    ivr: Ivr, on_database: str, tmp_path: Path
) -> None:
    ivr("load", str(FACILITY))
    folder = tmp_path / "dump"
    said = ivr("dump", "--facility", JAIL, "--folder", str(folder))
    assert (said.status, said.err) == (0, "")
    assert sorted(each.name for each in folder.iterdir()) == ["example-county-2026.toml", "facility.toml"]
    assert ivr("load", str(folder / "facility.toml")).out == "nothing to change\n"
    assert read(folder / "facility.toml").text == ivr("dump", "--facility", JAIL).out
    assert is_one_line(ivr("dump", "--facility", JAIL, "--folder", str(folder)), "facility.toml: File exists")
    assert is_one_line(ivr("dump", "--facility", "nowhere"), "there is no facility nowhere")


def test_a_facility_that_there_is_not_is_said(world: World) -> None:
    with pytest.raises(DumpError, match="no facility nowhere"):
        world.database.read_now(dump, "nowhere")


_texts = st.text(st.characters(exclude_categories=["Cs"]))
_scalars = st.one_of(
    _texts,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.dates(),
    st.datetimes(),
)
_names = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
_values = st.one_of(_scalars, st.lists(_texts), st.lists(st.integers()))
_rows = st.recursive(
    st.dictionaries(_names, _values),
    lambda inner: st.dictionaries(_names, st.one_of(_values, st.lists(inner, min_size=1), inner)),
    max_leaves=8,
)


@given(_rows)
def test_what_is_written_as_toml_is_read_back_the_same(content: dict[str, Any]) -> None:
    assert tomllib.loads(to_toml(content)) == content
