"""Which keys the called party decides by: a facility chooses those that people there are used to."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

#: What a facility may choose (`ivr.facility.fields` names them where others are given); each has prompts of its own.
ACCEPTING: Final = (1, 3, 5, 0)
BLOCKING: Final = (9, 6, 7)
_REFUSE, _HOW_CHARGED, _LANGUAGE = "2", "4", "8"  # everywhere the same


class Wish(StrEnum):
    """What a called party wants by a key."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    COST = "cost"
    HOW_CHARGED = "how_charged"
    LANGUAGE = "language"
    BLOCK = "block"


class Dtmf(StrEnum):
    """How the keys of a station come in: `dialplan.dtmf` says what each means."""

    AUTO = "auto"
    RFC4733 = "rfc4733"
    INBAND = "inband"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class OfferKeys:
    """The keys of one facility's offers; the one that confirms a block is another than the one that asks for it."""

    accept: str = "1"
    block: str = "9"
    block_confirm: str = "6"

    @property
    def cost(self) -> str:
        """The key for the price: the other one of 1 and 3 where 3 accepts."""
        return "1" if self.accept == "3" else "3"

    def wish(self, key: str) -> Wish | None:
        """What a key stands for; None for silence, and for a key that stands for nothing."""
        return {
            self.accept: Wish.ACCEPT,
            self.cost: Wish.COST,
            self.block: Wish.BLOCK,
            _REFUSE: Wish.REFUSE,
            _HOW_CHARGED: Wish.HOW_CHARGED,
            _LANGUAGE: Wish.LANGUAGE,
        }.get(key)
