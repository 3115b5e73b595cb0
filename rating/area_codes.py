"""The state in which a US area code is issued.

It says where a number was issued, not where its holder is (mobile, ported and internet numbers move): the
customary, approximate test of whether a call stays in its state.
"""

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

DATA = files("rating") / "data" / "area_code_state.csv"


@cache
def states_by_area_code() -> Mapping[str, str]:
    """Every geographic US area code with its state or territory in ISO 3166-2, such as "617": "US-MA"."""
    lines = (line for line in DATA.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return {row["area_code"]: row["state"] for row in csv.DictReader(lines)}


def state_of_area_code(area_code: str) -> str | None:
    """The state that issues the area code in ISO 3166-2, or None where it is not known."""
    return states_by_area_code().get(area_code)


@cache
def known_states() -> frozenset[str]:
    """The two letters of every US state and territory, and DC, such as "MA"; each has an area code."""
    return frozenset(state.removeprefix("US-") for state in states_by_area_code().values())
