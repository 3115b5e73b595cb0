"""`ivr check` finds what contradicts itself and what stands there for nothing, and nothing else."""

from datetime import UTC, datetime

import pytest

from ivr.dumping import dump
from ivr.facility.check import findings
from ivr.facility.file import FacilityFile, Sources, parse
from ivr.loading import load
from tests.controller.conftest import Ivr
from tests.controller.test_facility_file import SOURCES, TEXT
from tests.transcripts.funding import FUNDING
from tests.transcripts.play import FACILITY, KEY, World

AT = datetime(2026, 11, 24, 18, tzinfo=UTC)
BLOCK = (
    '[[blocked]]                            # or prefix = "900", type = "international"; cause = "security"\n'
)
assert BLOCK in TEXT
CLEAN = TEXT.replace('speed_dial = "5" }', 'speed_dial = "5", override_note = "By order" }')
DAYTIME = CLEAN.replace('opens = "00:00"\ncloses = "24:00"', 'opens = "08:00"\ncloses = "22:00"')
NIGHT = 'schedule = [{ days = "mon-sun", opens = "22:00", closes = "08:00" }]\n'
CONNECTICUT = DAYTIME.replace('state = "IL"', 'state = "CT"')
LIMIT = "[[facility.limit]]                     # or calls"
UNIT, SAM, FIRST = 'label = "Unit A"\n', 'name = "Sam Example"\n', 'speed_dial = "1" }'

#: A file, what is written in it instead of what, and the one finding.
FOUND: dict[str, tuple[str, str, str, str]] = {
    "a number allowed and blocked": (
        TEXT,
        "",
        "",
        "inmate 1001, number +12175550105, speed dial 5: allowed, and blocked by number +12175550105 "
        "(Protective order (demonstration))",
    ),
    "a blocked area": (
        CLEAN,
        BLOCK,
        '[[blocked]]\nprefix = "617"\nnote = "Fraud"\n' + BLOCK,
        "inmate 1001, number +16175550104, speed dial 4: allowed, and blocked by prefix +1617 (Fraud)",
    ),
    "a blocked defender": (
        CLEAN,
        BLOCK,
        '[[blocked]]\nnumber = "2175550110"\nnote = "why"\n' + BLOCK,
        "number +12175550110: Public defender is for everybody, and blocked by number +12175550110 (why)",
    ),
    "legal aid that is recorded": (
        CLEAN,
        BLOCK,
        '[[number]]\nnumber = "2175550150"\nlabel = "Aid"\nhotline_kind = "legal_aid"\ncode = "44"\n' + BLOCK,
        "number +12175550150: legal aid, and recorded: expected privileged = true, or records = …",
    ),
    "recordings of nothing": (
        CLEAN.replace("\nrecords = true", "\nrecords = false"),
        "kept_days = 365",
        "kept_days = 90",
        "recording: facility.records is false, so nothing is recorded that this could be about",
    ),
    "no contact": (
        CLEAN,
        BLOCK,
        '[[no_contact]]\nnumber = "2175550105"\nnote = "Victim"\n' + BLOCK,
        "inmate 1001, number +12175550105, speed dial 5: allowed, and blocked by no_contact",
    ),
    "an inmate's own no contact": (
        CLEAN,
        'name = "Alex Example"\n',
        'name = "Alex Example"\nno_contact = [{ number = "2175550101", note = "Order" }]\n',
        "inmate 1001, number +12175550101, speed dial 1: allowed, and blocked by their own no_contact",
    ),
    "a privileged number to be recorded": (
        CLEAN,
        FIRST,
        FIRST + ',\n{ number = "2175550110", records = true }',
        "inmate 1001, number +12175550110: records = true means nothing, since the number is privileged",
    ),
    "a window outside the hours": (
        DAYTIME,
        UNIT,
        UNIT + 'schedule = [{ days = "mon-fri", opens = "22:00", closes = "24:00" }, '
        '{ days = "sat", opens = "09:00", closes = "10:00" }]\n',
        "unit unit-a: schedule mon-fri 22:00 to 24:00 never opens: the facility is closed then",
    ),
    "a facility without hours": (
        CLEAN.replace("[[facility.schedule]]", "[[unit.x]]").partition("[[unit.x]]")[0]
        + "schedule = []\n"
        + CLEAN[CLEAN.index(LIMIT) :],
        "",
        "",
        "facility: it has no schedule, so nobody ever calls",
    ),
    "a limit that a tighter one makes dead": (
        CLEAN,
        LIMIT,
        '[[facility.limit]]\ncalls = 5\neach = "day"\n[[facility.limit]]\ncalls = 9\neach = "day"\n' + LIMIT,
        "facility: limit calls 9, each day never holds: calls 5, each day is tighter",
    ),
    "a week's limit that no day lets be reached": (
        CLEAN,
        LIMIT,
        '[[facility.limit]]\ncalls = 5\neach = "day"\n[[facility.limit]]\ncalls = 35\neach = "week"\n'
        + LIMIT,
        "facility: limit calls 35, each week never holds: calls 5, each day is tighter",
    ),
    "a limit beyond the longest call": (
        CLEAN,
        'days = "weekend"',
        'days = "weekend"\n[[facility.limit]]\nlongest_call_minutes = 20\ncall_type = "local"',
        "facility: limit longest_call_minutes 20, call_type local never holds: "
        "facility.longest_call_minutes is 15",
    ),
    "a shorter pause": (
        CLEAN,
        LIMIT,
        "[[facility.limit]]\ncooling_off_minutes = 5\n[[facility.limit]]\ncooling_off_minutes = 9\n" + LIMIT,
        "facility: limit cooling_off_minutes 5 never holds: cooling_off_minutes 9 is tighter",
    ),
    "a limit that is over": (
        CLEAN,
        LIMIT,
        "[[facility.limit]]\ncooling_off_minutes = 9\nvalid_to = 2026-11-22\n"
        "[[facility.limit]]\ncooling_off_minutes = 5\n" + LIMIT,
        "facility: limit cooling_off_minutes 9, valid_to 2026-11-22 was over on 2026-11-22",
    ),
    "a limit twice": (
        CLEAN,
        LIMIT,
        '[[facility.limit]]\ncalls = 5\neach = "day"\n' * 2 + LIMIT,
        "facility: limit calls 5, each day stands there twice",
    ),
    "a closure that is over": (
        CLEAN,
        UNIT,
        UNIT + 'closure = [{ starts = 2026-11-01T08:00:00, ends = 2026-11-01T09:00:00, note = "Search" }]\n',
        "unit unit-a: closure “Search” was over on 2026-11-01 09:00",
    ),
    "collect calls that nobody may owe for": (
        CLEAN,
        FUNDING,
        FUNDING + 'payers = ["prepaid", "collect"]\n',
        "funding: collect never pays, since collect_limit is 0.00",
    ),
    "a courtesy call of no time": (
        CLEAN,
        FUNDING,
        FUNDING + 'payers = ["subscription", "prepaid", "courtesy"]\ncourtesy_minutes = 0\n',
        "funding: courtesy never pays, since courtesy_minutes is 0",
    ),
    "somebody who alone may pay, and is not offered": (
        CLEAN,
        FIRST,
        'speed_dial = "1", payer = "debit" }',
        "inmate 1001, number +12175550101: only debit may pay, and the facility does not offer it",
    ),
    "collect calls where calls are free": (
        CONNECTICUT,
        FUNDING,
        FUNDING + 'payers = ["prepaid", "collect"]\ncollect_limit = "20.00"\n',
        "funding: collect never pays, since calls from here are free by law (Connecticut General Statutes s. 18-81oo)",
    ),
    "fewer minutes than by law": (
        CONNECTICUT,
        LIMIT,
        '[[facility.limit]]\nminutes = 60\neach = "day"\n' + LIMIT,
        "facility: limit minutes 60, each day: the law gives each person 90 a day "
        "(Connecticut General Statutes s. 18-81oo)",
    ),
    "fewer calls than by law": (
        CONNECTICUT,
        SAM,
        SAM + 'limit = [{ calls = 5, each = "day" }]\n',
        "inmate 1002: limit calls 5, each day, 75 minutes: the law gives each person 90 a day "
        "(Connecticut General Statutes s. 18-81oo)",
    ),
    "fewer attempts than by law": (
        CONNECTICUT,
        SAM,
        SAM + 'limit = [{ attempts = 1, in_minutes = 1440, counts = "inmate" }]\n',
        "inmate 1002: limit attempts 1, in_minutes 1440, counts inmate, 15 minutes: the law gives each person 90 a day "
        "(Connecticut General Statutes s. 18-81oo)",
    ),
    "shorter hours than by law": (
        CONNECTICUT,
        SAM,
        SAM + 'schedule = [{ days = "mon-sat", opens = "08:00", closes = "10:00" }, '
        '{ days = "sun", opens = "21:30", closes = "23:30" }]\n',
        "inmate 1002: open for 30 minutes on sun: the law gives each person 90 a day "
        "(Connecticut General Statutes s. 18-81oo)",
    ),
}


def facility(text: str) -> FacilityFile:
    return parse(Sources(text, SOURCES.beside), "f")


@pytest.mark.parametrize("what", FOUND)
def test_each_contradiction_is_found_and_named(what: str) -> None:
    text, old, new, told = FOUND[what]
    assert old in text
    assert findings(facility(text.replace(old, new, 1) if old else text), AT) == [told]


@pytest.mark.parametrize("text", [CLEAN, DAYTIME, CONNECTICUT])
def test_a_good_file_has_none(text: str) -> None:
    assert findings(facility(text), AT) == []


def test_an_inmate_whose_unit_is_never_open_with_the_facility_is_named() -> None:
    text = DAYTIME.replace(UNIT, UNIT + NIGHT).replace(SAM, SAM + 'unit = "unit-a"\n')
    assert findings(facility(text), AT) == [
        "unit unit-a: schedule mon-sun 22:00 to 08:00 never opens: the facility is closed then",
        "inmate 1002: the hours of unit unit-a never meet the facility's",
    ]


def test_hours_that_meet_the_facilitys_but_not_the_units_are_found() -> None:
    morning = 'schedule = [{ days = "mon-sun", opens = "08:00", closes = "10:00" }]\n'
    text = DAYTIME.replace(UNIT, UNIT + morning).replace(
        SAM, SAM + 'unit = "unit-a"\n' + morning.replace("08", "11").replace("10", "12")
    )
    assert findings(facility(text), AT) == [
        "inmate 1002: their hours never meet those of unit unit-a and the facility"
    ]


def test_what_is_clean_is_clean_when_it_was_loaded(world: World) -> None:
    world.database.transact_now(load, facility(DAYTIME), KEY, world.at)
    found = world.database.read_now(dump, "example-county-jail")
    assert findings(parse(Sources(found.text, found.beside), "dumped"), AT) == []


def test_the_command_tells_what_it_finds_by_its_exit_status(ivr: Ivr) -> None:
    said = ivr("check", str(FACILITY))
    assert (said.status, said.err) == (1, "")
    assert said.out.startswith("inmate 1001, number +12175550105, speed dial 5: allowed, and blocked by ")
