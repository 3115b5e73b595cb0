"""What staff ask for about one call: they name it by the beginning of its id, and the log names it whole."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from sqlalchemy import ColumnElement, Connection, Row, select

from ivr.records.tables import call
from ivr.staff.desk import Asked, BegunId


class OfCall(Asked):
    """A call, by its id or the beginning of it."""

    of_facility: ClassVar[bool] = False

    call_id: BegunId

    @property
    def of_one_facility(self) -> bool:
        """The call's, once it is known."""
        return self.facility_id is not None

    @property
    def about(self) -> str:
        """The call."""
        return f"call {self.call_id}"

    @classmethod
    def among(cls) -> tuple[ColumnElement[bool], ...]:
        """The conditions of those that may be meant."""
        return ()

    def found(self, conn: Connection) -> Sequence[Row[Any]]:
        """Those that may be meant, two at most: enough to see whether it is one."""
        begins = (call.c.id >= self.call_id, call.c.id < self.call_id + "g")
        return conn.execute(select(call).where(*begins, *self.among()).limit(2)).all()

    def named_whole(self, conn: Connection) -> Self:
        """The same, of the call's whole id and of its facility, where it is one call that may be meant."""
        found = self.found(conn)
        if len(found) != 1:
            return self
        return self.model_copy(update={"call_id": found[0].id, "facility_id": found[0].facility_id})
