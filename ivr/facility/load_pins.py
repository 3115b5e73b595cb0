"""PINs of many inmates at once, from a facility's file or an import: kept as hashes, each unique where it must be."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from ivr.facility.daily import kept_setting
from ivr.facility.file import FacilityFile
from ivr.facility.identity import pin_hash
from ivr.facility.kept import PIN
from ivr.facility.pins import PinKey
from ivr.facility.refusing import pin_taken
from ivr.facility.sources import FacilityFileError
from ivr.facility.tables import facility, inmate
from ivr.policy.identity import IdentifyBy
from ivr.policy.request import InmateState


@dataclass(frozen=True, slots=True)
class PinLoader:
    """How a facility's PINs are kept."""

    key: PinKey
    identify_by: str

    def kept(self, facility_id: str, inmate_id: str, pin: str) -> dict[str, str]:
        """The columns of an inmate with this PIN."""
        hashed = pin_hash(self.key, facility_id, self.identify_by, inmate_id, pin)
        return {"pin_hash": hashed, "pin_key_id": self.key.id}

    def refuse_other_kind(self, conn: Connection, file: FacilityFile) -> None:
        """What is kept of a PIN says for which way of identifying it was made: where that changes, all are needed anew.

        Those that inmates have set by phone go too, being of the old kind.

        Raises FacilityFileError naming the inmates who could call no more.
        """
        standing = conn.scalar(select(facility.c.identify_by).where(facility.c.id == file.facility.id))
        if standing in (None, self.identify_by):
            return
        given = {each.id for each in file.inmate if each.pin is not None}
        here = select(inmate.c.inmate_id).where(
            inmate.c.facility_id == file.facility.id,
            inmate.c.state.in_([InmateState.ACTIVE, InmateState.SUSPENDED]),
        )
        if without := sorted(set(conn.scalars(here)) - given):
            some = ", ".join(without[:10]) + (f" and {len(without) - 10} more" if without[10:] else "")
            raise FacilityFileError(f"facility.identify_by changes, so a pin is expected for inmate {some}")
        conn.execute(
            delete(kept_setting).where(
                kept_setting.c.facility_id == file.facility.id, kept_setting.c.what == PIN
            )
        )

    def make_room(self, conn: Connection, facility_id: str, pins: Mapping[str, str]) -> None:
        """Inmates who get another PIN give theirs up first, so that two may swap theirs.

        Raises FacilityFileError, naming both, where an inmate who keeps theirs has one of these.
        """
        if self.identify_by != IdentifyBy.PIN:
            return
        wanted = {self.kept(facility_id, each, pin)["pin_hash"]: each for each, pin in pins.items()}
        standing = conn.execute(
            select(inmate.c.id, inmate.c.inmate_id, inmate.c.pin_hash).where(
                inmate.c.facility_id == facility_id
            )
        ).all()
        for row in standing:
            other = wanted.get(row.pin_hash, row.inmate_id)
            if other == row.inmate_id:
                continue
            if row.inmate_id not in pins:
                raise FacilityFileError(f"inmate {other}: pin: {pin_taken(row.inmate_id)}")
            conn.execute(
                update(inmate).where(inmate.c.id == row.id).values(pin_hash=f"given up by {row.inmate_id}")
            )
