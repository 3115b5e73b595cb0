"""CSV files are imported whole or not at all, and every bad row is named with its line and field."""

from datetime import timedelta
from pathlib import Path
from time import perf_counter

import pytest
from sqlalchemy import func, select

from ivr.facility.csv_import import import_rows
from ivr.facility.csv_rows import ImportMistakes, Kind
from ivr.facility.tables import allowed_number, blocked_number, inmate
from ivr.importing import Asked, read_asked
from ivr.loading import load
from ivr.staff import changes
from ivr.staff.files import take_rows
from ivr.staff.shown import Wanted, changes_shown
from ivr.staff.signing import Signer
from tests.controller.conftest import Ivr
from tests.controller.test_cli import is_one_line
from tests.controller.test_facility_file import contents, differing
from tests.transcripts.play import KEY, World, demonstration

JAIL = "example-county-jail"
#: For each kind, rows that add three things and change none.
GOOD = {
    Kind.INMATES: 'id,pin,name,unit\n1003,9753,Kim,unit-a\n1004,8642,"Lee, J.",\n1005,0987,Ray,unit-a\n',
    Kind.NUMBERS: "inmate,number,relation\n1002,217-555-0130,Mother\n1002,2175550131,\n1001,2175550131,Aunt\n",
    Kind.BLOCKED: "number,prefix,type,note\n2175550140,,,Fraud\n,900,,Premium\n,,international,None abroad\n",
}
TABLE = {Kind.INMATES: inmate, Kind.NUMBERS: allowed_number, Kind.BLOCKED: blocked_number}


def imported(world: World, kind: Kind, text: str) -> str:
    wanted = Asked(kind, JAIL, text, "officer", "list.csv").read()
    return world.database.transact_now(import_rows, wanted, KEY, world.at)


@pytest.mark.parametrize("kind", GOOD)
def test_rows_are_added_and_the_same_again_changes_nothing(world: World, kind: Kind) -> None:
    before = world.database.read_now(contents)
    assert imported(world, kind, "\ufeff" + GOOD[kind]) == f"{kind}: 3 added, 0 changed, 0 as they were"
    after = world.database.read_now(contents)
    assert differing(before, after) == {TABLE[kind].name}
    assert (
        imported(world, kind, GOOD[kind].replace("\n", "\r\n"))
        == f"{kind}: 0 added, 0 changed, 3 as they were"
    )
    assert world.database.read_now(contents) == after


def test_only_the_columns_of_the_file_are_changed(world: World) -> None:
    imported(world, Kind.INMATES, GOOD[Kind.INMATES])
    assert imported(world, Kind.INMATES, 'id,name,pin\n1003,Kim Q.,\n1004,"Lee, J.",\n').endswith(
        "0 added, 1 changed, 1 as they were"
    )
    row = world.database.read_now(
        lambda conn: conn.execute(select(inmate).where(inmate.c.inmate_id == "1003")).one()
    )
    assert (row.name, row.unit_id, row.pin_hash) == ("Kim Q.", "unit-a", KEY.hash(JAIL, "1003", "9753"))


def test_an_empty_cell_neither_frees_nor_records_anybody(world: World) -> None:
    imported(world, Kind.INMATES, "id,name,pin,state\n1002,Sam,,released\n")
    assert imported(world, Kind.INMATES, "id,name,state\n1002,Sam,\n").endswith("1 as they were")
    imported(world, Kind.NUMBERS, "inmate,number,records\n1001,2175550101,false\n")
    same = "inmate,number,records\n1001,2175550101,\n"
    assert imported(world, Kind.NUMBERS, same).endswith("1 as they were")


def test_speed_dials_may_be_swapped(world: World) -> None:
    text = "inmate,number,speed_dial\n1001,2175550101,2\n1001,2175550102,1\n"
    assert imported(world, Kind.NUMBERS, text) == "numbers: 0 added, 2 changed, 0 as they were"


def test_a_load_lifts_no_imported_block(world: World) -> None:
    imported(world, Kind.BLOCKED, GOOD[Kind.BLOCKED])
    before = world.database.read_now(contents)
    assert world.database.transact_now(load, demonstration(), KEY, world.at) == []
    assert world.database.read_now(contents) == before


def test_an_import_is_staffs_own_act_and_changes_what_they_have_set(world: World) -> None:
    asked = changes.read("inmate release", {"inmate_id": "1001", "note": "Bailed out", "author": "ann"})
    world.database.transact_now(changes.do, "inmate release", asked, KEY, world.at)
    world.at += timedelta(hours=1)
    wanted = Asked(Kind.INMATES, JAIL, "id,name,state\n1001,Alex Example,active\n", "officer").read()
    told = world.database.transact_now(take_rows, wanted, KEY, world.at, signer=Signer("officer"))
    assert told == "inmates: 0 added, 1 changed, 0 as they were"
    state = select(inmate.c.state).where(inmate.c.inmate_id == "1001")
    assert world.database.read_now(lambda conn: conn.scalar(state)) == "active"
    newest = world.database.read_now(changes_shown, Wanted(most=1))
    assert [(each["author"], each["change"], each["told"]) for each in newest] == [
        ("officer", "import inmates", told)
    ]


BAD: dict[str, tuple[Kind, str, list[str]]] = {
    "every bad row": (
        Kind.INMATES,
        "id,name,pin\n1003,Kim,12\n1004,Lee,9753\n\nx,Ray,9753\n1006,Jo\n",
        ["line 2: pin: ", "line 5: id: ", "line 6: expected 3 fields, found 2"],
    ),
    "rows wrong by themselves beside rows that do not fit": (
        Kind.INMATES,
        "id,name,pin,unit\n1003,Kim,12,\n1004,Lee,9753,unit-x\n",
        ["line 2: pin: ", "line 3: unit: there is no unit unit-x"],
    ),
    "rows that do not fit the facility": (
        Kind.INMATES,
        "id,name,pin,unit\n10030,Kim,9753,\n1004,Lee,9753,unit-x\n1005,Ray,,\n1006,Jo,9753,\n1006,Jo,9753,\n",
        [
            "line 2: id: 10030 has not 4 digits",
            "line 3: unit: there is no unit unit-x",
            "line 4: pin: expected one, since inmate 1005 is new",
            "line 6: id: 1006 stands there twice",
        ],
    ),
    "numbers": (
        Kind.NUMBERS,
        "inmate,number,speed_dial\n1009,2175550101,\n1001,2175550150,1\n1001,911,\n",
        [
            "line 2: inmate: there is no inmate 1009",
            "line 3: speed_dial: 1 is another number's",
            "line 4: number: '911' is not a telephone number",
        ],
    ),
    "numbers of others": (
        Kind.NUMBERS,
        "inmate,number,speed_dial\n1009,2175550101,\n1001,2175550150,1\n1002,2175550150,\n1002,2175550150,\n",
        [
            "line 2: inmate: there is no inmate 1009",
            "line 3: speed_dial: 1 is another number's",
            "line 5: number: +12175550150 stands there twice for inmate 1002",
        ],
    ),
    "a list too long": (
        Kind.NUMBERS,
        "inmate,number\n" + "".join(f"1002,21755501{n:02d}\n" for n in range(21)),
        ["line 22: number: the list would be longer than facility.pan_maximum, 20"],
    ),
    "blocks": (
        Kind.BLOCKED,
        "number,prefix,note\n2175550140,900,both\n2175550140,,\n",
        ["line 2: expected exactly one of number, prefix, type", "line 3: note: Field required"],
    ),
    "a header": (Kind.BLOCKED, "nummer;note\n", ["line 1: expected a header of note, number, prefix"]),
    "an empty file": (Kind.INMATES, "", ["line 1: expected a header of id, name, pin"]),
    "an open quote": (Kind.INMATES, 'id,name\n1001,"Alex\n', ["line 2: not CSV"]),
}


@pytest.mark.parametrize("what", BAD)
def test_every_bad_row_is_named_and_nothing_is_imported(world: World, what: str) -> None:
    kind, text, told = BAD[what]
    before = world.database.read_now(contents)
    with pytest.raises(ImportMistakes) as refusal:
        imported(world, kind, text)
    told_lines = str(refusal.value).splitlines()
    assert all(line.startswith("list.csv: ") for line in told_lines)
    *lines, last = (line.removeprefix("list.csv: ") for line in told_lines)
    assert len(lines) == len(told), lines
    assert all(line.startswith(each) for line, each in zip(lines, told, strict=True)), lines
    assert last == f"nothing was imported; {len(told)} mistakes"
    assert world.database.read_now(contents) == before


def test_ten_thousand_rows_take_seconds(world: World) -> None:
    wide = demonstration(
        ("inmate_id_digits = 4", "inmate_id_digits = 6"), ('"1001"', '"100001"'), ('"1002"', '"100002"')
    )
    world.database.transact_now(load, wide, KEY, world.at)
    people = "id,name,pin\n" + "".join(f"{200_000 + n},Person {n},2468\n" for n in range(10_000))
    lists = "inmate,number\n" + "".join(f"{200_000 + n},217556{n:04d}\n" for n in range(10_000))
    began = perf_counter()
    assert imported(world, Kind.INMATES, people).startswith("inmates: 10000 added")
    assert imported(world, Kind.NUMBERS, lists).startswith("numbers: 10000 added")
    assert perf_counter() - began < 60
    count = select(func.count()).select_from(allowed_number)
    assert (world.database.read_now(lambda conn: conn.scalar(count)) or 0) > 10_000


def test_the_command_imports_and_tells_mistakes(
    ivr: Ivr, world: World, on_database: str, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    for kind, text in GOOD.items():
        file.write_text(text)
        said = ivr("import", kind, str(file), "--facility", JAIL)
        assert (said.status, said.out, said.err) == (0, f"{kind}: 3 added, 0 changed, 0 as they were\n", "")
    assert is_one_line(ivr("import", "blocked", str(file), "--facility", "nowhere"), "no facility nowhere")
    assert is_one_line(ivr("import", "blocked", str(tmp_path / "x"), "--facility", JAIL), "No such file")


def test_what_is_no_import_is_refused() -> None:
    for wrong in (
        {},
        {"kind": "guards", "facility": JAIL, "author": "me"},
        {"kind": "inmates", "author": "me"},
    ):
        with pytest.raises(ImportMistakes, match="needs a kind, a facility and an author"):
            read_asked(wrong)
