"""What a rule is set for, in one word: its level, then whose it is. A call meets the rules of a few scopes."""

from ivr.policy.level import Level

FACILITY = str(Level.FACILITY)
AGENCY = str(Level.AGENCY)


def unit(unit_id: str) -> str:
    """A housing unit: its stations and its inmates."""
    return f"{Level.UNIT}/{unit_id}"


def station(station_id: str) -> str:
    """One telephone."""
    return f"{Level.STATION}/{station_id}"


def inmate(inmate_key: int) -> str:
    """One inmate, by the key of their row."""
    return f"{Level.INMATE}/{inmate_key}"


def number(e164: str) -> str:
    """A called number, whoever calls it."""
    return f"{Level.NUMBER}/{e164}"


def entry(inmate_key: int, e164: str) -> str:
    """A number in one inmate's list."""
    return f"{Level.ENTRY}/{inmate_key}/{e164}"


def level(scope: str) -> Level:
    """The level of a scope."""
    return Level(scope.partition("/")[0])


def owner(scope: str) -> str:
    """The scope that a list's entry belongs to: its inmate's; any other belongs to itself."""
    head, _, rest = scope.partition("/")
    return f"{Level.INMATE}/{rest.partition('/')[0]}" if head == Level.ENTRY else scope


def switch(level: Level, *names: str) -> str:
    """What a switch is thrown for, unlike other scopes with the facility in it: agency, facility, unit or station."""
    return "/".join((level, *names))


def switches_of(
    *, agency_id: str | None, facility_id: str, units: set[str | None], station_id: str | None
) -> list[str]:
    """Every switch that a call meets, the widest first."""
    met = [switch(Level.AGENCY, agency_id)] if agency_id is not None else []
    met.append(switch(Level.FACILITY, facility_id))
    met += [switch(Level.UNIT, facility_id, each) for each in sorted(filter(None, units))]
    return [*met, switch(Level.STATION, station_id)] if station_id is not None else met


def of_call(
    *, units: set[str | None], station_id: str | None, inmate_key: int | None, e164: str | None
) -> list[str]:
    """Every scope whose rules a call meets."""
    met = [AGENCY, FACILITY, *(unit(each) for each in sorted(filter(None, units)))]
    if inmate_key is not None:
        met.append(inmate(inmate_key))
    if station_id is not None:
        met.append(station(station_id))
    if e164 is not None:
        met.append(number(e164))
    if inmate_key is not None and e164 is not None:
        met.append(entry(inmate_key, e164))
    return met
