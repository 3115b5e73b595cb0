"""What happens in a talk beside talking: announcements, keys, and attempts to send the call elsewhere."""

import time

import numpy as np
import pytest

from dialplan.network import OTHER_NUMBER, Behaviour, Way
from dialplan.phone import SECONDS_BETWEEN_KEYS
from ivr.demonstration.party import Party
from ivr.policy.forwarding import Forwarded
from ivr.policy.reasons import Outcome
from ivr.policy.volume import GAIN, Volume
from prompts.listen import read_audio, tone_share
from tests.telephony.acting import (
    accepts,
    does_not_call_again,
    identifies,
    is_asked,
    languages_of,
    loudness_of_voice,
    prompts_in,
    puts_down,
    rings,
    said_to,
    talk,
)
from tests.telephony.cast import FREE_BY_LAW, OFFER_KEYS, OVERLAY_SECONDS
from tests.telephony.registry import story
from tests.telephony.scene import FAMILY_HERTZ, INMATE_HERTZ, Scene

NETWORK_HERTZ = 1_004.0
KEYS = "7*1#"
#: From key to key, as people press them. baresip 1.1 sends each for 240 ms, so that those pressed sooner follow on
#: each other without a pause. Read late, as on a busy machine, two less than 45 ms apart are put off by Asterisk: it
#: sends the second without voice before it; and baresip sees a key only where the payload type changes, so it would
#: miss that one.
SECONDS_FROM_KEY_TO_KEY = 0.5


def _connects(scene: Scene, inmate: Party, family: Party, language: str = "1") -> None:
    key = str(OFFER_KEYS[scene.role.cast.facility][0])
    rings(scene, inmate, language)
    is_asked(family, key)
    accepts(family, key)


def _written_down(scene: Scene) -> str:
    """What Asterisk and the controller have written about anything."""
    folder = scene.stage.settings.state_dir
    logs = [each for each in folder.rglob("*") if each.is_file() and each.parent.name in {"log", "logs"}]
    assert logs
    return "".join(each.read_text("utf-8", errors="replace") for each in logs)


def _presses_keys(inmate: Party) -> None:
    """In a talk, whose keys go on to another telephone."""
    for key in KEYS:
        inmate.presses(key)
        time.sleep(SECONDS_FROM_KEY_TO_KEY - SECONDS_BETWEEN_KEYS)


def _keys_that_came(family: Party) -> str:
    return "".join(event.parameter for event in family.phone.events if event.type == "CALL_DTMF_START")


@story(facility=FREE_BY_LAW, area="413")
def both_hear_where_the_call_comes_from_each_in_their_language(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        _connects(scene, inmate, family, language="2")
        for party in (family, inmate):
            for _ in ("en", "es"):
                party.hears("overlay", within=OVERLAY_SECONDS + 15)
        talk(scene, inmate, family)
        family.hangs_up()
        does_not_call_again(inmate)

    for party in (inmate, family):
        assert languages_of(party, "overlay")[:2] == ["en", "es"]
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.overlay_seconds, cdr.keys_pass) == (Outcome.COMPLETED, OVERLAY_SECONDS, False)
    # the recording holds what the two said, and no announcement
    row, file = scene.finished_recording()
    assert abs(row.talk_ms - cdr.talk_ms) < 300
    assert tone_share(file, INMATE_HERTZ, channel=0) == tone_share(file, FAMILY_HERTZ, channel=1) == 0
    assert prompts_in(file) == []
    channels = scene.stage.supervisor.asterisk.command("core show channels concise")
    assert f"{scene.role.station}-" not in channels


@story(prepaid="5.00")
def an_inmate_hears_as_loud_as_they_chose_and_the_family_and_the_recording_as_ever(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        identifies(scene, inmate)
        inmate.presses("*#")
        inmate.begins_to_hear("volume_offer")
        inmate.presses("4")
        inmate.hears("volume.louder")
        inmate.begins_to_hear("left_offer")
        inmate.presses("9")
        inmate.begins_to_hear("enter_number")
        inmate.presses(f"{scene.role.number[1:]}#")
        is_asked(family)
        accepts(family)
        talk(scene, inmate, family)
        family.hangs_up()
        does_not_call_again(inmate)
    as_ever = loudness_of_voice(family, INMATE_HERTZ)
    assert loudness_of_voice(inmate, FAMILY_HERTZ) == pytest.approx(GAIN[Volume.LOUDER] * as_ever, rel=0.05)
    _, file = scene.finished_recording()
    recorded = [np.abs(read_audio(file, channel)).max() for channel in (0, 1)]
    assert recorded[0] == pytest.approx(recorded[1], rel=0.05)


@story(facility=FREE_BY_LAW, area="413", privileged=True)
def nothing_is_said_in_a_privileged_talk_and_keys_reach_it(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family, "3")
        inmate.presses("99")  # before the acceptance
        accepts(family, "3")
        connected = time.monotonic()
        talk(scene, inmate, family)
        _presses_keys(inmate)
        while time.monotonic() < connected + OVERLAY_SECONDS + 3:
            inmate.hears_tone(FAMILY_HERTZ)
        family.hangs_up()
        does_not_call_again(inmate)

    assert _keys_that_came(family) == KEYS
    assert "overlay" not in said_to(inmate) + said_to(family)
    [cdr] = scene.calls()
    assert (cdr.privileged, cdr.overlay_seconds, cdr.keys_pass) == (True, None, True)


@story(free=True, office=True)
def keys_reach_an_office(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        inmate.presses("99")
        accepts(family)
        talk(scene, inmate, family)
        _presses_keys(inmate)
        family.hears_tone(INMATE_HERTZ)
        family.hangs_up()
        does_not_call_again(inmate)

    assert _keys_that_came(family) == KEYS
    assert scene.calls()[0].keys_pass is True
    assert KEYS not in _written_down(scene)
    assert "DTMF" not in _written_down(scene)


@story(free=True)
def keys_reach_nobody_else_and_the_inmate_can_not_send_the_call_elsewhere(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        _connects(scene, inmate, family)
        talk(scene, inmate, family)
        _presses_keys(inmate)
        inmate.phone.send_elsewhere(OTHER_NUMBER)
        time.sleep(1)
        talk(scene, inmate, family)
        family.hangs_up()
        does_not_call_again(inmate)

    assert _keys_that_came(family) == ""
    for hertz in (941.0, 1209.0):  # of the keys, as sound
        assert tone_share(family.sound(), hertz) < 0.005
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.keys_pass, cdr.forwarded) == (Outcome.COMPLETED, False, None)


@story(free=True, way=Way.REFERS)
def the_network_can_not_send_the_talk_elsewhere(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        _connects(scene, inmate, family)
        talk(scene, inmate, family)
        family.hangs_up()  # now the network asks for another number to be called
        time.sleep(2)
        inmate.speaks(scene.voice(INMATE_HERTZ, 5))
        channels = scene.stage.supervisor.asterisk.command("core show channels concise").splitlines()
        legs = [each for each in channels if f"PJSIP/{scene.role.number}@carrier" in each]
        assert len(legs) == 1
        puts_down(inmate)

    [cdr] = scene.calls()
    assert (cdr.reason, cdr.ended_by, cdr.forwarded) == (Outcome.COMPLETED, "inmate", None)


def _is_flagged(scene: Scene, flag: Forwarded) -> None:
    with scene.both() as (inmate, family):
        _connects(scene, inmate, family)
        talk(scene, inmate, family)
        family.hangs_up()
        does_not_call_again(inmate)

    assert "ending.completed" in said_to(inmate)
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.forwarded, cdr.charge) == (Outcome.COMPLETED, flag, 60_000)


@story(prepaid="5.00", way=Way.DIVERTED)
def an_answer_that_tells_of_a_diversion_is_flagged_and_charged_as_ever(scene: Scene) -> None:
    _is_flagged(scene, Forwarded.DIVERTED)


@story(prepaid="5.00", way=Way.OTHER_NUMBER)
def an_answer_by_another_number_is_flagged_and_charged_as_ever(scene: Scene) -> None:
    _is_flagged(scene, Forwarded.OTHER_NUMBER)


@story(prepaid="5.00", behaviour=Behaviour.REDIRECTS)
def a_number_that_forwards_its_calls_is_unavailable(scene: Scene) -> None:
    with scene.inmate() as inmate:
        rings(scene, inmate)
        does_not_call_again(inmate)

    assert said_to(inmate)[-2:] == ["ending.unavailable", "another_call"]
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.forwarded, cdr.charge) == (Outcome.UNAVAILABLE, Forwarded.REDIRECTED, 0)
    assert scene.balance().held == 0
