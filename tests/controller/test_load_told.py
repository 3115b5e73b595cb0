"""A load tells each thing that it changes in a line, by its name, with what it was and what it becomes."""

import json
from pathlib import Path

import pytest

from ivr.facility.file import Sources, parse, read
from ivr.loading import load
from ivr.login import own_login
from tests.controller.conftest import Ivr
from tests.controller.test_cli import is_one_line
from tests.controller.test_facility_file import SOURCES, TEXT, contents, differing, mistaken
from tests.transcripts.play import KEY, World

DOCTOR, BISHOP, SISTER = "+12175550109", "+12175550199", "+12175550108"
#: What is written instead of what, the tables that it changes, and how the load tells it.
CHANGES: dict[str, tuple[str, str, set[str], list[str]]] = {
    "the price": (
        '"0.06"',
        '"0.05"',
        {"tariff"},
        ["tariff example-county-2026: file rate.1.per_minute: 0.06 → 0.05"],
    ),
    "the longest call": (
        "= 15",
        "= 20",
        {"facility"},
        ["facility example-county-jail: longest call: 15 min → 20 min"],
    ),
    "the hours": (
        '"00:00"',
        '"07:00"',
        {"schedule_window"},
        ["hours of the facility, mon-sun: 00:00 to 24:00 → 07:00 to 24:00"],
    ),
    "a label": (
        "Unit A, first",
        "Unit B, first",
        {"station"},
        ["station demo-a1: label: Unit A, first telephone → Unit B, first telephone"],
    ),
    "a PIN": ('"2468"', '"8642"', {"inmate"}, ["inmate 1001: PIN: changed"]),
    "a list": (
        "+1 217 555 0108",
        "+1 217 555 0109",
        {"allowed_number"},
        [
            f"inmate 1001, number {SISTER}: removed (speed dial 8)",
            f"inmate 1001, number {DOCTOR}: added (speed dial 8)",
        ],
    ),
    "a block": (
        '+1 217 555 0105"\nnote',
        '+1 217 555 0106"\nnote',
        {"blocked_number"},
        [
            "block of number +12175550106 (facility): added (Protective order (demonstration))",
            "block of number +12175550105 (facility): lifted",
        ],
    ),
    "a block's note": (
        "Protective order (demonstration)",
        "Order of 24 Nov",
        {"blocked_number"},
        [
            "block of number +12175550105 (facility): note: Protective order (demonstration) → Order of 24 Nov",
        ],
    ),
    "the label of a privileged number": (
        "Public defender",
        "Defender",
        {"special_number", "privileged_number"},
        ["number +12175550110: label: Public defender → Defender"],
    ),
    "privilege": (
        "free = true\n",
        'free = true\n\n[[number]]\nnumber = "2175550199"\nlabel = "Bishop"\nprivileged = true\n',
        {"special_number", "privileged_number", "privileged_list"},
        [f"number {BISHOP}: added (label Bishop)", f"number {BISHOP}: privileged: added (Bishop)"],
    ),
    "nothing that is kept": ('"5.00"', '"6.00"', set(), []),
}


@pytest.mark.parametrize("what", CHANGES)
def test_loading_a_changed_file_changes_just_that(world: World, what: str) -> None:
    old, new, tables, told = CHANGES[what]
    before = world.database.read_now(contents)
    changed = world.database.transact_now(load, parse(mistaken(old, new), "f"), KEY, world.at)
    assert differing(before, world.database.read_now(contents)) == tables
    assert changed == told


RULES = """
records = false
[[unit.limit]]
longest_call_minutes = {longest}
[[unit.limit]]
calls = 3
each = "day"
[[unit.closure]]
starts = 2026-12-24T12:00:00
ends = 2026-12-24T18:00:00
note = "Staff meeting"
[[unit.schedule]]
days = "{days}"
opens = "08:00"
closes = "24:00"
"""


def test_rules_of_a_level_are_told_by_its_name_with_what_they_were(world: World) -> None:
    def loaded(rules: str) -> list[str]:
        text = TEXT.replace('label = "Unit A"\n', f'label = "Unit A"\n{rules}', 1)
        edited = parse(Sources(text, SOURCES.beside), "f")
        return world.database.transact_now(load, edited, KEY, world.at)

    assert loaded(RULES.format(longest=15, days="mon-fri")) == [
        "hours of unit unit-a, mon-fri: none → 08:00 to 24:00",
        "closure of unit unit-a, 2026-12-24 12:00 to 2026-12-24 18:00: added (note Staff meeting)",
        "limit of unit unit-a: longest call: added (15 min)",
        "limit of unit unit-a: calls each day: added (3)",
        "unit unit-a: not recorded: added",
    ]
    assert loaded(RULES.format(longest=10, days="tue-sun").replace("= 3", "= 2")) == [
        "hours of unit unit-a, mon: 08:00 to 24:00 → none",
        "hours of unit unit-a, sat-sun: none → 08:00 to 24:00",
        "limit of unit unit-a: longest call: 15 min → 10 min",
        "limit of unit unit-a: calls each day: 3 → 2",
    ]
    until = RULES.format(longest=10, days="tue-sun").replace("= 3", "= 2\nvalid_to = 2026-12-24")
    assert loaded(until) == ["limit of unit unit-a: calls each day: valid to: none → 2026-12-24"]
    assert "unit unit-a: not recorded: removed" in loaded("")


@pytest.mark.usefixtures("on_database")
def test_a_load_is_logged_with_its_lines_its_author_its_note_and_the_files_digest(
    ivr: Ivr, tmp_path: Path
) -> None:
    for name, text in SOURCES.beside.items():
        (tmp_path / name).write_text(text)
    path = tmp_path / "jail.toml"
    path.write_text(TEXT)
    assert ivr("load", str(path)).status == 0
    path.write_text(TEXT.replace("longest_call_minutes = 15", "longest_call_minutes = 10"))
    assert is_one_line(ivr("load", str(path), "--note", "x"), "note: expected 3 letters or more")
    assert is_one_line(
        ivr("load", str(path)), "note: expected one, as the file changes a facility that there is"
    )
    assert ivr("load", str(path), "--dry-run").status == 0
    assert ivr("load", str(path), "--note", "As the sheriff asked").status == 0
    assert (
        ivr("load", str(path), "--note", "Again").out == ivr("load", str(path)).out == "nothing to change\n"
    )
    assert ivr("number", "unblock", "2175550105", "--note", "Order lifted").status == 0
    left = "block of number +12175550105 (facility): stays lifted, as "
    assert ivr("load", str(path)).out.startswith(left)  # which changes nothing, and is not logged
    _, line, first = ivr("changes", "--json").out.splitlines()
    logged = json.loads(line)
    assert "facility example-county-jail: added; local exchange 217555: added; " in json.loads(first)["told"]
    assert json.loads(first)["note"] == "by its file"
    assert (logged["author"], logged["note"]) == (own_login(), "As the sheriff asked")
    assert logged["told"] == (
        f"loaded the file {read(path).digest}: "
        "facility example-county-jail: longest call: 15 min → 10 min; "
        "limit of the facility: longest call, weekend: 15 min → 10 min"
    )
