"""Write `data/area_code_state.csv` from the data of the installed phonenumbers package.

Run `python -m rating.build_area_codes` after phonenumbers was upgraded and the drift test asks for it. Only
this script reads the package's geographic data, which takes 101 MB of memory; calls use the small table that
it writes.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import phonenumbers

TABLE = Path(__file__).parent / "data" / "area_code_state.csv"

STATES = {
    "Alabama": "AL", "Alaska": "AK", "Arizona": "AZ", "Arkansas": "AR", "California": "CA", "Colorado": "CO",
    "Connecticut": "CT", "Delaware": "DE", "Florida": "FL", "Georgia": "GA", "Hawaii": "HI", "Idaho": "ID",
    "Illinois": "IL", "Indiana": "IN", "Iowa": "IA", "Kansas": "KS", "Kentucky": "KY", "Louisiana": "LA",
    "Maine": "ME", "Maryland": "MD", "Massachusetts": "MA", "Michigan": "MI", "Minnesota": "MN",
    "Mississippi": "MS", "Missouri": "MO", "Montana": "MT", "Nebraska": "NE", "Nevada": "NV",
    "New Hampshire": "NH", "New Jersey": "NJ", "New Mexico": "NM", "New York": "NY", "North Carolina": "NC",
    "North Dakota": "ND", "Ohio": "OH", "Oklahoma": "OK", "Oregon": "OR", "Pennsylvania": "PA",
    "Rhode Island": "RI", "South Carolina": "SC", "South Dakota": "SD", "Tennessee": "TN", "Texas": "TX",
    "Utah": "UT", "Vermont": "VT", "Virginia": "VA", "Washington D.C.": "DC", "Washington State": "WA",
    "West Virginia": "WV", "Wisconsin": "WI", "Wyoming": "WY",
}  # fmt: skip
TERRITORIES = frozenset({"PR", "VI", "GU", "AS", "MP"})

# A number is needed to ask for a region; not every area code has every exchange (684 has only a few).
EXAMPLE_ENDINGS = ("5550123", "2345678", "6221234", "6331234")


def rows() -> Iterator[tuple[str, str]]:
    """Every geographic US area code with its state, in order; ValueError if a state is ambiguous."""
    for number in range(200, 1000):
        area_code = str(number)
        region = region_of(area_code)
        if region in TERRITORIES:
            yield area_code, f"US-{region}"
        elif region == "US":
            yield area_code, f"US-{state_of(area_code)}"


def region_of(area_code: str) -> str | None:
    """The region of its ordinary numbers; None for toll-free, premium, personal and unused area codes."""
    ordinary = (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    for ending in EXAMPLE_ENDINGS:
        example = phonenumbers.parse(f"+1{area_code}{ending}")
        if phonenumbers.number_type(example) in ordinary:
            return phonenumbers.region_code_for_number(example)
    return None


def state_of(area_code: str) -> str:
    """The state that the data names for the area code, or unanimously for the exchanges in it."""
    from phonenumbers.geodata import GEOCODE_DATA  # noqa: PLC0415 - 101 MB, for this script and its test only

    whole = GEOCODE_DATA.get(f"1{area_code}")
    places = [whole] if whole else [v for k, v in GEOCODE_DATA.items() if k.startswith(f"1{area_code}")]
    states = {state_of_place(place["en"]) for place in places}
    if len(states) != 1:
        raise ValueError(f"area code {area_code} has no single state: {sorted(states)}")
    return states.pop()


def state_of_place(place: str) -> str:
    """The state in a description such as "Massachusetts" or "Boston, MA"."""
    return STATES.get(place) or place.rpartition(", ")[2]


def main() -> None:
    """Write the table with its source and date."""
    lines = [
        "# The state or territory (ISO 3166-2) of each geographic US area code.",
        f"# Source: the geographic data of phonenumbers {phonenumbers.__version__} (libphonenumber), read on "
        f"{datetime.now(UTC):%Y-%m-%d} by rating/build_area_codes.py.",
        "area_code,state",
        *(f"{area_code},{state}" for area_code, state in rows()),
    ]
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
