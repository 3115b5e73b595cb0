"""What an inmate may choose to pay a call with, and the calling card whose PIN they key."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from accounts.cards import find_card
from ivr.controls.authorisation import gather, number_keyed
from ivr.controls.facts import Caller
from ivr.facility.identity import card_was_keyed, may_key_card
from ivr.facility.lookup import Facility
from ivr.facility.pins import PinKey
from ivr.policy.request import CHOSEN_BY_INMATE, Payer
from ivr.policy.rules import choices


@dataclass(frozen=True, slots=True)
class Choices:
    """Who may pay if the inmate says so; nothing is asked where the inmate's list names the one who alone may."""

    payers: Sequence[Payer] = ()
    is_forced: bool = False


def offers_a_choice(facility: Facility) -> bool:
    """Whether inmates choose how to pay here at all."""
    return not set(CHOSEN_BY_INMATE).isdisjoint(facility.payers.split())


def choices_of(conn: Connection, facility: Facility, caller: Caller, dialled: str, at: datetime) -> Choices:
    """What the inmate may choose for a call to the keys `dialled`."""
    request = gather(conn, facility, caller, number_keyed(conn, facility, caller, dialled), at)
    return Choices(choices(request), is_forced=request.only_payer is not None)


def card_keyed(  # noqa: PLR0917 - who keys what where
    conn: Connection, key: PinKey, facility: Facility, inmate: int, pin: str, at: datetime
) -> str | None:
    """The account of the calling card with this PIN; None for a wrong one, and while none counts."""
    if not may_key_card(conn, facility, inmate, at):
        return None
    on = at.astimezone(ZoneInfo(facility.time_zone)).date()
    found = find_card(conn, facility_id=facility.id, pin_hash=key.card_hash(facility.id, pin), on=on)
    card_was_keyed(conn, facility, inmate, at, is_right=found is not None)
    return found
