"""The controller, its link to Asterisk, or Asterisk itself fails in the middle of a call."""

import signal

import pytest

from ivr.demonstration.party import Party
from ivr.demonstration.ports import free_ports
from ivr.policy.dropped import DroppedBy
from ivr.policy.reasons import Outcome
from tests.telephony.acting import (
    TALK_SECONDS,
    accepts,
    does_not_call_again,
    heard_each_other,
    identifies,
    is_asked,
    longest_tone_ms,
    puts_down,
    rings,
    said_to,
    talk,
)
from tests.telephony.cast import Cast
from tests.telephony.faults import (
    Link,
    Theatre,
    asterisk_is_replaced,
    break_asterisk,
    break_controller,
    is_replaced,
    transfers,
)
from tests.telephony.registry import fault
from tests.telephony.scene import FAMILY_HERTZ, INMATE_HERTZ, PREPAID, PROLOGUE, Scene

PAID = Cast(prepaid="5.00")
ONE_MINUTE = Cast(prepaid="0.06")
SEEN_EVERY_MS = 5_000
SIGKILL, SIGSTOP = signal.SIGKILL, signal.SIGSTOP


def _in_the_dialogue(theatre: Theatre, how: signal.Signals) -> None:
    with theatre.one(PAID) as scene:
        with scene.inmate() as inmate:
            identifies(scene, inmate)
            pid = break_controller(scene, how)
            inmate.presses(f"{scene.role.number[1:]}#")
            inmate.is_hung_up_on()
            is_replaced(scene, pid)
            identifies(scene, inmate)  # the next one is served
            inmate.hangs_up()
        assert said_to(inmate, 0) == [*PROLOGUE, "closed"]
        assert said_to(inmate, 1) == PROLOGUE
        assert scene.session().ended_at is not None
        assert scene.calls(0) == []
        assert (scene.balance().available, scene.balance().held) == (5_000_000, 0)


def _in_the_acceptance(theatre: Theatre, how: signal.Signals, *told: str) -> None:
    with theatre.one(PAID) as scene:
        with scene.both() as (inmate, family):
            rings(scene, inmate)
            is_asked(family)
            inmate.speaks(scene.voice(INMATE_HERTZ, 60))
            family.speaks(scene.voice(FAMILY_HERTZ, 60))
            pid = break_controller(scene, how)
            if how == SIGSTOP:
                family.presses("1")  # too late
            is_replaced(scene, pid)
            family.is_hung_up_on(within=30)
            inmate.is_hung_up_on(within=30)
        assert not heard_each_other(inmate, family)
        assert said_to(inmate) == [*PROLOGUE, *PREPAID, *told]
        assert "connecting" not in said_to(family)
        [cdr] = scene.calls()
        assert (cdr.charge, cdr.talk_ms, cdr.accepted_at) == (0, 0, None)
        assert transfers(scene, cdr.id) == ["hold", "release"]
        assert (scene.balance().available, scene.balance().held) == (5_000_000, 0)


def _in_the_talk(theatre: Theatre, how: signal.Signals) -> None:
    with theatre.one(PAID) as scene:
        with scene.both() as (inmate, family):
            rings(scene, inmate)
            is_asked(family)
            inmate.speaks(scene.voice(INMATE_HERTZ, 60))
            family.speaks(scene.voice(FAMILY_HERTZ, 60))
            accepts(family)
            inmate.hears_tone(FAMILY_HERTZ, TALK_SECONDS)
            pid = break_controller(scene, how)
            is_replaced(scene, pid)
            inmate.hears_tone(FAMILY_HERTZ, TALK_SECONDS)  # they have talked on
            family.hangs_up()
            does_not_call_again(inmate)
        assert said_to(inmate) == [*PROLOGUE, *PREPAID, "ending.completed", "another_call"]
        [cdr] = scene.calls()
        assert (cdr.reason, cdr.charge) == (Outcome.COMPLETED, 60_000)
        assert cdr.talk_ms == pytest.approx(longest_tone_ms(family.sound()), abs=100)
        assert transfers(scene, cdr.id) == ["hold", "settlement"]
        assert (scene.balance().available, scene.balance().held) == (4_940_000, 0)


def _until_the_limit(theatre: Theatre, how: signal.Signals) -> None:
    with theatre.one(ONE_MINUTE) as scene:
        with scene.both() as (inmate, family):
            rings(scene, inmate)
            is_asked(family)
            inmate.speaks(scene.voice(INMATE_HERTZ, 90))
            family.speaks(scene.voice(FAMILY_HERTZ, 90))
            accepts(family)
            inmate.hears_tone(FAMILY_HERTZ, 50, within=60)
            pid = break_controller(scene, how)
            family.is_hung_up_on(within=20)
            is_replaced(scene, pid)
            puts_down(inmate)
        assert 59_000 < longest_tone_ms(family.sound()) <= 61_000
        assert said_to(family)[-1] == "ended.balance"
        [cdr] = scene.calls()
        assert (cdr.reason, cdr.charge) == (Outcome.LIMIT_REACHED, 60_000)
        assert cdr.talk_ms <= 60_000
        assert transfers(scene, cdr.id) == ["hold", "settlement"]
        assert (scene.balance().available, scene.balance().held) == (0, 0)


def _talks(scene: Scene, inmate: Party, family: Party) -> None:
    rings(scene, inmate)
    is_asked(family)
    accepts(family)
    talk(scene, inmate, family)


@fault
def a_controller_that_dies_near_the_end_of_a_talk_lengthens_no_call(theatre: Theatre) -> None:
    _until_the_limit(theatre, SIGKILL)


@fault
def a_controller_that_freezes_near_the_end_of_a_talk_lengthens_no_call(theatre: Theatre) -> None:
    _until_the_limit(theatre, SIGSTOP)


@fault
def a_controller_that_dies_in_the_dialogue_leaves_a_prompt(theatre: Theatre) -> None:
    _in_the_dialogue(theatre, SIGKILL)


@fault
def a_controller_that_freezes_in_the_dialogue_leaves_a_prompt(theatre: Theatre) -> None:
    _in_the_dialogue(theatre, SIGSTOP)


@fault
def a_controller_that_dies_in_the_acceptance_connects_nobody(theatre: Theatre) -> None:
    # by then there is another controller, which tells the end
    _in_the_acceptance(theatre, SIGKILL, "ending.system_fault", "another_call", "goodbye")


@fault
def a_controller_that_freezes_in_the_acceptance_connects_nobody(theatre: Theatre) -> None:
    _in_the_acceptance(theatre, SIGSTOP, "closed")


@fault
def a_talk_goes_on_when_the_controller_dies(theatre: Theatre) -> None:
    _in_the_talk(theatre, SIGKILL)


@fault
def a_talk_goes_on_when_the_controller_freezes(theatre: Theatre) -> None:
    _in_the_talk(theatre, SIGSTOP)


@fault
def talks_that_end_while_the_link_is_cut_are_settled_once(theatre: Theatre) -> None:
    ports = free_ports()
    with (
        Link(ports["ami_port"]) as link,
        theatre.scenes_of(PAID, PAID, settings=ports, controller_settings={"ami_port": link.port}) as scenes,
    ):
        first, second = scenes
        with first.both() as (ann, anns_family), second.both() as (bob, bobs_family):
            _talks(first, ann, anns_family)
            _talks(second, bob, bobs_family)
            first.tell("  fault", "the link is cut")
            link.cut()
            ann.hears_tone(FAMILY_HERTZ, TALK_SECONDS)  # the talk goes on
            ann.hangs_up()  # nothing tells the controller
            bobs_family.hangs_up()
            bob.begins_to_hear("another_call")  # the dialplan's note tells it
            bob.hangs_up()
            link.mend()
        for scene in scenes:
            [cdr] = scene.calls()
            assert (cdr.reason, cdr.charge) == (Outcome.COMPLETED, 60_000)
            assert transfers(scene, cdr.id) == ["hold", "settlement"]
            assert (scene.balance().available, scene.balance().held) == (4_940_000, 0)
        assert said_to(bob)[-2:] == ["ending.completed", "another_call"]
        [cdr] = first.calls()
        assert cdr.talk_ms == pytest.approx(longest_tone_ms(ann.sound()), abs=1_000)


@fault
def a_talk_that_outlasts_a_cut_of_the_link_is_settled_as_ever(theatre: Theatre) -> None:
    ports = free_ports()
    with (
        Link(ports["ami_port"]) as link,
        theatre.scenes_of(PAID, settings=ports, controller_settings={"ami_port": link.port}) as [scene],
    ):
        with scene.both() as (inmate, family):
            _talks(scene, inmate, family)
            link.cut()
            inmate.hears_tone(FAMILY_HERTZ, TALK_SECONDS)
            link.mend()
            inmate.hears_tone(FAMILY_HERTZ, 6)
            family.hangs_up()
            does_not_call_again(inmate)
        [cdr] = scene.calls()
        assert (cdr.reason, cdr.charge, cdr.ended_by) == (Outcome.COMPLETED, 60_000, "called_party")
        assert transfers(scene, cdr.id) == ["hold", "settlement"]


def _asterisk_ends(theatre: Theatre, how: signal.Signals) -> None:
    """Killed, ended in order, or frozen."""
    with theatre.one(PAID) as scene:
        with scene.both() as (inmate, family):
            rings(scene, inmate)
            is_asked(family)
            inmate.speaks(scene.voice(INMATE_HERTZ, 60))
            family.speaks(scene.voice(FAMILY_HERTZ, 60))
            accepts(family)
            inmate.hears_tone(FAMILY_HERTZ, 8)
            asterisk_is_replaced(scene, break_asterisk(scene, how))
            [cdr] = scene.calls()
            puts_down(inmate)
            puts_down(family)
        talked_ms = longest_tone_ms(family.sound())
        assert talked_ms - SEEN_EVERY_MS - 1_000 <= cdr.talk_ms <= talked_ms + 100
        assert (cdr.reason, cdr.dropped_by, cdr.given_back) == (Outcome.COMPLETED, DroppedBy.US, True)
        assert (cdr.charge, cdr.billed_seconds) == (0, 0)  # it lasted less than a minute
        assert transfers(scene, cdr.id) == ["hold", "release"]
        assert (scene.balance().available, scene.balance().held) == (5_000_000, 0)
        with scene.inmate() as inmate:  # and the next one is served
            identifies(scene, inmate)
            inmate.hangs_up()


@fault
def a_talk_in_which_asterisk_dies_is_given_back(theatre: Theatre) -> None:
    _asterisk_ends(theatre, SIGKILL)


@fault
def a_talk_that_asterisk_ends_in_order_is_given_back(theatre: Theatre) -> None:
    _asterisk_ends(theatre, signal.SIGTERM)


@fault
def a_talk_in_which_asterisk_freezes_is_given_back(theatre: Theatre) -> None:
    _asterisk_ends(theatre, SIGSTOP)


@fault
def an_asterisk_that_freezes_in_the_dialogue_is_replaced(theatre: Theatre) -> None:
    with theatre.one(PAID) as scene:
        with scene.inmate() as inmate:
            identifies(scene, inmate)
            pid = break_asterisk(scene, SIGSTOP)
            inmate.presses(f"{scene.role.number[1:]}#")  # nobody hears that
            asterisk_is_replaced(scene, pid)
            puts_down(inmate)
            assert scene.session().ended_at is not None
            identifies(scene, inmate)  # the next one is served
            inmate.hangs_up()
        assert said_to(inmate, 0) == PROLOGUE
        assert said_to(inmate, 1) == PROLOGUE
        assert scene.calls(0) == []
        assert (scene.balance().available, scene.balance().held) == (5_000_000, 0)
