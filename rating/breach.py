"""What a price or a plan asks against a rule, in words that a tariff clerk can act on."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Breach:
    """One rule that is broken. The sentence stands for itself: rule, what it allows, since when, what was asked."""

    rule: str  # the rule's id in our tables
    sentence: str
    since: date | None = None  # the first day of the breach; None where it does not depend on the day

    def __str__(self) -> str:
        return self.sentence
