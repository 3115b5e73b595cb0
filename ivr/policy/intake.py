"""Free calls after an arrest, at an intake station, counted on a booking (California Penal Code 851.5)."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Entitled:
    """How many completed local calls a booking has, and until when they may begin."""

    calls: int
    ends_at: datetime

    @classmethod
    def of(
        cls,
        arrested_at: datetime,
        *,
        custodial_parent: bool,
        calls: int,
        for_parents: int,
        within_minutes: int,
    ) -> "Entitled":
        """What a facility's setting gives to one who was arrested at an instant."""
        return cls(
            calls + (for_parents if custodial_parent else 0), arrested_at + timedelta(minutes=within_minutes)
        )


@dataclass(frozen=True, slots=True)
class Intake:
    """What a booking is entitled to, and how many calls it has had: completed, or still in progress."""

    entitled: Entitled
    had: int
