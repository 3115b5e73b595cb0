"""An inmate's recorded name: mu-law at 8,000 samples a second (ITU-T G.711), kept in the database."""

from math import log10

SAMPLES_A_SECOND = 8_000
LONGEST_SECONDS = 8
_LOUD_DBFS = -34.0
_LEAST_LOUD_SAMPLES = SAMPLES_A_SECOND // 20


def _is_loud(code: int) -> bool:
    """Whether a mu-law code stands for a sample that speech reaches and a quiet room does not."""
    inverted = ~code & 0xFF
    magnitude = (((inverted & 0x0F) << 3) + 0x84 << ((inverted & 0x70) >> 4)) - 0x84
    return magnitude > 0 and 20 * log10(magnitude / 32_768) > _LOUD_DBFS


_LOUD = bytes(_is_loud(code) for code in range(256))


def holds_speech(name: bytes) -> bool:
    """Whether somebody said something: not empty, not silence, not longer than a name may be."""
    loud = name.translate(_LOUD).count(1)
    return loud >= _LEAST_LOUD_SAMPLES and len(name) <= (LONGEST_SECONDS + 1) * SAMPLES_A_SECOND
