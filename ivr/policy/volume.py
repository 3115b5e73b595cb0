"""How loud a telephone speaks into an inmate's ear; each chooses for themselves."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Volume(StrEnum):
    """From one to the next by each press of a key, and from the last to the first."""

    NORMAL = "normal"
    LOUDER = "louder"
    LOUDEST = "loudest"

    @property
    def next(self) -> "Volume":
        """What the next press of the key makes of it."""
        steps = list(Volume)
        return steps[(steps.index(self) + 1) % len(steps)]


#: By how much what an inmate hears is multiplied, as Asterisk's VOLUME takes it; 0 leaves it as it is. The last one is
#: the 12 dB that a telephone's volume control has at least (47 CFR 68.317).
GAIN: Final[Mapping[Volume, int]] = {Volume.NORMAL: 0, Volume.LOUDER: 2, Volume.LOUDEST: 4}
