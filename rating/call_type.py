"""The jurisdiction of a call, which decides its price: where the facility is and what number is called."""

from collections.abc import Collection
from enum import StrEnum
from functools import cache
from typing import Final

import phonenumbers

from rating.area_codes import state_of_area_code
from rating.numbers import US_REGIONS, Number, NumberKind

#: NANPA's toll-free codes (47 CFR 52.101 and following), and those kept for it.
TOLL_FREE_AREA_CODES = frozenset({"800", "822", "833", "844", "855", "866", "877", "888"})


AREA_CODE_DIGITS: Final = 3
#: An exchange and line that some place has under every area code.
ANY_SUBSCRIBER: Final = "2345678"


class CallType(StrEnum):
    """How the trade and the FCC tell calls apart (47 CFR 64.6000)."""

    LOCAL = "local"
    INTRASTATE = "intrastate"
    INTERSTATE = "interstate"
    INTERNATIONAL = "international"
    TOLL_FREE = "toll_free"


#: Those that stay in the facility's state.
IN_STATE: Final = (CallType.LOCAL, CallType.INTRASTATE)


def call_type(number: Number, *, facility_state: str, local_exchanges: Collection[str] = ()) -> CallType:
    """The type of a call from a facility in `facility_state` (ISO 3166-2, "US-MA") to a number.

    A number is local when its area code and exchange ("617555") are in the facility's list. Canada and the
    Caribbean are international although they share +1, and so is another country's freephone number; Puerto Rico
    and the other US territories are not. A US number whose state is not known counts as interstate, where the
    federal caps hold.
    """
    if number.region not in US_REGIONS:
        return CallType.INTERNATIONAL
    if number.kind is NumberKind.TOLL_FREE:
        return CallType.TOLL_FREE
    if number.e164[2:8] in local_exchanges:
        return CallType.LOCAL
    return CallType.INTRASTATE if number.state == facility_state else CallType.INTERSTATE


def call_type_of_prefix(digits: str) -> CallType:
    """The type of calls to numbers that begin so (E.164 without "+"), told without a facility.

    What may be inside the United States counts as interstate, where the federal caps hold: so does an area code of
    no place, such as 500 or 900, as it does for `call_type`.
    """
    if not digits.startswith("1"):
        return CallType.INTERNATIONAL
    area_code = digits[1:4]
    if area_code in TOLL_FREE_AREA_CODES:
        return CallType.TOLL_FREE
    return CallType.INTERNATIONAL if _is_abroad(area_code) else CallType.INTERSTATE


def may_be_in_state(digits: str, state: str) -> bool:
    """Whether calls to some number that begins so may stay in a state (ISO 3166-2), as far as a prefix can tell."""
    area_code = digits[1:4]
    if call_type_of_prefix(digits) is not CallType.INTERSTATE:
        return False
    return state_of_area_code(area_code) in (state, None)


@cache
def _is_abroad(area_code: str) -> bool:
    """Whether an area code of +1 is another country's: Canada's, or one of the Caribbean."""
    if len(area_code) < AREA_CODE_DIGITS or state_of_area_code(area_code) is not None:
        return False
    some_number = phonenumbers.parse(f"+1{area_code}{ANY_SUBSCRIBER}")
    return phonenumbers.region_code_for_number(some_number) not in {None, *US_REGIONS}
