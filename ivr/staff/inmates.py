"""Inmates come, move, are suspended and go, and get new PINs."""

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy import Row, insert, select, update

from ivr.facility import kept, scopes
from ivr.facility.daily import inmate_event
from ivr.facility.fields import Digits, InmateId, Time
from ivr.facility.kept import keep
from ivr.facility.load_pins import PinLoader
from ivr.facility.refusing import pin_length, pin_taken
from ivr.facility.tables import facility, housing_unit, inmate
from ivr.policy.request import InmateState
from ivr.staff.accounts.debit import offer_back
from ivr.staff.desk import Asked, Desk, StaffError

Pin = Annotated[Digits, Field(repr=False)]
GONE = (InmateState.RELEASED, InmateState.TRANSFERRED)


class OfInmate(Asked):
    """A change of one inmate."""

    inmate_id: InmateId

    @property
    def about(self) -> str:
        """The inmate."""
        return f"inmate {self.inmate_id}"


class Add(OfInmate):
    """Somebody new may call."""

    name: Annotated[str, Field(min_length=1)]
    pin: Pin
    unit: str | None = None


class Move(OfInmate):
    """They live in another housing unit now."""

    unit: str


class Suspend(OfInmate):
    """They are not to call, from one local time until another; without them from now on, until further notice."""

    suspended_from: Time | None = None
    suspended_to: Time | None = None


class NewPin(OfInmate):
    """Their PIN is to be another one."""

    pin: Pin


def add(desk: Desk, asked: Add) -> str:
    """A new inmate; raises StaffError for an ID that is taken or does not fit, or a unit that there is not."""
    own = desk.facility_id(asked)
    digits = desk.conn.scalar(select(facility.c.inmate_id_digits).where(facility.c.id == own))
    if len(asked.inmate_id) != digits:
        raise StaffError(f"inmate_id: {asked.inmate_id} has not {digits} digits")
    taken = select(inmate.c.id).where(inmate.c.facility_id == own, inmate.c.inmate_id == asked.inmate_id)
    if desk.conn.scalar(taken) is not None:
        raise StaffError(f"{own} has an inmate {asked.inmate_id} already")
    if asked.unit is not None:
        _refuse_unknown_unit(desk, own, asked.unit)
    pin = _pin(desk, own, asked)
    who = {"facility_id": own, "inmate_id": asked.inmate_id, "name": asked.name, "unit_id": asked.unit}
    desk.conn.execute(insert(inmate).values(**who, **pin, state=InmateState.ACTIVE))
    row = desk.inmate(own, asked.inmate_id)
    _keep(desk, row, asked, *kept.COLUMNS)
    happened(desk, row, asked, "booked", asked.unit)
    return f"inmate {asked.inmate_id}: added{f' in {asked.unit}' if asked.unit else ''}"


def move(desk: Desk, asked: Move) -> str:
    """To another unit, whose hours and limits hold from now on."""
    own = desk.facility_id(asked)
    row = desk.inmate(own, asked.inmate_id)
    _refuse_unknown_unit(desk, own, asked.unit)
    desk.conn.execute(update(inmate).where(inmate.c.id == row.id).values(unit_id=asked.unit))
    _keep(desk, row, asked, kept.UNIT)
    happened(desk, row, asked, "moved", asked.unit)
    return f"inmate {asked.inmate_id}: moved from {row.unit_id or 'no unit'} to {asked.unit}"


def suspend(desk: Desk, asked: Suspend) -> str:
    """No calls but privileged ones and hotlines; raises StaffError for one who has gone, or times out of order."""
    own = desk.facility_id(asked)
    row = desk.inmate(own, asked.inmate_id)
    if row.state in GONE:
        raise StaffError(f"inmate {asked.inmate_id} is {row.state}: `ivr inmate activate` comes first")
    begins, ends = (desk.instant(own, each) for each in (asked.suspended_from, asked.suspended_to))
    if ends is not None and ends <= max(begins or desk.at, desk.at):
        raise StaffError("suspended_to: the suspension would be over before it begins")
    _set_state(desk, row, asked, InmateState.SUSPENDED, (begins, ends))
    zone = ZoneInfo(desk.time_zone(own))
    said = (("from", begins), ("to", ends))
    span = "".join(f" {word} {at.astimezone(zone):%Y-%m-%d %H:%M}" for word, at in said if at is not None)
    return f"inmate {asked.inmate_id}: suspended{span or ' until further notice'}"


def activate(desk: Desk, asked: OfInmate) -> str:
    """They may call, whatever they were before."""
    own = desk.facility_id(asked)
    row = desk.inmate(own, asked.inmate_id)
    _set_state(desk, row, asked, InmateState.ACTIVE)
    if row.state in GONE:
        happened(desk, row, asked, "booked", row.unit_id)
    return (
        f"inmate {asked.inmate_id}: active{', as before' if row.state == 'active' else f', was {row.state}'}"
    )


def release(desk: Desk, asked: OfInmate) -> str:
    """They have left."""
    return _leaves(desk, asked, InmateState.RELEASED)


def transfer(desk: Desk, asked: OfInmate) -> str:
    """They have left for another facility."""
    return _leaves(desk, asked, InmateState.TRANSFERRED)


def new_pin(desk: Desk, asked: NewPin) -> str:
    """Another PIN in place of theirs; it stands nowhere in the log."""
    own = desk.facility_id(asked)
    row = desk.inmate(own, asked.inmate_id)
    desk.conn.execute(update(inmate).where(inmate.c.id == row.id).values(**_pin(desk, own, asked)))
    _keep(desk, row, asked, kept.PIN)
    return f"inmate {asked.inmate_id}: has a new PIN"


def _pin(desk: Desk, own: str, asked: Add | NewPin) -> dict[str, str]:
    """The columns that keep a PIN; raises StaffError for another length, or another's where it is keyed alone."""
    site = desk.conn.execute(select(facility).where(facility.c.id == own)).one()
    if not site.pin_least <= len(asked.pin) <= site.pin_most:
        raise StaffError(f"pin: {pin_length(site.pin_least, site.pin_most)}")
    columns = PinLoader(desk.pin_key, site.identify_by).kept(own, asked.inmate_id, asked.pin)
    same = select(inmate.c.inmate_id).where(
        inmate.c.facility_id == own,
        inmate.c.pin_hash == columns["pin_hash"],
        inmate.c.inmate_id != asked.inmate_id,
    )
    if (other := desk.conn.scalar(same)) is not None:
        raise StaffError(f"pin: {pin_taken(other)}")
    return columns


def happened(desk: Desk, row: Row[Any], asked: Asked, kind: str, unit_id: str | None = None) -> None:
    """Keep an event of an inmate's stay, for whatever acts on it."""
    what = {"facility_id": row.facility_id, "inmate": row.id, "kind": kind, "unit_id": unit_id}
    noted = {"at": desk.at, "applied": True, "author": asked.author, "noted_at": desk.at}
    desk.conn.execute(insert(inmate_event), {**what, **noted})


def _leaves(desk: Desk, asked: OfInmate, state: InmateState) -> str:
    own = desk.facility_id(asked)
    row = desk.inmate(own, asked.inmate_id)
    if row.state == state:
        return f"inmate {asked.inmate_id}: {state}, as before"
    _set_state(desk, row, asked, state)
    happened(desk, row, asked, state)
    offer_back(desk.conn, own, desk.at)
    return f"inmate {asked.inmate_id}: {state}"


def _set_state(
    desk: Desk,
    row: Row[Any],
    asked: OfInmate,
    state: InmateState,
    span: tuple[datetime | None, datetime | None] = (None, None),
) -> None:
    note = None if state is InmateState.ACTIVE else asked.note
    values = {"state": state, "state_note": note, "suspended_from": span[0], "suspended_to": span[1]}
    desk.conn.execute(update(inmate).where(inmate.c.id == row.id).values(**values))
    _keep(desk, row, asked, kept.STATE)


def _keep(desk: Desk, row: Row[Any], asked: Asked, *what: str) -> None:
    settings = [(scopes.inmate(row.id), each) for each in what]
    keep(desk.conn, row.facility_id, settings, asked.author, desk.at)


def _refuse_unknown_unit(desk: Desk, own: str, unit_id: str) -> None:
    units = set(desk.conn.scalars(select(housing_unit.c.id).where(housing_unit.c.facility_id == own)))
    if unit_id not in units:
        raise StaffError(f"unit: there is no unit {unit_id}, but {', '.join(sorted(units)) or 'none'}")
