"""An agency's rules hold at each of its facilities, and are the same at all of them whichever file brings them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Row, Table, select

from accounts.db import Database
from ivr.controls import Grant, Refused
from ivr.dumping import dump
from ivr.facility.file import FacilityFile, FacilityFileError, Sources, parse
from ivr.facility.tables import call_limit, schedule_window, unrecorded
from ivr.loading import load
from ivr.policy.reasons import Cutoff, Denial, NotRecorded
from ivr.records import calls
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.controller.test_facility_file import SOURCES, TEXT
from tests.fakes.loop import in_loop
from tests.transcripts.play import KEY, World

HEAD = '[agency]\nid = "example-agency"\nname = "Example Agency"\n'
NAMED = ('kind = "jail"', 'agency = "agency.toml"\nkind = "jail"')
SOON = '[[agency.schedule]]\ndays = "mon"\nopens = "08:00"\ncloses = "12:05"\n'


def jail(rules: str = "", *changes: tuple[str, str]) -> FacilityFile:
    """The demonstration's facility, of an agency with these rules."""
    text = TEXT
    for old, new in (NAMED, *changes):
        assert old in text
        text = text.replace(old, new)
    return parse(Sources(text, {**SOURCES.beside, "agency.toml": HEAD + rules}), "jail")


def of_the_agency(conn: Connection, table: Table) -> Sequence[Row[Any]]:
    """The rows that stand at the agency's level."""
    return conn.execute(select(table).where(table.c.scope == "agency")).all()


def other(rules: str) -> FacilityFile:
    """Another facility of the same agency, in another time zone."""
    head = TEXT.partition("[[facility.limit]]")[0].replace(*NAMED)
    text = head.replace("example-county-jail", "other-jail").replace("America/Chicago", "America/Denver")
    return parse(Sources(text, {**SOURCES.beside, "agency.toml": HEAD + rules}), "other")


@in_loop
async def test_an_agencys_hours_end_a_call_and_its_blocks_refuse_one(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path, jail(SOON))
    _, grant = await steps.decided(world, steps.PAID)
    assert isinstance(grant, Grant)
    assert (grant.limit_ms, grant.cutoff) == (300_000, Cutoff.SCHEDULE)
    blocked = '[[blocked]]\nprefix = "217"\nnote = "Fraud"\n'
    database.transact_now(load, jail(blocked), KEY, world.at)
    _, refused = await steps.decided(world, steps.SUBSCRIBED)
    assert refused == Refused(Denial.NUMBER_BLOCKED, {})


@in_loop
async def test_a_block_of_the_agency_holds_while_the_called_party_decides(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path, jail())
    called = await steps.offered(world)
    blocked = '[[no_contact]]\nnumber = "2175550102"\nnote = "Victim"\n'
    database.transact_now(load, jail(blocked), KEY, world.at)
    assert await called.accept("1", "en") is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ((), NotRecorded.AGENCY),
        ((('label = "Unit A"\n', 'label = "Unit A"\nrecords = false\n'),), NotRecorded.UNIT),
        ((('id = "demo-a1"\n', 'id = "demo-a1"\nrecords = false\n'),), NotRecorded.STATION),
        ((('name = "Alex Example"', 'name = "Alex Example"\nrecords = false'),), NotRecorded.INMATE),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@in_loop
async def test_any_level_may_say_not_to_record(
    database: Database, tmp_path: Path, changes: tuple[tuple[str, str], ...], why: NotRecorded
) -> None:
    world = World(database, tmp_path, jail("" if changes else "records = false\n", *changes))
    call_id, grant = await steps.decided(world, steps.PAID)
    assert isinstance(grant, Grant)
    assert not grant.recorded
    row = database.read_now(calls.call_of, call_id)
    assert row is not None
    assert row.not_recorded == why


def test_whichever_file_brings_the_agencys_rules_they_hold_at_all_of_its_facilities(world: World) -> None:
    def loaded(file: FacilityFile) -> list[str]:
        return world.database.transact_now(load, file, KEY, world.at)

    loaded(jail(SOON))
    loaded(other(SOON))
    limits = '[[agency.limit]]\ncalls = 3\neach = "day"\n'
    told = loaded(jail("records = false\n" + limits))
    for facility in ("example-county-jail", "other-jail"):
        assert f"agency at {facility}: hours of the agency, mon: 08:00 to 12:05 → none" in told
        assert f"agency at {facility}: limit of the agency: calls each day: added (3)" in told
    for table, count in ((schedule_window, 0), (call_limit, 2), (unrecorded, 2)):
        assert len(world.database.read_now(of_the_agency, table)) == count, table.name
    assert loaded(jail("records = false\n" + limits)) == []
    found = world.database.read_now(dump, "other-jail")
    assert loaded(parse(Sources(found.text, found.beside), "dumped")) == []
    assert loaded(other("")) != []


def test_a_facility_that_leaves_its_agency_keeps_none_of_its_rules(world: World) -> None:
    world.database.transact_now(load, jail(SOON), KEY, world.at)
    alone = parse(SOURCES, "alone")
    assert world.database.transact_now(load, alone, KEY, world.at) == [
        "facility example-county-jail: agency: example-agency → none",
        "agency at example-county-jail: hours of the agency, mon: 08:00 to 12:05 → none",
    ]


@pytest.mark.parametrize(
    ("rules", "mistake"),
    [
        ("[[agency.schedule]]\n", r"agency\.toml: agency\.schedule\.0\.days: Field required \(line 4\)"),
        ("colour = 1\n", r"agency\.toml: agency\.colour: Extra inputs are not permitted \(line 4\)"),
        ("[facility]\n", r"agency\.toml: facility: Extra inputs"),
        ("[", r"agency\.toml: not TOML"),
    ],
)
def test_a_mistake_in_an_agencys_file_is_named_with_its_line(rules: str, mistake: str) -> None:
    with pytest.raises(FacilityFileError, match=mistake):
        jail(rules)


def test_an_agencys_rules_may_not_stand_in_the_facilitys_file() -> None:
    with pytest.raises(FacilityFileError, match="agency: expected its own file, named in facility"):
        parse(replace(SOURCES, text=TEXT + "\n" + HEAD), "jail")
    with pytest.raises(FacilityFileError, match=r"facility: agency\.toml is not there"):
        parse(replace(SOURCES, text=TEXT.replace(*NAMED)), "jail")


def test_a_check_knows_the_agencys_hours_and_blocks(ivr: Ivr, tmp_path: Path) -> None:
    (tmp_path / "jail.toml").write_text(TEXT.replace(*NAMED))
    for name, text in SOURCES.beside.items():
        (tmp_path / name).write_text(text)
    rules = '[[agency.closure]]\nstarts = 2020-01-01T00:00:00\nends = 2020-01-02T00:00:00\nnote = "Storm"\n'
    (tmp_path / "agency.toml").write_text(
        HEAD + rules + '[[blocked]]\nprefix = "312"\nnote = "Fraud"\n', "utf-8"
    )
    said = ivr("check", str(tmp_path / "jail.toml"))
    assert said.status == 1
    assert "agency example-agency: closure “Storm” was over on 2020-01-02 00:00" in said.out
    assert "inmate 1001, number +13125550103, speed dial 3: allowed, and blocked by prefix +1312" in said.out


def test_the_agencys_file_is_no_tariff() -> None:
    both = (
        'tariffs = ["demonstration-tariff.toml"]',
        'tariffs = ["demonstration-tariff.toml", "agency.toml"]',
    )
    with pytest.raises(FacilityFileError) as refusal:
        jail("", both)
    [line] = str(refusal.value).splitlines()
    assert line.startswith(
        "jail: facility: tariffs: agency.toml is the file that agency names, and no tariff"
    )
