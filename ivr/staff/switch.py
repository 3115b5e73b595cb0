"""Telephones are switched off and on: a station's, a housing unit's, a facility's, an agency's."""

from typing import ClassVar, Literal

from ivr.facility import switches
from ivr.policy.level import Level
from ivr.policy.switching import Way
from ivr.records import switched
from ivr.staff.desk import Asked, Desk, StaffError

LETS = {
    Way.FINISH: "calls in progress may finish",
    Way.MINUTE: "calls in progress end in a minute",
    Way.NOW: "calls in progress end now",
}


class SwitchOn(Asked):
    """What was switched off is to be on again."""

    of_facility: ClassVar[bool] = False

    level: Literal["station", "unit", "facility", "agency"]
    which: str

    @property
    def about(self) -> str:
        """The station, unit, facility or agency."""
        return f"{self.level} {self.which}"


class SwitchOff(SwitchOn):
    """Telephones are to be off, and calls in progress to end in this way."""

    let: Way


def off(desk: Desk, asked: SwitchOff) -> str:
    """No telephone of it makes a call from now on; raises StaffError for what there is not."""
    is_new = switches.throw(
        desk.conn, _scope(desk, asked), way=asked.let, note=asked.note, author=asked.author, at=desk.at
    )
    switched.mark(desk.conn, desk.at)
    return f"{asked.about} is {'off' if is_new else 'off still'}; {LETS[asked.let]}"


def on(desk: Desk, asked: SwitchOn) -> str:
    """Its telephones make calls again, where nothing wider is off; raises StaffError for what there is not."""
    was_off = switches.end(desk.conn, _scope(desk, asked), note=asked.note, author=asked.author, at=desk.at)
    switched.mark(desk.conn, desk.at)
    return f"{asked.about} {'is on again' if was_off else 'was not off'}"


def _scope(desk: Desk, asked: SwitchOn) -> str:
    try:
        return switches.scope_of(desk.conn, Level(asked.level), asked.which, asked.facility_id)
    except LookupError as unknown:
        raise StaffError(str(unknown)) from None
