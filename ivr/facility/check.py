"""What in a facility's file contradicts itself, or stands there for nothing: a plain sentence for each."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from ivr.facility.check_limits import Entitlement, dead_limits, limits_over, quotas_below
from ivr.facility.entries import LevelEntry
from ivr.facility.fields import DAYS
from ivr.facility.file import AllowedEntry, BlockedEntry, FacilityFile, InmateEntry, RecordingEntry
from ivr.facility.hours import ALWAYS, NEVER, Hours, hours
from ivr.facility.settings import patterns
from ivr.policy.hotline import HotlineKind
from ivr.policy.possible import within_reach
from rating.free_by_law import agency_share
from rating.numbers import read_e164


@dataclass(frozen=True, slots=True)
class _Level:
    """An entry that sets rules, and what people call it."""

    name: str
    entry: LevelEntry
    one_person: bool  # whether its quotas and hours are all that an inmate has


def findings(file: FacilityFile, at: datetime) -> list[str]:
    """A line for each contradiction and each dead rule, beginning with the entry that it is about.

    The file is taken for itself, whatever stands in a database. Loading and dumping it adds nothing to these.
    """
    local = at.astimezone(ZoneInfo(file.facility.time_zone))
    levels = list(_levels(file))
    return [
        *(line for level in levels for line in _windows_that_never_open(file, level)),
        *_people_without_hours(file),
        *(line for level in levels for line in dead_limits(level.name, level.entry, file.facility)),
        *_below_the_law(file, levels, local),
        *(line for level in levels for line in _what_is_over(level, local)),
        *_contradicting_numbers(file),
        *_who_never_pays(file, local),
        *_recordings_of_nothing(file),
    ]


def _levels(file: FacilityFile) -> Iterator[_Level]:
    if file.agency is not None:
        yield _Level(f"agency {file.agency.agency.id}", file.agency.agency, one_person=True)
    yield _Level("facility", file.facility, one_person=True)
    yield from (_Level(f"unit {each.id}", each, one_person=True) for each in file.unit)
    yield from (_Level(f"station {each.id}", each, one_person=False) for each in file.station)
    yield from (_Level(f"number {each.number}", each, one_person=False) for each in file.number)
    for person in file.inmate:
        yield _Level(f"inmate {person.id}", person, one_person=True)
        for each in person.numbers:
            yield _Level(f"inmate {person.id}, number {each.number}", each, one_person=False)


def _facility_hours(file: FacilityFile) -> Hours:
    """Within its agency's. A facility without hours is never open, where any other level would be always."""
    agency = hours(file.agency.agency.schedule) if file.agency else ALWAYS
    return hours(file.facility.schedule) & agency if file.facility.schedule else NEVER


def _windows_that_never_open(file: FacilityFile, level: _Level) -> Iterator[str]:
    """Each window by itself, within the facility's weekly hours."""
    facility = _facility_hours(file)
    if level.entry is file.facility:
        if not file.facility.schedule:
            yield "facility: it has no schedule, so nobody ever calls"
        elif not facility:
            yield "facility: its hours and its agency's never meet, so nobody ever calls"
        return
    for window in level.entry.schedule:
        if not hours([window]) & facility:
            closes = window.closes.isoformat("minutes")
            when = f"{_days(window.days)} {window.opens:%H:%M} to {'24:00' if closes == '00:00' else closes}"
            yield f"{level.name}: schedule {when} never opens: the facility is closed then"


def _days(days: list[int]) -> str:
    named = [(*DAYS, "holiday")[day] for day in days]
    return named[0] if len(named) == 1 else f"{named[0]}-{named[-1]}"


def _people_without_hours(file: FacilityFile) -> Iterator[str]:
    """Inmates for whom facility, unit and they themselves are never open at the same time."""
    facility = _facility_hours(file)
    if not facility:
        return
    units = {unit.id: hours(unit.schedule) for unit in file.unit}
    for person in file.inmate:
        unit = units.get(person.unit or "", ALWAYS)
        if not unit & facility:
            yield f"inmate {person.id}: the hours of unit {person.unit} never meet the facility's"
        elif not unit & facility & hours(person.schedule):
            where = f"those of unit {person.unit} and the facility" if person.unit else "the facility's"
            yield f"inmate {person.id}: their hours never meet {where}"


def _below_the_law(file: FacilityFile, levels: list[_Level], local: datetime) -> Iterator[str]:
    """Where law gives each person so many minutes a day, no hours and no quota of theirs give less."""
    share = agency_share(file.facility.site, local.date())
    if share is None or share.minutes_a_day is None:
        return
    entitled = Entitlement(share.minutes_a_day, share.law)
    facility = _facility_hours(file)
    for level in (each for each in levels if each.one_person):
        longest = file.facility.longest_call_minutes
        yield from quotas_below(level.name, level.entry, longest, entitled, local.date())
        if level.entry.schedule or level.entry is file.facility:
            opened = facility & hours(level.entry.schedule)
            short = [day for day in range(7) if opened.minutes_on(day) < entitled.minutes_a_day]
            if short:
                least = min(opened.minutes_on(day) for day in short)
                days = ", ".join(DAYS[day] for day in short)
                yield f"{level.name}: open for {least} minutes on {days}: {entitled}"
    yield from _telephones_below(file, facility, entitled)


def _telephones_below(file: FacilityFile, facility: Hours, entitled: Entitlement) -> Iterator[str]:
    """Where inmates of a unit, or of none, could call for long enough, had they a telephone that is open then."""
    units = {unit.id: hours(unit.schedule) for unit in file.unit}
    telephones = [(each.unit, each) for each in file.station if not each.intake]
    for unit in sorted({each.unit for each in file.inmate}, key=str):
        theirs = facility & units.get(unit or "", ALWAYS)
        opened = NEVER
        for each in within_reach(unit, telephones):
            opened |= theirs & hours(each.schedule) & units.get(each.unit or "", ALWAYS)
        short = [
            day
            for day in range(7)
            if opened.minutes_on(day) < entitled.minutes_a_day <= theirs.minutes_on(day)
        ]
        if short:
            least = min(opened.minutes_on(day) for day in short)
            days = ", ".join(DAYS[day] for day in short)
            yield f"telephones of {unit or 'no unit'}: open for {least} minutes on {days}: {entitled}"


def _what_is_over(level: _Level, local: datetime) -> Iterator[str]:
    now = local.replace(tzinfo=None)
    for kind, entries in (("closure", level.entry.closure), ("opening", level.entry.opening)):
        for entry in entries:
            if entry.ends <= now:
                yield f"{level.name}: {kind} “{entry.note}” was over on {entry.ends:%Y-%m-%d %H:%M}"
    yield from limits_over(level.name, level.entry, now.date())


def _contradicting_numbers(file: FacilityFile) -> Iterator[str]:
    blocks = _Blocks(file)
    of_agency = file.agency.privileged if file.agency else []
    for each in of_agency:
        if by := blocks.of(each.number):
            yield f"agency, number {each.number}: {each.label} is privileged, and blocked by {by}"
    privileged = {each.number for each in file.number if each.privileged}
    privileged |= {each.number for each in of_agency}
    yield from _recorded_by_mistake(file, privileged)
    yield from _of_numbers(file, blocks, privileged)


def _recorded_by_mistake(file: FacilityFile, privileged: Collection[str]) -> Iterator[str]:
    """Numbers whose file says that they are recorded and means nothing by it, or leaves it unsaid."""
    for special in file.number:
        said = "records" in special.model_fields_set
        if special.number in privileged:
            if said and special.records:
                yield f"number {special.number}: records = true means nothing, since the number is privileged"
        elif special.hotline_kind is HotlineKind.LEGAL_AID and file.facility.records and not said:
            yield f"number {special.number}: legal aid, and recorded: expected privileged = true, or records = …"


def _of_numbers(file: FacilityFile, blocks: "_Blocks", privileged: Collection[str]) -> Iterator[str]:
    """Those with rules of their own, and those of lists."""
    for special in file.number:
        if by := blocks.of(special.number):
            yield f"number {special.number}: {special.label} is for everybody, and blocked by {by}"
    for person in file.inmate:
        for entry in person.numbers:
            name = f"inmate {person.id}, number {entry.number}"
            if by := blocks.against(person, entry):
                dialled = f", speed dial {entry.speed_dial}" if entry.speed_dial else ""
                yield f"{name}{dialled}: allowed, and blocked by {by}"
            if entry.number in privileged and entry.records and "records" in entry.model_fields_set:
                yield f"{name}: records = true means nothing, since the number is privileged"


def _who_never_pays(file: FacilityFile, local: datetime) -> Iterator[str]:
    funding, share = file.funding, agency_share(file.facility.site, local.date())
    if "collect" in funding.payers:
        if share is not None and share.is_free:
            yield f"funding: collect never pays, since calls from here are free by law ({share.law})"
        elif not funding.collect_limit:
            yield "funding: collect never pays, since collect_limit is 0.00"
    if "courtesy" in funding.payers and not funding.courtesy_minutes:
        yield "funding: courtesy never pays, since courtesy_minutes is 0"
    for person in file.inmate:
        for entry in person.numbers:
            if entry.payer is not None and entry.payer not in funding.payers:
                name = f"inmate {person.id}, number {entry.number}"
                yield f"{name}: only {entry.payer} may pay, and the facility does not offer it"


def _recordings_of_nothing(file: FacilityFile) -> Iterator[str]:
    if not file.facility.records and file.recording != RecordingEntry():
        yield "recording: facility.records is false, so nothing is recorded that this could be about"


class _Blocks:
    """The blocks of a file, found by what they cover."""

    def __init__(self, file: FacilityFile) -> None:
        agency = file.agency
        blocked = [*(agency.blocked if agency else ()), *file.blocked]
        self._covered: dict[tuple[str, str], BlockedEntry] = {each.covered: each for each in blocked}
        protected = [*(agency.no_contact if agency else ()), *file.no_contact]
        self._no_contact = {each.number for each in protected}

    def of(self, number: str) -> str | None:
        """What keeps everybody from a number, in words."""
        if number in self._no_contact:
            return "no_contact"
        for pattern in patterns(read_e164(number)):
            for what in ("number", "prefix", "type"):
                found = self._covered.get((what, pattern))
                if found and (what != "number" or pattern == number):
                    return f"{what} {pattern} ({found.note})"
        return None

    def against(self, person: InmateEntry, entry: AllowedEntry) -> str | None:
        """What keeps this inmate from a number of their list; an override lets them through all but no-contact."""
        if entry.number in {each.number for each in person.no_contact}:
            return "their own no_contact"
        by = self.of(entry.number)
        return None if entry.override_note and by != "no_contact" else by
