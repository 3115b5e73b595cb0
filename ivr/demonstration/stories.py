"""The calls that `ivr run` and `ivr demo` make, told as what each side hears and does."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dialplan.network import Behaviour
from ivr.demonstration.party import Party, write_tone
from ivr.demonstration.stage import Numbers, Stage

STATION = "demo-a1"
INTAKE = "demo-intake"
INMATE_KEYS = "10012468#"
SUBSCRIBER = "12175550101"
PREPAID = "12175550102"
BUSY = "12175550106"
NO_ANSWER = "12175550107"
VOICEMAIL = "12175550108"
ATTORNEY = "12175550110"
HOTLINE = "12175550109"
OTHER_STATE = "16175550104"

NUMBERS = Numbers(
    phones=(SUBSCRIBER, PREPAID, OTHER_STATE, ATTORNEY, HOTLINE),
    special={BUSY: Behaviour.BUSY, NO_ANSWER: Behaviour.NO_ANSWER, VOICEMAIL: Behaviour.VOICEMAIL},
)


@dataclass(frozen=True, slots=True)
class Voices:
    """What the two say once they are connected: tones, which any listener can tell apart."""

    inmate: Path
    family: Path


def voices(folder: Path) -> Voices:
    """The two voices, written into a folder."""
    return Voices(write_tone(folder / "inmate.wav", 440.0), write_tone(folder / "family.wav", 660.0))


def dials_in(alex: Party, speed_dial: str) -> None:
    """From the lifted receiver to the keyed number; the name is recorded if it was not before."""
    alex.dials("1")
    alex.hears("welcome")
    alex.hears("choose_language")
    alex.presses("1")
    alex.hears("enter_id_and_pin")
    alex.presses(INMATE_KEYS)
    alex.hears("enter_number")
    alex.presses(f"{speed_dial}#")


def says_name(alex: Party, voice: Path) -> None:
    """The inmate's name, in their own voice, after the tone."""
    time.sleep(1.0)
    alex.speaks(voice)
    time.sleep(1.5)
    alex.presses("#")


def calls(alex: Party, family: Party, speed_dial: str, voice: Voices, talk_seconds: float) -> None:
    """A call that is accepted, talked, and ended by the called party."""
    dials_in(alex, speed_dial)
    told = alex.hears("record_name", "covered_by_subscription", "price_and_time")
    if told == "record_name":
        says_name(alex, voice.inmate)
        alex.hears("covered_by_subscription", "price_and_time")
    alex.hears("call_recorded")
    alex.hears("please_hold")
    family.is_called()
    if family.hears("accept_menu_language", "provider_greeting") == "accept_menu_language":
        family.hears("provider_greeting")
    family.hears("call_from")
    family.hears("notice_recorded")
    family.hears("paid_by_subscription", "paid_by_prepaid")
    family.hears("cost_key.3")
    family.hears("accept_key.1")
    family.hears("block_key.9")
    family.hears("accept_menu_language")
    family.presses("1")
    family.hears("calls_remaining", "last_call", "balance")
    family.hears("connecting")
    alex.speaks(voice.inmate, repeat=True)
    family.speaks(voice.family, repeat=True)
    time.sleep(talk_seconds)
    alex.is_silent()
    family.hangs_up()
    alex.hears("ending.completed")
    alex.hears("another_call")
    alex.hangs_up()


def is_refused(alex: Party, speed_dial: str, voice: Voices, ending: str) -> None:
    """A call that may not be made, and the reason that is spoken."""
    dials_in(alex, speed_dial)
    if alex.hears("record_name", ending) == "record_name":
        says_name(alex, voice.inmate)
        alex.hears(ending)
    alex.hears("another_call")
    alex.hears("goodbye", within=20)
    alex.is_hung_up_on()


Told = Callable[[str, str], None]


def demonstrate(
    on: Stage, tell: Told, speed_dial: str, number: str, talk_seconds: float
) -> tuple[list[str], list[str]]:
    """One accepted call; what each side was told, from the sound that their telephones received."""
    voice = voices(on.settings.state_dir.absolute())
    with on.called(number, "Family", tell) as family, on.station(STATION, "Alex", tell) as alex:
        calls(alex, family, speed_dial, voice, talk_seconds)
    return alex.transcript(), family.transcript()


def demonstrate_refusal(on: Stage, tell: Told, speed_dial: str, ending: str) -> list[str]:
    """One refused call; what the inmate was told."""
    voice = voices(on.settings.state_dir.absolute())
    with on.station(STATION, "Alex", tell) as alex:
        is_refused(alex, speed_dial, voice, ending)
    return alex.transcript()
