"""A number that is privileged for a whole agency is so at each of its facilities, by the same rules as any other."""

import pytest
from sqlalchemy import Connection, delete, select

from ivr.controls.explaining import Question, explain
from ivr.dumping import dump
from ivr.facility import privileged
from ivr.facility.check import findings
from ivr.facility.file import FacilityFile, FacilityFileError, InmateEntry, Sources, parse
from ivr.facility.tables import privileged_number
from ivr.loading import load
from ivr.policy.privilege import WAITS_FOR_ANOTHER, Shrinking
from ivr.records.tables import recording
from ivr.staff.changes import attempt, read
from ivr.staff.desk import Alarm, StaffError
from ivr.staff.privileged_report import privileged_report
from ivr.staff.showing import privileged_numbers
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.controller.test_agency import HEAD, jail, other
from tests.controller.test_cli import is_one_line
from tests.controller.test_facility_file import contents
from tests.controller.test_privileged import (
    JAIL,
    LIST_KEY,
    _earlier,
    add,
    confirm,
    ends,
    lines,
    signed,
    staff,
)
from tests.fakes.loop import in_loop
from tests.transcripts.play import KEY, World

OTHER, AGENCY = "other-jail", {"agency_id": "example-agency"}
BISHOP = '[[privileged]]\nnumber = "+1 217 555 0102"\nlabel = "Bishop"\n'
PLACES = (JAIL, OTHER)


def loaded(world: World, *files: FacilityFile) -> list[str]:
    return [line for each in files for line in world.database.transact_now(load, each, KEY, world.at)]


def other_jail(rules: str = "") -> FacilityFile:
    """The agency's other facility, which has an inmate who lists the same number."""
    robin = {"id": "2001", "pin": "1111", "name": "Robin", "numbers": [{"number": "+12175550102"}]}
    return other(rules).model_copy(update={"inmate": [InmateEntry.model_validate(robin)]})


def recorded(world: World) -> dict[str, bool]:
    """At which facilities a call to the number would be recorded."""
    return {
        place: bool(
            world.database.read_now(
                explain, Question(inmate, "2175550102", facility_id=place), world.at
            ).as_dict()["recorded"]
        )
        for place, inmate in ((JAIL, "1001"), (OTHER, "2001"))
    }


EVERYWHERE, NOWHERE = {JAIL: True, OTHER: True}, {JAIL: False, OTHER: False}


def are_intact(world: World) -> bool:
    return all(world.database.read_now(privileged.intact, each) for each in PLACES)


def test_an_agencys_file_makes_a_number_privileged_at_all_of_its_facilities_and_ends_it_at_none(
    world: World,
) -> None:
    loaded(world, jail(), other_jail())
    assert recorded(world) == EVERYWHERE
    told = loaded(world, jail(BISHOP))
    assert told == [f"agency at {each}: number +12175550102: privileged: added (Bishop)" for each in PLACES]
    assert recorded(world) == NOWHERE
    assert are_intact(world)
    assert loaded(world, other_jail(BISHOP)) == []
    renamed = BISHOP.replace("Bishop", "Archbishop")
    told = loaded(world, jail(renamed))
    line = "number +12175550102: privileged: label: Bishop → Archbishop"
    assert told == [f"agency at {each}: {line}" for each in PLACES]
    assert "Archbishop" in world.database.read_now(dump, OTHER).beside["agency.toml"]
    assert are_intact(world)
    assert loaded(world, jail(renamed)) == loaded(world, other_jail(renamed)) == []
    before = world.database.read_now(contents)
    with pytest.raises(FacilityFileError, match=r"remove \+12175550102 --agency example-agency`"):
        loaded(world, jail())
    assert world.database.read_now(contents) == before
    found = world.database.read_now(dump, OTHER)
    assert loaded(world, parse(Sources(found.text, found.beside), "dumped")) == []
    staff(world, "number privileged shrink", "anna", number="2175550102", how=Shrinking.REMOVE, **AGENCY)
    confirm(world, "berta", **AGENCY)
    loaded(world, jail())
    assert recorded(world) == EVERYWHERE


def test_what_operators_add_for_an_agency_needs_two_of_them_and_lapses_at_all_facilities(
    world: World,
) -> None:
    loaded(world, jail(), other_jail())
    assert add(world, **AGENCY).startswith(f"{JAIL}, {OTHER}: number +12175550102 of agency example-agency: ")
    assert recorded(world) == NOWHERE
    assert are_intact(world)
    with pytest.raises(StaffError, match="you asked for this yourself"):
        confirm(world, "anna", **AGENCY)
    with pytest.raises(StaffError, match="nothing to confirm"):  # the facility's own is another thing
        confirm(world, "berta", facility_id=JAIL)
    world.at += WAITS_FOR_ANOTHER
    assert recorded(world) == EVERYWHERE
    add(world, **AGENCY)
    confirm(world, "berta", **AGENCY)
    world.at += WAITS_FOR_ANOTHER
    staff(world, "number privileged shrink", "anna", number="2175550102", how=Shrinking.REMOVE, **AGENCY)
    assert recorded(world) == NOWHERE
    with pytest.raises(StaffError, match="you asked for this yourself"):
        confirm(world, "anna", **AGENCY)
    assert "no longer privileged" in confirm(world, "berta", **AGENCY)
    assert recorded(world) == EVERYWHERE
    day = world.at.date()
    changes = world.database.read_now(privileged_report, OTHER, day - WAITS_FOR_ANOTHER * 3, day).changes
    assert [each["author"] for each in changes] == ["anna", "anna", "berta", "anna", "berta"]


def test_a_facility_that_comes_has_the_agencys_numbers_and_one_that_leaves_keeps_them(world: World) -> None:
    loaded(world, jail(BISHOP))
    add(world, number="2175550104", **AGENCY)
    told = loaded(world, other_jail(BISHOP))
    assert (
        "agency at other-jail: number +12175550104: privileged: added, as of its agency (for a test)" in told
    )
    rows = world.database.read_now(privileged_numbers, OTHER, world.at)
    whose = f"{OTHER}, as of agency example-agency"
    assert [(row["number"], row["whose"], row["state"]) for row in rows] == [
        ("+12175550102", whose, "stands"),
        ("+12175550104", whose, "not confirmed"),
    ]
    alone = jail().model_copy(update={"agency": None})
    assert "number +12175550102: privileged: stays so, no longer as of agency example-agency" in loaded(
        world, alone
    )
    assert recorded(world) == NOWHERE
    assert are_intact(world)
    assert loaded(world, alone) == []
    confirm(world, "berta", number="2175550104", facility_id=JAIL)  # it is the facility's own now


@in_loop
async def test_it_stops_recordings_and_seals_earlier_ones_of_every_facility(world: World) -> None:
    loaded(world, jail(), other_jail())
    call_id, _ = await steps.decided(world, steps.PAID)
    world.database.transact_now(_earlier, call_id)
    await ends(world, call_id)
    called = await steps.offered(world)
    assert "recordings sealed: 1" in add(world, **AGENCY)
    because = world.database.read_now(lambda conn: conn.scalar(select(recording.c.sealed_because)))
    assert because is not None
    assert "of agency example-agency: attorney, added by anna" in because
    accepted = await called.accept("1", "en")  # the statement that accepts knows it
    assert accepted is not None
    assert accepted.recording_file is None


def test_a_signed_list_of_an_agency_shrinks_by_two_and_by_little(world: World) -> None:
    loaded(world, jail(), other_jail())

    def imports(text: str, **whose: str) -> str | StaffError:
        given = {"csv": text, "signature": signed(text), **whose}
        asked = read("import privileged", {"note": "list all.csv", "author": "anna", **given})
        return world.database.transact_now(
            attempt, "import privileged", asked, KEY, world.at, list_key=LIST_KEY
        )

    assert f"{OTHER}: privileged: 200 added" in str(imports(lines(0, 200), **AGENCY))
    assert "10 added, 0 as they were" in str(imports(lines(300, 310), facility_id=JAIL))  # a list of its own
    before = world.database.read_now(privileged_numbers, None, world.at)
    assert isinstance(imports(lines(3, 200), **AGENCY), Alarm)
    assert isinstance(imports("number,kind,note,inmate\n2175550102,clergy,One,1001\n", **AGENCY), Alarm)
    assert world.database.read_now(privileged_numbers, None, world.at) == before
    assert "to be removed when another operator confirms it: +12175551000" in str(
        imports(lines(1, 200), **AGENCY)
    )
    confirm(world, "berta", number="2175551000", **AGENCY)
    assert are_intact(world)


def test_an_agencys_number_that_is_lost_leaves_the_list_in_doubt(world: World) -> None:
    loaded(world, jail(BISHOP), other_jail(BISHOP))

    def lose(conn: Connection) -> None:
        conn.execute(delete(privileged_number).where(privileged_number.c.facility_id == OTHER))

    world.database.transact_now(lose)
    assert [world.database.read_now(privileged.intact, each) for each in PLACES] == [True, False]


def test_whoever_names_an_agency_names_all_of_it(ivr: Ivr, world: World, on_database: str) -> None:
    loaded(world, jail(), other_jail())
    note = ("--note", "why not")
    for words in (
        ("--agency", "example-agency", "--inmate", "1001"),
        ("--agency", "example-agency", "--facility", JAIL),
    ):
        said = ivr("number", "privileged", "remove", "2175550102", *words, *note)
        assert "agency_id: an agency's number is that of all its facilities" in said.err
    unknown = ivr("number", "privileged", "remove", "2175550102", "--agency", "nobodys", *note)
    assert is_one_line(unknown, "no facility belongs to an agency nobodys")
    given = ("--agency", "example-agency", "--kind", "clergy")
    said = ivr("number", "privileged", "add", "2175550102", *given, *note)
    assert said.out.startswith(f"{JAIL}, {OTHER}: number +12175550102 of agency")


def test_a_check_finds_an_agencys_number_that_is_blocked(world: World) -> None:
    blocked = BISHOP + '[[blocked]]\nprefix = "217"\nnote = "Fraud"\n'
    found = findings(jail(blocked), world.at)
    assert "agency, number +12175550102: Bishop is privileged, and blocked by prefix +1217 (Fraud)" in found
    twice = HEAD + BISHOP + BISHOP
    with pytest.raises(FacilityFileError, match=r"privileged number given more than once: \+12175550102"):
        jail(twice.removeprefix(HEAD))
