"""Where somebody who was called back has things changed: by some of staff's changes, in whose log they stand."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ivr.controls.line import Receipt, ask_people
from ivr.controls.node import Node
from ivr.facility.lookup import Facility
from ivr.policy.service import RequestKind
from ivr.staff import changes
from ivr.staff.desk import StaffError
from ivr.staff.signing import Origin, Signer


@dataclass(frozen=True, slots=True)
class CallersDesk:
    """One number, somebody at which has pressed the key of a call-back."""

    node: Node
    facility: Facility
    number: str  # E.164
    call_back_id: str

    async def refusal(self, change: str, **given: object) -> StaffError | None:
        """Make a change; None where it was made, or why it is refused, and nothing is changed."""
        try:
            told = await self.node.database.transact(self._attempt, change, given)
        except StaffError as refused:
            return refused
        if isinstance(told, StaffError):
            return told
        self.node.changed.set()
        return None

    async def ask_for(self, kind: RequestKind, language: str) -> Receipt:
        """Put something into the list that staff see, as asked for from this telephone."""
        return await self.node.database.transact(
            ask_people, self.facility, self.number, kind, language, self.call_back_id, self.node.now()
        )

    def _attempt(self, conn: Connection, change: str, given: dict[str, Any]) -> str | StaffError:
        asked = changes.CHANGES[change].asked
        of = {"facility_id": self.facility.id} if asked.of_facility else {}
        why = {
            "note": f"by telephone, on call-back {self.call_back_id}",
            "author": f"called party {self.number}",
        }
        wanted = changes.read(change, {**given, **of, **why})
        signer = Signer(wanted.author, origin=Origin.SERVICE_LINE)
        return changes.attempt(conn, change, wanted, self.node.pin_key, self.node.now(), signer=signer)
