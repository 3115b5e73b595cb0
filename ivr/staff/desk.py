"""What every change by staff has: who asks and why, and the transaction in which it is done."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Row, select

from ivr.facility.pins import PinKey
from ivr.facility.tables import facility, inmate
from ivr.policy.roles import Role
from ivr.policy.schedule import instant
from rating.form import like


class StaffError(Exception):
    """What was asked for can't be done; the message says why."""


class Alarm(StaffError):  # noqa: N818 - the refusal of which an alert remains
    """What was asked for is refused, and somebody else has to know of it too: an alert of this kind is written."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class ToldOnce(str):
    """What was done, in a sentence like any, and beside it what whoever asked gets this once: no log keeps it."""

    __slots__ = ("once",)
    once: str

    def __new__(cls, told: str, once: str) -> Self:
        """Both; the sentence alone is printed, compared and logged."""
        made = super().__new__(cls, told)
        made.once = once
        return made


def said(text: str) -> str:
    """A note that says why; raises ValueError for one that says nothing."""
    if len(text.strip()) < 3:
        raise ValueError("expected 3 letters or more, to say why")
    return text.strip()


def _one_line(value: str) -> str:
    if not value.isprintable():
        raise ValueError("expected one line, without control characters")
    return value


#: What people are called by, in tables and notices.
Label = Annotated[str, AfterValidator(_one_line)]


#: A call or recording by the beginning of its id, and by all of it.
BegunId = Annotated[str, like(r"[0-9a-f]{6,32}", "the first 6 or more characters of its id, as it is listed")]
WholeId = Annotated[str, like(r"[0-9a-f]{32}", "an id of 32 hexadecimal digits")]


class Asked(BaseModel, ABC):
    """A change that somebody wants. Without a facility the only one is meant, where it is of one at all."""

    of_facility: ClassVar[bool] = True
    signs_itself: ClassVar[bool] = (
        False  # it stands in the log under the author that it names, whoever hands it in
    )
    model_config = ConfigDict(extra="forbid", frozen=True)

    note: Annotated[str, AfterValidator(said)]
    author: Annotated[str, Field(min_length=1)]
    facility_id: str | None = None

    @property
    def of_one_facility(self) -> bool:
        """Whether it is of one facility, which is named or the only one."""
        return self.of_facility

    @property
    @abstractmethod
    def about(self) -> str:
        """Whom or what it changes, as the log of changes has it."""

    def named_whole(self, _conn: Connection) -> Self:
        """The same, with what is named by its beginning named whole, as the log is to have it."""
        return self


def one_facility(conn: Connection, named: str | None) -> str:
    """The id of the named facility, or of the only one; raises StaffError if that is not one."""
    found: list[str] = list(conn.scalars(select(facility.c.id).order_by(facility.c.id)))
    if named is not None:
        if named not in found:
            raise StaffError(f"there is no facility {named}")
        return named
    if not found:
        raise StaffError("there is no facility yet: `ivr load` brings one")
    if len(found) > 1:
        raise StaffError(f"name one facility of {', '.join(found)}")
    return found[0]


@dataclass(frozen=True, slots=True)
class Desk:
    """One transaction, its time, the keys of the PINs and of signed lists, and the role of who asks."""

    conn: Connection
    at: datetime
    pin_key: PinKey
    list_key: bytes = field(default=b"", repr=False)
    role: Role | None = None  # of who asks

    def facility_id(self, asked: Asked) -> str:
        """The named facility, or the only one; raises StaffError if that is not one."""
        return one_facility(self.conn, asked.facility_id)

    def facilities_of(self, agency_id: str) -> list[str]:
        """The facilities of an agency; raises StaffError where it has none."""
        its = select(facility.c.id).where(facility.c.agency_id == agency_id).order_by(facility.c.id)
        if not (found := list(self.conn.scalars(its))):
            raise StaffError(f"no facility belongs to an agency {agency_id}")
        return found

    def time_zone(self, facility_id: str) -> str:
        """The facility's time zone."""
        named = self.conn.scalar(select(facility.c.time_zone).where(facility.c.id == facility_id))
        assert named is not None
        return str(named)

    def instant(self, facility_id: str, at: datetime | None) -> datetime | None:
        """A time that was given without a zone is the facility's."""
        if at is not None and at.tzinfo is None:
            return instant(at.replace(tzinfo=ZoneInfo(self.time_zone(facility_id))))
        return at.astimezone(UTC) if at is not None else None

    def inmate(self, facility_id: str, inmate_id: str) -> Row[Any]:
        """The inmate with this ID; raises StaffError for one that nobody has."""
        known = select(inmate).where(inmate.c.facility_id == facility_id, inmate.c.inmate_id == inmate_id)
        row = self.conn.execute(known).one_or_none()
        if row is None:
            raise StaffError(f"{facility_id} has no inmate {inmate_id}")
        return row
