"""What a facility is to the law: its state, its kind, and whose it is. Not what numbers its phones call."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from rating.area_codes import known_states


class FacilityKind(StrEnum):
    """How statutes tell facilities apart."""

    JAIL = "jail"  # awaiting trial, or short sentences
    PRISON = "prison"  # sentences of more than a year
    JUVENILE = "juvenile"


class Operator(StrEnum):
    """In whose custody people are held: a state's prison stays the state's when a contractor runs it."""

    STATE = "state"
    COUNTY = "county"
    CITY = "city"
    FEDERAL = "federal"


@dataclass(frozen=True, slots=True)
class Site:
    """A facility as laws and tariffs see it.

    The average daily population is that of the preceding calendar year, which is worked out anew by 30 April
    (47 CFR 64.6000); None where it is not known.
    """

    state: str  # two letters, "MA", as in the facility file
    kind: FacilityKind
    operator: Operator
    average_daily_population: int | Fraction | None = None

    def __post_init__(self) -> None:
        """Refuse what is no state's abbreviation and a negative population; raises ValueError."""
        if self.state not in known_states():
            raise ValueError(f"{self.state!r} is not a state or territory; write it like MA")
        if self.average_daily_population is not None and self.average_daily_population < 0:
            raise ValueError(f"a population is never negative: {self.average_daily_population}")
