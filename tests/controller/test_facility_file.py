"""A facility file is understood whole or refused with a line for each mistake; loading it again changes nothing."""

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import Connection, select

from accounts import payers
from accounts.db import metadata
from accounts.funds import Funds
from ivr.controls.called_party import block_number
from ivr.facility.fields import Funding, OnlyPayer
from ivr.facility.file import FacilityFileError, Sources, parse, read
from ivr.facility.tables import blocked_number, inmate
from ivr.loading import load
from ivr.policy.request import ONLY_PAYERS, Payer
from rating.money import Money
from tests.controller import steps
from tests.transcripts.funding import FUNDING
from tests.transcripts.play import FACILITY, KEY, World, demonstration

SOURCES = read(FACILITY)
TEXT = SOURCES.text

FAR_CLOSURE = (
    "[[facility.closure]]\nstarts = 2026-12-24T12:00:00\nends = 9999-12-31T00:00:00\nnote = 'Ever'\n"
)
#: What is written instead of what, and what the one mistake is: the field, and what was expected.
MISTAKES: dict[str, tuple[str, str, str]] = {
    "not TOML": ('id = "example-county-jail"', "id = example", r"not TOML: .*line 4"),
    "a word that there is not": ("records = true", "recods = true", r"facility\.recods: Extra inputs"),
    "a table that there is not": ("[[plan]]", "[[plans]]", r"plans: Extra inputs .* \(line \d+\)"),
    "prices in the file itself": ("[[plan]]", "[[tariff]]", r"tariff: expected its own file"),
    "a tariff that is not there": (
        "-tariff.toml",
        "-prices.toml",
        r"facility: demonstration-prices\.toml is not there",
    ),
    "collect without prepaid": (
        FUNDING,
        FUNDING + 'payers = ["collect"]\n',
        r"funding\.payers: expected prepaid beside collect.*64\.6050",
    ),
    "a payer that there is not": (
        FUNDING,
        FUNDING + 'payers = ["barter"]\n',
        r"funding\.payers\.0: ",
    ),
    "keys that come in no way": ('dtmf = "auto"', 'dtmf = "sip"', r"station\.0\.dtmf: .*'rfc4733'"),
    "a key that no prompt says": (
        "accept_key = 1",
        "accept_key = 2",
        r"facility\.accept_key: expected .* 1, 3, 5 or 0",
    ),
    "a block by a key that no prompt says": (
        "block_key = 9",
        "block_key = 1",
        r"facility\.block_key: expected .* 9, 6 or 7",
    ),
    "a block confirmed by the same key": (
        "block_key = 9",
        "block_key = 6",
        r"facility: block_confirm_key: expected another key than block_key 6",
    ),
    "recordings kept for no time": ("kept_days = 365", "kept_days = 0", r"recording\.kept_days: .* 1"),
    "a wish that there is not": (
        'when_it_fails = "end"',
        'when_it_fails = "never"',
        r"recording\.when_it_fails: Input should be 'end' or 'alert'",
    ),
    "a tariff elsewhere": (
        '"demonstration-',
        '"../demonstration-',
        r"facility\.tariffs\.0: expected the name of a .toml file",
    ),
    "a plan that there is not": (
        "calls = 57",
        'plan = "family-50"',
        r"subscription \+12175550101: there is no plan family-50",
    ),
    "calls and a plan": (
        "calls = 57",
        'calls = 57\nplan = "family-100"',
        r"subscription\.0: expected either calls or plan",
    ),
    "nobody's custody": (
        'operator = "county"',
        'operator = "firm"',
        r"facility\.operator: .*'state', 'county'",
    ),
    "fewer than nobody": ("population = 240", "population = -1", r"average_daily_population: .*equal to 0"),
    "no name": ('name = "Example County Jail"\n', "", r"facility\.name: Field required"),
    "an id with a capital": ('id = "demo-a1"', 'id = "Demo A1"', r"station\.0\.id: expected small letters"),
    "neither jail nor prison": ('kind = "jail"', 'kind = "camp"', r"facility\.kind: .*'jail', 'prison' or"),
    "a state by its name": (
        'state = "IL"',
        'state = "Illinois"',
        r"facility\.state: 'Illinois' is not a US state",
    ),
    "a state that there is none of": (
        'state = "IL"',
        'state = "XX"',
        r"facility\.state: 'XX' is not a US state",
    ),
    "no such zone": ("America/Chicago", "America/Springfield", r"time_zone: .* is not a time zone"),
    "a zone that is a folder": ("America/Chicago", "America", r"time_zone: .* is not a time zone"),
    "more people than live": (
        "population = 240",
        "population = 99999999999999999999",
        r"population: .*1000000",
    ),
    "a caller ID that is none": ("+1 217 555 0100", "911", r"caller_id: '911' .*emergency_number"),
    "a number without quotes": ('"+1 217 555 0110"', "2175550110", r"number\.0\.number: .*in quotes"),
    "a premium number": ("+1 217 555 0110", "+1 900 555 0110", r"number\.0\.number: .*number_"),
    "too few digits of an ID": (
        "inmate_id_digits = 4",
        "inmate_id_digits = 2",
        r"inmate_id_digits: .*equal to 4",
    ),
    "IDs of another length": (
        "inmate_id_digits = 4",
        "inmate_id_digits = 5",
        r"inmate 1001: .*says 5 digits",
    ),
    "an endless call": (
        "longest_call_minutes = 15",
        "longest_call_minutes = 999",
        r"longest_call_minutes: .*240",
    ),
    "no minutes": (
        "longest_call_minutes = 15",
        "longest_call_minutes = 0",
        r"longest_call_minutes: .*equal to 1",
    ),
    "ringing too short": ("ring_seconds = 30", "ring_seconds = 5", r"ring_seconds: .*equal to 10"),
    "an exchange too short": ('["217555"]', '["217"]', r"local_exchanges\.0: expected six digits"),
    "an exchange twice": (
        '["217555"]',
        '["217555", "217555"]',
        r"local exchange given more than once: 217555",
    ),
    "no such day": ('days = "mon-sun"', 'days = "monday"', r"schedule\.0\.days: 'monday' is not a day"),
    "days as a list": ('days = "mon-sun"', 'days = ["mon"]', r"schedule\.0\.days: expected days such as"),
    "an hour too many": ('opens = "00:00"', 'opens = "25:00"', r"schedule\.0\.opens: expected a time of day"),
    "an hour as a number": ('opens = "00:00"', "opens = 8", r"schedule\.0\.opens: expected a time of day"),
    "a zone in a time": ('opens = "00:00"', 'opens = "08:00+02:00"', r"opens: expected a time of day"),
    "seconds in a time": ('opens = "00:00"', 'opens = "08:00:30"', r"opens: expected a time of day"),
    "a station twice": ('id = "demo-a2"', 'id = "demo-a1"', r"station given more than once: demo-a1"),
    "an inmate twice": ('id = "1002"', 'id = "1001"', r"inmate given more than once: 1001"),
    "a state that there is not": ('state = "suspended"', 'state = "ill"', r"inmate\.1\.state: .*'suspended'"),
    "a speed dial twice": (
        'speed_dial = "2"',
        'speed_dial = "1"',
        r"inmate\.0: speed dial given more than once: 1",
    ),
    "a speed dial too long": (
        'speed_dial = "2"',
        'speed_dial = "222"',
        r"numbers\.1\.speed_dial: expected one or two digits",
    ),
    "a number twice in a list": (
        '+1 217 555 0102", speed',
        '217-555-0101", speed',
        r"inmate\.0: number given more",
    ),
    "a number blocked twice": (
        "[[blocked]]",
        '[[blocked]]\nnumber = "+1 217 555 0105"\nnote = "too"\n[[blocked]]',
        r"blocked number given",
    ),
    "a block without its reason": (
        'note = "Protective order (demonstration)"',
        'note = ""',
        r"blocked\.0\.note: .*3",
    ),
    "a balance below nothing": ('"5.00"', '"-5.00"', r"opening_balance: .*greater than or equal"),
    "a balance of too much": ('"5.00"', '"1000000.01"', r"opening_balance: expected at most \$1,000,000\.00"),
    "an account twice": (
        "[[prepaid]]",
        '[[prepaid]]\naccount = "family-one"\nnumbers = []\nopening_balance = "1.00"\n[[prepaid]]',
        r"prepaid account given more than once: family-one",
    ),
    "a subscription to nothing": ("calls = 57", "calls = 0", r"subscription\.0\.calls: .*equal to 1"),
    "hours that end as they begin": (
        'closes = "24:00"',
        'closes = "00:00"',
        r"schedule\.0: closes 00:00 is when it opens: a whole day is \"00:00\" to \"24:00\"",
    ),
    "a call as long as true": (
        "longest_call_minutes = 15",
        "longest_call_minutes = true",
        r"longest_call_minutes: .*integer",
    ),
    "a suspension from a number": (
        'state = "suspended"',
        'state = "suspended"\nsuspended_from = 5',
        r"inmate\.1\.suspended_from: expected a day or a time",
    ),
    "a suspension with an offset": (
        'state = "suspended"',
        'state = "suspended"\nsuspended_to = 2026-12-24T12:00:00Z',
        r"inmate\.1\.suspended_to: expected the facility's own time, written without an offset",
    ),
    "a suspension backwards": (
        'state = "suspended"',
        'state = "suspended"\nsuspended_from = 2026-12-24T12:00:00\nsuspended_to = 2026-12-24T11:00:00',
        r"inmate\.1: suspended_to .* is not after suspended_from",
    ),
    "a hotline in place of the police": (
        'code = "33"',
        'code = "911"',
        r"number\.\d: code: 911 is an emergency number",
    ),
    "a hotline in place of the crisis line": (
        'code = "33"',
        'code = "988"',
        r"code: 988 is an emergency number or",
    ),
    "a closure without end": (
        "[[plan]]",
        FAR_CLOSURE + "[[plan]]",
        r"facility\.closure\.0\.ends: expected a year from 2000 to 2100, not 9999",
    ),
    "a holiday before all": (
        "[[plan]]",
        '[[facility.holiday]]\ndate = 0001-01-01\nname = "First"\n[[plan]]',
        r"facility\.holiday\.0\.date: expected a year from 2000 to 2100, not 0001",
    ),
    "a subscription for ever": (
        "calls = 57",
        "calls = 57\nstarts_on = 9999-12-31",
        r"subscription\.0\.starts_on: expected a year from 2000 to 2100",
    ),
    "a subscription that ends before": (
        "calls = 57",
        "calls = 57\nstarts_on = 2026-05-02\nends_on = 2026-05-01",
        r"subscription\.0: ends_on .*before",
    ),
}


def mistaken(old: str, new: str) -> Sources:
    """The demonstration's file, or the tariff beside it, with one change."""
    if old in TEXT:
        return Sources(TEXT.replace(old, new, 1), SOURCES.beside)
    (tariff,) = SOURCES.beside.values()
    assert old in tariff
    return Sources(TEXT, dict.fromkeys(SOURCES.beside, tariff.replace(old, new, 1)))


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_is_named_with_its_field_and_what_was_expected(kind: str) -> None:
    old, new, told = MISTAKES[kind]
    with pytest.raises(FacilityFileError) as refusal:
        parse(mistaken(old, new), "jail.toml")
    lines = str(refusal.value).splitlines()
    assert all(line.startswith("jail.toml: ") for line in lines)
    assert any(re.search(told, line) for line in lines), lines


def test_payers_in_a_file_are_the_ones_that_there_are() -> None:
    assert set(get_args(Funding)) == set(Payer) - {Payer.FREE}
    assert get_args(OnlyPayer) == ONLY_PAYERS


def test_all_mistakes_are_told_at_once() -> None:
    text = TEXT.replace('kind = "jail"', 'kind = "camp"').replace('"5.00"', '"cheap"').replace('"IL"', '"il"')
    with pytest.raises(FacilityFileError) as refusal:
        parse(Sources(text, SOURCES.beside), "jail.toml")
    assert len(str(refusal.value).splitlines()) == 3


@pytest.mark.parametrize(
    "pin", ['"90714 315"', "90714315", '"907"', '"90714٣٣"', '["90714315"]', '"9071431586024"']
)
def test_a_pin_is_in_no_message(pin: str) -> None:
    with pytest.raises(FacilityFileError) as refusal:
        parse(mistaken('"2468"', pin), "jail.toml")
    assert "inmate.0.pin" in str(refusal.value)
    assert "907" not in str(refusal.value)
    with pytest.raises(FacilityFileError) as refusal:
        parse(mistaken('"2468"', f"{pin}]"), "jail.toml")
    assert "907" not in str(refusal.value)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('kind = "jail"', 'kind = "camp"', "facility.kind"),
        ('days = "mon-sun"', 'days = "monday"', "facility.schedule.0.days"),
        ('+1 312 555 0103"', '+1 312 555"', "inmate.0.numbers.2.number"),
        ('id = "1002"\npin = "1357"', 'id = "1002"\npin = "1"', "inmate.1.pin"),
    ],
)
def test_a_mistake_is_told_with_its_line(old: str, new: str, field: str) -> None:
    sources = mistaken(old, new)
    with pytest.raises(FacilityFileError) as refusal:
        parse(sources, "jail.toml")
    (line,) = str(refusal.value).splitlines()
    assert line.startswith(f"jail.toml: {field}: ")
    number = int(line.rpartition("(line ")[2].rstrip(")"))
    assert new.splitlines()[-1] in sources.text.splitlines()[number - 1]


def test_all_entries_that_do_not_go_together_are_told_each_with_its_line() -> None:
    wrong = (
        ('unit = "unit-a"', 'unit = "unit-z"'),
        ('id = "1002"', 'id = "1001"'),
        ("pan_maximum = 20", "pan_maximum = 7"),
        ("calls = 57", 'plan = "none"'),
    )
    text = TEXT
    for old, new in wrong:
        text = text.replace(old, new, 1)
    with pytest.raises(FacilityFileError) as refusal:
        parse(Sources(text, SOURCES.beside), "jail.toml")
    told = str(refusal.value).splitlines()
    lines = text.splitlines()
    found = [(each.split(": ")[1], lines[int(each.rpartition("(line ")[2].rstrip(")")) - 1]) for each in told]
    assert found == [
        ("inmate.0.numbers", "numbers = ["),
        ("inmate.1.id", 'id = "1001"'),
        ("station.0.unit", 'unit = "unit-z"'),
        ("subscription.0.plan", 'plan = "none"'),
    ]


def test_a_missing_field_is_told_with_the_line_of_its_table() -> None:
    with pytest.raises(FacilityFileError, match=r"blocked\.0\.note: Field required \(line \d+\)"):
        parse(mistaken('note = "Protective order (demonstration)"\n', ""), "jail.toml")


def test_a_file_shows_no_pin() -> None:
    assert "2468" not in repr(demonstration())


def test_a_file_that_cant_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FacilityFileError, match=r"absent\.toml: No such file"):
        read(tmp_path / "absent.toml")
    with pytest.raises(FacilityFileError, match="Is a directory"):
        read(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'name = "Jos\xe9"')
    with pytest.raises(FacilityFileError, match=r"latin\.toml: not UTF-8"):
        read(tmp_path / "latin.toml")


def test_the_demonstration_is_what_its_text_says() -> None:
    file = demonstration()
    written = tomllib.loads(TEXT)
    assert [each.id for each in file.inmate] == [each["id"] for each in written["inmate"]]
    assert file.facility.schedule[0].days == list(range(7))
    assert file.prepaid[0].opening_balance == 5_000_000


Rows = dict[str, list[tuple[Any, ...]]]


def contents(conn: Connection) -> Rows:
    """Everything there is."""
    return {
        table.name: sorted(map(tuple, conn.execute(select(table))), key=str)
        for table in metadata.sorted_tables
    }


def differing(before: Rows, after: Rows) -> set[str]:
    return {table for table, rows in after.items() if rows != before[table]}


def test_loading_again_changes_nothing(world: World) -> None:
    before = world.database.read_now(contents)
    assert world.database.transact_now(load, demonstration(), KEY, world.at) == []
    assert world.database.read_now(contents) == before


def test_a_pin_is_kept_as_a_hash_with_the_id_of_its_key(world: World) -> None:
    rows = world.database.read_now(lambda conn: conn.execute(select(inmate)).all())
    assert all("2468" not in str(tuple(row)) and row.pin_key_id == KEY.id for row in rows)


def test_a_called_partys_block_is_not_lifted_by_a_load(world: World) -> None:
    number = "+12175550102"
    world.database.transact_now(block_number, "example-county-jail", number, "0" * 32, world.node)
    blocked_by_file = parse(mistaken('+1 217 555 0105"\nnote', '+1 217 555 0102"\nnote'), "f")
    for file in (demonstration(), blocked_by_file, demonstration()):
        world.database.transact_now(load, file, KEY, world.at)
        rows = world.database.read_now(lambda conn: conn.execute(select(blocked_number)).all())
        causes = {row.cause for row in rows if row.number == number and row.lifted_at is None}
        assert causes == ({"called_party", "facility"} if file is blocked_by_file else {"called_party"})


OTHER_JAIL = TEXT.replace("example-county-jail", "other-jail").replace('"demo-', '"other-')
CONTRADICTIONS: dict[str, tuple[str, str]] = {
    "another facility's station": (
        OTHER_JAIL.replace("other-a2", "demo-a2"),
        r"station demo-a2: it belongs to facility example-county-jail",
    ),
    "another account's number": (
        OTHER_JAIL.replace("family-one", "family-two"),
        r"0101 belongs to prepaid/example-county-jail/family-one",
    ),
    "other terms of a subscription": (TEXT.replace("calls = 57", "calls = 58"), r"opened with other terms"),
    "privilege that goes": (
        TEXT.replace("privileged = true", "privileged = false"),
        r"number \+12175550110: it is privileged, and no file ends that: two operators do",
    ),
    "overlapping periods": (
        TEXT.replace("calls = 57", "calls = 57\nstarts_on = 2026-11-01"),
        r"overlaps subscription/example-county-jail",
    ),
}


@pytest.mark.parametrize("what", CONTRADICTIONS)
def test_a_file_that_contradicts_the_database_loads_nothing(world: World, what: str) -> None:
    text, told = CONTRADICTIONS[what]
    before = world.database.read_now(contents)
    with pytest.raises(FacilityFileError, match=told):
        world.database.transact_now(load, parse(Sources(text, SOURCES.beside), "f"), KEY, world.at)
    assert world.database.read_now(contents) == before


def test_a_period_that_would_end_before_it_begins_is_refused(world: World) -> None:
    before = world.database.read_now(contents)
    text = OTHER_JAIL.replace("calls = 57", "calls = 57\nends_on = 2026-01-01").partition("[[prepaid]]")[0]
    text += '[[subscription]]\nnumber = "+1 217 555 0101"\ncalls = 5\nends_on = 2026-01-01\n'
    with pytest.raises(FacilityFileError, match="ends_on 2026-01-01 is before it starts, 2026-11-23"):
        world.database.transact_now(load, parse(Sources(text, SOURCES.beside), "f"), KEY, world.at)
    assert world.database.read_now(contents) == before


def test_a_second_facility_leaves_the_first_alone(world: World) -> None:
    before = world.database.read_now(contents)
    text = OTHER_JAIL.partition("[[prepaid]]")[0]
    assert world.database.transact_now(load, parse(Sources(text, SOURCES.beside), "f"), KEY, world.at)
    after = world.database.read_now(contents)
    assert all(set(before[table]) <= set(after[table]) for table in before)
    steps.assert_books_are_right(world)


def test_a_number_that_is_taken_from_an_account_can_go_to_another_in_the_same_file(world: World) -> None:
    moved = FACILITY.read_text("utf-8").replace('    "+1 217 555 0102",\n', "")
    moved += '\n[[prepaid]]\naccount = "aunt"\nnumbers = ["+1 217 555 0102"]\nopening_balance = "1.00"\n'
    world.database.transact_now(load, parse(Sources(moved, SOURCES.beside), "f"), KEY, world.at)
    facts = world.database.read_now(
        payers.payer_facts, facility_id="example-county-jail", number="+12175550102", on=world.at.date()
    )
    assert facts.prepaid == Funds("prepaid/example-county-jail/aunt", Money(1_000_000))


def test_loading_again_after_a_period_has_lapsed_gives_no_calls_away(world: World) -> None:
    later = world.at + timedelta(days=60)
    file = parse(SOURCES, "f")
    assert world.database.transact_now(load, file, KEY, later) == []
    facts = world.database.read_now(
        payers.payer_facts, facility_id="example-county-jail", number="+12175550101", on=later.date()
    )
    assert facts.subscription is not None
    assert facts.subscription.period is None
