"""The jurisdiction of a call, which decides its price: where the facility is and what number is called."""

from collections.abc import Collection
from enum import StrEnum

from rating.area_codes import state_of_area_code
from rating.numbers import US_REGIONS, Number, NumberKind

#: NANPA's toll-free codes (47 CFR 52.101 and following), and those kept for it.
TOLL_FREE_AREA_CODES = frozenset({"800", "822", "833", "844", "855", "866", "877", "888"})


class CallType(StrEnum):
    """How the trade and the FCC tell calls apart (47 CFR 64.6000)."""

    LOCAL = "local"
    INTRASTATE = "intrastate"
    INTERSTATE = "interstate"
    INTERNATIONAL = "international"
    TOLL_FREE = "toll_free"


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

    What may be inside the United States counts as interstate, where the federal caps hold.
    """
    if not digits.startswith("1"):
        return CallType.INTERNATIONAL
    area_code = digits[1:4]
    if area_code in TOLL_FREE_AREA_CODES:
        return CallType.TOLL_FREE
    if len(area_code) == 3 and state_of_area_code(area_code) is None:
        return CallType.INTERNATIONAL
    return CallType.INTERSTATE
