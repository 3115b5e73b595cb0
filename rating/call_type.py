"""The jurisdiction of a call, which decides its price: where the facility is and what number is called."""

from collections.abc import Collection
from enum import StrEnum

from rating.numbers import US_REGIONS, Number, NumberKind


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
