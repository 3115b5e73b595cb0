"""What a dialogue may ask for with somebody who calls in: the number shown is a claim, so nothing is told of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ivr.controls.line import Rates, Receipt, ask_people, rates_to
from ivr.controls.node import Node
from ivr.facility import lookup
from ivr.facility.lookup import Facility
from ivr.policy.service import RequestKind
from ivr.records import call_backs
from rating.numbers import US_REGIONS, Number, read_e164

_RUNG_BACK = US_REGIONS | {"CA"}
_SHOWN = re.compile(r"\+?1?([2-9][0-9]{9})")


@dataclass(slots=True)
class CallingInControls:
    """One call to a number that facilities show. `shown` and `called` are as the carrier gives them."""

    node: Node
    shown: str
    called: str
    _facility: Facility | None = None
    _places: Sequence[Facility] = ()
    _call_back_id: str = ""

    async def open(self) -> Sequence[str]:
        """The facilities whose calls show the number that was called, by their ids."""
        called = north_american(self.called)
        if called is None:
            return ()
        self._places = await self.node.database.read(lookup.facilities_showing, called)
        if len(self._places) == 1:
            (self._facility,) = self._places
        return [each.id for each in self._places]

    def choose(self, facility_id: str) -> None:
        """Which of them it is about."""
        self._facility = next(each for each in self._places if each.id == facility_id)

    @property
    def number(self) -> str | None:
        """The number shown, in E.164, if it is one that may be called; anybody can show any."""
        return north_american(self.shown)

    @property
    def facility(self) -> Facility:
        """The facility that it is about, once it is known."""
        assert self._facility is not None
        return self._facility

    async def may_be_called_back(self) -> bool:
        """Whether the number shown may be rung by us."""
        if self.number is None:
            return False
        return await self.node.database.read(call_backs.may_be_called_back, self.number, self.node.now())

    async def ask_to_be_called_back(self, language: str) -> bool:
        """Have the number rung as soon as this call is over; False where it may not be any more."""
        assert self.number is not None
        call_back_id = self.node.new_id()
        asked = await self.node.database.transact(
            call_backs.ask,
            call_back_id,
            facility_id=self.facility.id,
            number=self.number,
            language=language,
            at=self.node.now(),
        )
        self._call_back_id = call_back_id if asked else ""
        return asked

    async def rates(self) -> Rates | None:
        """What a call to the number shown costs; None where none is shown."""
        if self.number is None:
            return None
        return await self.node.database.read(rates_to, self.facility, self.number, self.node.now())

    async def ask_for_a_person(self, language: str) -> Receipt:
        """Have somebody call the number shown; staff see that nobody has verified it."""
        assert self.number is not None
        return await self.node.database.transact(
            ask_people,
            self.facility,
            self.number,
            RequestKind.PERSON,
            language,
            None,
            self.node.now(),
        )

    async def close(self) -> None:
        """Whoever called in has hung up: their line is free to be rung."""
        if self._call_back_id:
            await self.node.database.transact(call_backs.is_free, self._call_back_id, self.node.now())
            self.node.call_backs.set()


def north_american(shown: str) -> str | None:
    """The number in E.164 if it is an ordinary one of the United States or Canada; carriers write it in three ways.

    Other countries of the same plan cost so much to ring that somebody would have us ring them for it.
    """
    match = _SHOWN.fullmatch(shown)
    found = read_e164(f"+1{match[1]}") if match else None
    return found.e164 if isinstance(found, Number) and found.region in _RUNG_BACK else None
