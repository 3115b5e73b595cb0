"""Which prompts a recording holds, when they were played, and where there is silence or a tone."""

from prompts.listen.audio import STEP_S, loudness, read_audio, tone_share, tone_steps
from prompts.listen.listener import Heard, Listener
from prompts.listen.transcript import transcript

__all__ = [
    "STEP_S",
    "Heard",
    "Listener",
    "loudness",
    "read_audio",
    "tone_share",
    "tone_steps",
    "transcript",
]
