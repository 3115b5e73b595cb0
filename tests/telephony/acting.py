"""What people do in most stories."""

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from dialplan.phone import PhoneError
from ivr.demonstration.party import Party
from ivr.records.tables import call
from prompts.listen import STEP_S, read_audio, tone_steps
from prompts.listen.audio import RATE, Samples
from tests.telephony.scene import FAMILY_HERTZ, INMATE_HERTZ, Scene
from tests.telephony.stack import ear

TALK_SECONDS = 1.5
TORN_SECONDS = 0.5  # lost packets take less out of a clip; until it is said again takes longer
_FRAME = RATE // 100
_TONE_RMS = (0.18, 0.24)  # of the people's voices, which are tones of one loudness


def identifies(scene: Scene, inmate: Party, language: str = "1") -> None:
    """From the lifted receiver to the wish for a number."""
    inmate.dials("1")
    inmate.begins_to_hear("choose_language")
    inmate.presses(language)
    inmate.begins_to_hear("enter_id_and_pin")
    inmate.presses(scene.role.keys)
    inmate.begins_to_hear("enter_number")


def dials_family(scene: Scene, inmate: Party, language: str = "1") -> None:
    """From the lifted receiver to the keyed number."""
    identifies(scene, inmate, language)
    inmate.presses(f"{scene.role.number[1:]}#")


def rings(scene: Scene, inmate: Party, language: str = "1") -> None:
    """From the lifted receiver until the called party's telephone is rung."""
    dials_family(scene, inmate, language)
    inmate.hears("please_hold")


def is_asked(family: Party, key: str = "1") -> None:
    """From the ringing to the question whether the call is accepted, which names the facility's key."""
    family.is_called()
    family.begins_to_hear(f"accept_key.{key}", within=40)


def accepts(family: Party, key: str = "1") -> None:
    """From the question to the connection."""
    family.presses(key)
    family.hears("connecting")


def talk(scene: Scene, inmate: Party, family: Party) -> None:
    """Both speak, each in their own tone, until both have heard the other for more than a second."""
    inmate.speaks(scene.voice(INMATE_HERTZ, 60))
    family.speaks(scene.voice(FAMILY_HERTZ, 60))
    family.hears_tone(INMATE_HERTZ, TALK_SECONDS)
    inmate.hears_tone(FAMILY_HERTZ, TALK_SECONDS)


def call_in_progress(scene: Scene) -> str:
    """The id of the story's call."""
    own = select(call.c.id).where(call.c.station_id == scene.role.station, call.c.sealed_at.is_(None))
    return str(scene.read(lambda conn: conn.scalars(own).one()))


def does_not_call_again(inmate: Party) -> None:
    """The receiver goes back when another call is offered."""
    inmate.begins_to_hear("another_call")
    inmate.hangs_up()


def puts_down(party: Party) -> None:
    """The receiver goes back, whether or not the line is dead already."""
    of_calls = [event.type for event in party.phone.events if event.type.startswith("CALL_")]
    if of_calls[-1] != "CALL_CLOSED":
        try:
            party.hangs_up()
        except PhoneError:  # the other side was a moment faster
            party.is_hung_up_on()


def said_to(party: Party, call: int = -1) -> list[str]:
    """What was said to somebody in a call that has ended; whether a key cut it short does not matter.

    Nor does it matter whether the key for English came before Spanish was offered, once.
    """
    said = [line.removesuffix(" (interrupted)") for line in party.transcript(call)]
    offered = [clip.language for clip in party.placements(call) if clip.clip_id == "choose_language"]
    if offered == ["en", "es"]:
        said.remove("choose_language")
    return said


def languages_of(party: Party, *clips: str) -> list[str]:
    """The languages in which these were said to somebody in a call that has ended, in order; a torn clip is one."""
    said = [clip for clip in party.placements() if clip.clip_id in clips]
    torn = {
        id(piece)
        for first, piece in pairwise(said)
        if (piece.clip_id, piece.language) == (first.clip_id, first.language)
        and piece.start_s - first.end_s < TORN_SECONDS
    }
    return [clip.language for clip in said if id(clip) not in torn]


def prompts_in(recording: Path) -> list[str]:
    """What a recording has beside the voices, in either of its channels."""
    return [clip.clip_id for each in (0, 1) for clip in ear().placements(read_audio(recording, each))]


def heard_each_other(inmate: Party, family: Party) -> bool:
    """Whether the voice of either reached the other: no shred of speech sounds as one tone for so long."""
    return heard_voice(inmate, FAMILY_HERTZ) or heard_voice(family, INMATE_HERTZ)


def heard_voice(party: Party, hertz: float) -> bool:
    """Whether a voice of this tone reached somebody."""
    return _longest_run(tone_steps(party.sound(), hertz)) * STEP_S > 0.3


def longest_tone_ms(sound: Samples) -> int:
    """How long the other's voice was heard without a break."""
    frames = sound[: len(sound) // _FRAME * _FRAME].reshape(-1, _FRAME)
    rms = np.sqrt((frames.astype(np.float64) ** 2).mean(axis=1))
    return _longest_run((rms > _TONE_RMS[0]) & (rms < _TONE_RMS[1])) * 1000 * _FRAME // RATE


def loudness_of_voice(party: Party, hertz: float) -> float:
    """How loud a voice of this tone reached somebody, as RMS of full scale."""
    sound, step = party.sound(), round(STEP_S * RATE)
    heard = [
        sound[n * step : (n + 1) * step] for n, is_there in enumerate(tone_steps(sound, hertz)) if is_there
    ]
    return float(np.median([np.sqrt((each.astype(np.float64) ** 2).mean()) for each in heard]))


def _longest_run(holds: NDArray[np.bool_]) -> int:
    changes = np.flatnonzero(np.diff(np.concatenate([[0], holds.astype(int), [0]])))
    return int((changes[1::2] - changes[::2]).max(initial=0))
