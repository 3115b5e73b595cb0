"""Calls between real phones, through a real Asterisk, with a controller of a few lines."""

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialplan.phone import Answers, Phone
from ivr.ami import AmiError
from ivr.ami.client import AmiClient, Connected
from tests.dialplan.conftest import NUMBER, SPECIAL, Stack
from tests.dialplan.fastagi import Controller
from tests.dialplan.sounds import seconds_of_sound, seconds_of_tone, write_tone
from tests.dialplan.story import CALL_ID, Story

INMATE_HERTZ = 600
CALLED_HERTZ = 850
VOICEMAIL_HERTZ = 700
EARLY_HERTZ = 1004  # what the network sends with its 183
NUMBER_THAT = {behaviour.value: number for number, behaviour in SPECIAL.items()}


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def controller(stack: Stack, story: Story) -> Iterator[Controller]:
    with Controller(stack.facility_spec.agi_port, story.scripts) as running:
        yield running
    assert running.faults == []


@pytest.fixture
def inmate(stack: Stack, tmp_path: Path) -> Iterator[Phone]:
    with stack.station(tmp_path / "inmate") as phone:
        phone.say(write_tone(tmp_path / "inmate.wav", INMATE_HERTZ), repeat=True)
        yield phone


@pytest.fixture
def called(stack: Stack, tmp_path: Path) -> Iterator[Phone]:
    with stack.called(tmp_path / "called") as phone:
        phone.say(write_tone(tmp_path / "called.wav", CALLED_HERTZ), repeat=True)
        yield phone


@pytest.mark.usefixtures("controller")
def test_an_accepted_call_lets_both_hear_each_other(
    stack: Stack, story: Story, inmate: Phone, called: Phone
) -> None:
    inmate.dial("1000")
    called.wait_for("CALL_ESTABLISHED")
    called.press("1")
    time.sleep(3)  # they talk
    called.hang_up()
    inmate.wait_for("CALL_CLOSED")

    assert story.finished.wait(5)
    assert story.status == [CALL_ID, "ANSWER", "16"]
    assert seconds_of_tone(inmate.heard[0].path, CALLED_HERTZ) == pytest.approx(3, abs=0.5)
    assert seconds_of_tone(called.heard[0].path, INMATE_HERTZ) == pytest.approx(3, abs=0.5)

    noted = stack.facility.command(f"database get talk {CALL_ID}")
    talk = re.search(r"Value: (\d+\.\d{6}) (\d+\.\d{6}) 16", noted)
    assert talk is not None
    assert float(talk[2]) - float(talk[1]) == pytest.approx(3.2, abs=0.5)


@pytest.mark.usefixtures("controller")
def test_a_declined_call_connects_nobody(story: Story, inmate: Phone, called: Phone) -> None:
    inmate.dial("1000")
    called.wait_for("CALL_ESTABLISHED")
    called.press("2")
    called.wait_for("CALL_CLOSED")
    inmate.wait_for("CALL_CLOSED")

    assert story.finished.wait(5)
    assert story.status[:2] == [CALL_ID, "ANSWER"]
    assert seconds_of_tone(inmate.heard[0].path, CALLED_HERTZ) == 0
    assert seconds_of_tone(called.heard[0].path, INMATE_HERTZ) == 0


def test_without_a_controller_the_inmate_hears_that_the_service_is_closed(
    inmate: Phone, called: Phone
) -> None:
    inmate.dial("1000")
    inmate.wait_for("CALL_CLOSED", deadline_seconds=20)

    assert seconds_of_sound(inmate.heard[0].path) > 1.5
    assert "CALL_INCOMING" not in [event.type for event in called.events]


@pytest.mark.usefixtures("controller")
@pytest.mark.parametrize(
    "change",
    [
        {"limit_ms": ""},
        {"limit_ms": "4000&x"},
        {"destination": f"{NUMBER}&PJSIP/16175550110@carrier"},
    ],
    ids=str,
)
def test_a_verdict_with_a_value_of_the_wrong_form_connects_nobody(
    story: Story, inmate: Phone, called: Phone, change: dict[str, str]
) -> None:
    vars(story).update(change)
    inmate.dial("1000")
    inmate.wait_for("CALL_CLOSED", deadline_seconds=20)

    assert seconds_of_sound(inmate.heard[0].path) > 1.5
    assert "CALL_INCOMING" not in [event.type for event in called.events]


@pytest.mark.usefixtures("controller")
@pytest.mark.parametrize("failure", ["dies_in", "freezes_in"])
def test_a_controller_that_fails_in_the_dialogue_leaves_a_prompt_and_no_call(
    story: Story, inmate: Phone, called: Phone, failure: str
) -> None:
    setattr(story, failure, "outbound")
    inmate.dial("1000")
    inmate.wait_for("CALL_CLOSED", deadline_seconds=20)

    assert seconds_of_sound(inmate.heard[0].path) > 1.5
    assert "CALL_INCOMING" not in [event.type for event in called.events]


@pytest.mark.usefixtures("controller")
@pytest.mark.parametrize("failure", ["dies_in", "freezes_in"])
def test_a_controller_that_fails_in_acceptance_connects_nobody(
    story: Story, inmate: Phone, called: Phone, failure: str
) -> None:
    setattr(story, failure, "accept")
    inmate.dial("1000")
    called.wait_for("CALL_ESTABLISHED")
    if failure == "freezes_in":  # a dead one has hung up by now
        called.press("1")
    called.wait_for("CALL_CLOSED", deadline_seconds=20)
    inmate.wait_for("CALL_CLOSED")

    assert seconds_of_tone(inmate.heard[0].path, CALLED_HERTZ) == 0
    assert seconds_of_tone(called.heard[0].path, INMATE_HERTZ) == 0
    assert story.finished.is_set()


@pytest.mark.usefixtures("controller")
def test_a_frozen_controller_does_not_hold_who_hangs_up(stack: Stack, story: Story, inmate: Phone) -> None:
    story.freezes_in = "outbound"
    inmate.dial("1000")
    inmate.wait_for("CALL_ESTABLISHED")
    inmate.hang_up()
    inmate.wait_for("CALL_CLOSED")
    assert "0 active channels" in stack.facility.command("core show channels")


@pytest.mark.usefixtures("controller")
@pytest.mark.parametrize("behaviour", ["silence", "voicemail"])
def test_who_answers_without_a_key_is_not_connected(story: Story, inmate: Phone, behaviour: str) -> None:
    story.destination = NUMBER_THAT[behaviour]
    inmate.dial("1000")
    inmate.wait_for("CALL_CLOSED", deadline_seconds=20)

    assert story.finished.wait(5)
    assert story.status[:2] == [CALL_ID, "ANSWER"]
    assert seconds_of_tone(inmate.heard[0].path, VOICEMAIL_HERTZ) == 0


def test_announcements_are_heard_by_both_without_a_controller_and_end_with_the_talk(
    stack: Stack, story: Story, inmate: Phone, called: Phone
) -> None:
    story.in_talk = {"OVERLAY": "en", "OVERLAY_SECONDS": "3"}
    with Controller(stack.facility_spec.agi_port, story.scripts):
        inmate.dial("1000")
        called.wait_for("CALL_ESTABLISHED")
        inmate.say(None)
        called.say(None)
        called.press("1")
        time.sleep(1)
    time.sleep(2.5)  # the announcement has begun
    assert "4 active channels" in stack.facility.command("core show channels")
    inmate.hang_up()  # else it would hear that the service is closed
    called.wait_for("CALL_CLOSED")

    time.sleep(0.5)
    assert "0 active channels" in stack.facility.command("core show channels")
    for phone in (inmate, called):
        assert 0.2 < seconds_of_sound(phone.heard[0].path) < 2.5


@pytest.mark.usefixtures("controller")
def test_announcements_end_where_the_talk_has_none_any_more(
    stack: Stack, story: Story, inmate: Phone, called: Phone
) -> None:
    story.in_talk = {"OVERLAY": "en", "OVERLAY_SECONDS": "3"}
    inmate.dial("1000")
    called.wait_for("CALL_ESTABLISHED")
    inmate.say(None)
    called.say(None)
    called.press("1")
    time.sleep(1)
    channels = stack.facility.command("core show channels concise").splitlines()
    [leg] = [each.split("!")[0] for each in channels if each.startswith("PJSIP/carrier-")]
    asyncio.run(_has_no_announcements(stack, leg))
    time.sleep(6)  # two announcements would have begun
    inmate.hang_up()
    called.wait_for("CALL_CLOSED")

    assert seconds_of_sound(called.heard[0].path) == 0
    assert seconds_of_sound(inmate.heard[0].path) < 1  # the ringing


async def _has_no_announcements(stack: Stack, channel: str) -> None:
    """What the controller does when a number becomes privileged; its hook itself it may not turn off."""
    place = ("127.0.0.1", stack.facility_spec.ami_port)
    async with AmiClient(*place, "controller", stack.facility_spec.controller_secret) as ami:
        async for event in ami.events():
            if isinstance(event, Connected):
                break
        with pytest.raises(AmiError):
            await ami.set_variable(channel, "PERIODIC_HOOK(0)", "off")
        await ami.set_variable(channel, "OVERLAY", "")


@pytest.mark.usefixtures("controller")
def test_the_limit_ends_the_talk_with_its_announcement(story: Story, inmate: Phone, called: Phone) -> None:
    story.limit_ms = "4000"
    inmate.dial("1000")
    called.wait_for("CALL_ESTABLISHED")
    called.press("1")
    inmate.wait_for("CALL_CLOSED", deadline_seconds=20)
    called.wait_for("CALL_CLOSED", deadline_seconds=20)

    for phone, other_hertz in ((inmate, CALLED_HERTZ), (called, INMATE_HERTZ)):
        talked = seconds_of_tone(phone.heard[0].path, other_hertz)
        assert talked == pytest.approx(4, abs=0.5)
        assert seconds_of_sound(phone.heard[0].path) > talked + 1  # ended.balance


@pytest.mark.usefixtures("controller")
def test_a_minute_before_the_limit_both_are_warned(story: Story, inmate: Phone, called: Phone) -> None:
    story.limit_ms = "66000"
    inmate.dial("1000")
    called.wait_for("CALL_ESTABLISHED")
    called.press("1")
    time.sleep(10)  # the warning begins after six seconds
    inmate.hang_up()
    called.wait_for("CALL_CLOSED")

    for phone, other_hertz in ((inmate, CALLED_HERTZ), (called, INMATE_HERTZ)):
        [heard] = phone.heard
        assert seconds_of_sound(heard.path) > seconds_of_tone(heard.path, other_hertz) + 1


@pytest.mark.usefixtures("controller")
@pytest.mark.parametrize(
    ("behaviour", "status", "cause"),
    [("busy", "BUSY", "17"), ("congestion", "CONGESTION", "34"), ("unallocated", "CHANUNAVAIL", "1")],
)
def test_a_number_that_cannot_be_reached_says_why(
    story: Story, inmate: Phone, behaviour: str, status: str, cause: str
) -> None:
    story.destination = NUMBER_THAT[behaviour]
    inmate.dial("1000")
    inmate.wait_for("CALL_CLOSED")

    assert story.finished.wait(5)
    assert story.status == [CALL_ID, status, cause]


@pytest.mark.usefixtures("controller")
def test_a_number_that_nobody_answers_is_given_up_after_the_ring_time(story: Story, inmate: Phone) -> None:
    story.destination = NUMBER_THAT["no_answer"]
    story.ring_seconds = "2"
    inmate.dial("1000")
    inmate.wait_for("CALL_CLOSED")

    assert story.finished.wait(5)
    assert story.status[:2] == [CALL_ID, "NOANSWER"]


@pytest.mark.usefixtures("controller")
def test_before_the_answer_neither_keys_nor_voice_of_the_inmate_pass(
    stack: Stack, story: Story, inmate: Phone
) -> None:
    story.destination = NUMBER_THAT["early_media"]
    inmate.dial("1000")
    inmate.wait_for("CALL_ESTABLISHED")
    time.sleep(1)  # the early media of three seconds has begun
    inmate.press("123")
    inmate.wait_for("CALL_CLOSED", deadline_seconds=20)

    assert stack.network.command(f"database get early {story.destination}").strip() == "Value: keys"
    [received] = stack.network_spec.evidence_folder.glob("early-*-received-*.wav")
    assert seconds_of_tone(received, INMATE_HERTZ) == 0
    assert seconds_of_tone(inmate.heard[0].path, EARLY_HERTZ) == 0  # the tone that the network sent


@pytest.mark.usefixtures("controller")
def test_a_call_coming_in_hears_a_notice_and_nothing_else(stack: Stack, called: Phone) -> None:
    called.dial("16175550100")
    called.wait_for("CALL_CLOSED", deadline_seconds=20)

    assert seconds_of_sound(called.heard[0].path) > 1.5


def test_a_phone_with_a_wrong_secret_is_not_served(stack: Stack, tmp_path: Path) -> None:
    phone = stack.station(tmp_path / "stranger")
    phone.line = type(phone.line)(user="demo-a1", secret="not-the-secret-00", port=phone.line.port)
    with phone:
        phone.dial("1000")
        phone.wait_for("CALL_CLOSED")
    assert phone.heard == []


@pytest.mark.usefixtures("controller")
def test_a_reload_of_the_stations_drops_no_call(
    stack: Stack, story: Story, inmate: Phone, tmp_path: Path
) -> None:
    with stack.called(tmp_path / "manual", Answers.MANUAL) as called:
        inmate.dial("1000")
        called.wait_for("CALL_INCOMING")
        called.answer()
        called.wait_for("CALL_ESTABLISHED")
        called.press("1")
        time.sleep(0.5)
        stack.facility.reload_pjsip()
        time.sleep(0.5)
        assert "2 active channels" in stack.facility.command("core show channels")
        inmate.hang_up()
        called.wait_for("CALL_CLOSED")
    assert not story.finished.is_set()  # who hung up hears no more
