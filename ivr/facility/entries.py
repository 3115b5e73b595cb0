"""What every level of a facility's file may set: hours, closures, openings, limits, and whether calls are recorded."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ivr.facility.fields import Closing, Day, Days, LocalTime, Note, Opening, Whole
from ivr.facility.refusing import refuse_backwards
from ivr.policy.quantity import Counted, DayKind, Each, From
from rating.call_type import CallType


class Entry(BaseModel):
    """A table of the file: a word that it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WindowEntry(Entry):
    """One row of a `schedule`; `closes` may be "24:00", or before `opens` to run over midnight.

    Where a schedule has windows for the day "holiday", they hold on holidays in place of the weekday's.
    """

    days: Days
    opens: Opening
    closes: Closing

    @model_validator(mode="before")
    @classmethod
    def _lasts(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("opens") == given.get("closes") is not None:
            raise ValueError(f'closes {given["closes"]} is when it opens: a whole day is "00:00" to "24:00"')
        return given


class DatedEntry(Entry):
    """One row of a `closure` or an `opening`: from one local time until another, with the reason for it."""

    starts: LocalTime
    ends: LocalTime
    note: Note

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ends <= self.starts:
            raise ValueError(f"ends {self.ends} is not after starts {self.starts}")
        return self


class HolidayEntry(Entry):
    """One row of `[[facility.holiday]]`: a day that counts as a holiday beside the state's own."""

    date: Day
    name: Note


class LimitEntry(Entry):
    """One row of a `limit`: how long, how many or how often; exactly one of these, with what belongs to it.

    `counts` says whose calls are counted together: the inmate's, everybody's to the number, or the inmate's to it.
    With dates it holds for calls of these days, the first and the last among them.
    """

    longest_call_minutes: Annotated[Whole, Field(ge=1, le=240)] | None = None
    calls: Annotated[Whole, Field(ge=1, le=10_000)] | None = None
    minutes: Annotated[Whole, Field(ge=1, le=100_000)] | None = None
    cooling_off_minutes: Annotated[Whole, Field(ge=1, le=1440)] | None = None
    attempts: Annotated[Whole, Field(ge=1, le=1000)] | None = None
    call_type: CallType | None = None
    days: DayKind | None = None
    each: Each | None = None
    in_minutes: Annotated[Whole, Field(ge=1, le=1440)] | None = None
    measured_from: From | None = None
    counts: Counted | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        refuse_backwards("valid_from", self.valid_from, "valid_to", self.valid_to)
        given = self.model_fields_set - {"valid_from", "valid_to"}
        kinds = [name for name in LIMIT_KINDS if name in given]
        if len(kinds) != 1:
            raise ValueError(f"expected exactly one of {', '.join(LIMIT_KINDS)}")
        needed, possible = LIMIT_KINDS[kinds[0]]
        if missing := sorted(needed - given):
            raise ValueError(f"{kinds[0]} needs {', '.join(missing)}")
        if other := sorted(given - {kinds[0]} - needed - possible):
            raise ValueError(f"{kinds[0]} has no {', '.join(other)}")
        return self


#: What says what a limit is of; what has to stand beside it, and what may.
LIMIT_KINDS: Mapping[str, tuple[set[str], set[str]]] = {
    "longest_call_minutes": (set(), {"call_type", "days"}),
    "calls": ({"each"}, {"counts"}),
    "minutes": ({"each"}, {"counts"}),
    "cooling_off_minutes": (set(), {"measured_from", "counts"}),
    "attempts": ({"in_minutes"}, {"counts"}),
}


class LevelEntry(Entry):
    """What every level may set: hours (none: no limit), closures, openings beside its own hours, and limits."""

    schedule: list[WindowEntry] = []
    closure: list[DatedEntry] = []
    opening: list[DatedEntry] = []
    limit: list[LimitEntry] = []


class RecordedEntry(LevelEntry):
    """A level that may keep its calls from being recorded: `records = false` anywhere wins."""

    records: bool = True
