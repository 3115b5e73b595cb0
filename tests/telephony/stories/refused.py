"""Calls that the called party does not want, or that nobody takes."""

from dialplan.network import Behaviour
from dialplan.phone import Answers
from ivr.policy.reasons import Outcome
from tests.telephony.acting import does_not_call_again, is_asked, rings, said_to
from tests.telephony.registry import story
from tests.telephony.scene import INTRODUCTION, MENU, PREPAID, PROLOGUE, Scene

ASKED = ["paid_by_prepaid", *MENU]


def _is_free(scene: Scene, reason: Outcome) -> None:
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.talk_ms, cdr.charge, cdr.accepted_at) == (reason, 0, 0, None)
    assert (scene.balance().available, scene.balance().held) == (5_000_000, 0)
    assert scene.recordings() == []


@story(prepaid="5.00", behaviour=Behaviour.SILENCE)
def a_silent_answer_is_not_an_acceptance(scene: Scene) -> None:
    with scene.inmate() as inmate:
        rings(scene, inmate)
        inmate.begins_to_hear("ending.not_accepted", within=110)
        does_not_call_again(inmate)
    assert said_to(inmate) == [*PROLOGUE, *PREPAID, "ending.not_accepted", "another_call"]
    _is_free(scene, Outcome.NOT_ACCEPTED)


@story(prepaid="5.00", behaviour=Behaviour.VOICEMAIL)
def a_talking_voicemail_does_not_accept(scene: Scene) -> None:
    with scene.inmate() as inmate:
        rings(scene, inmate)
        inmate.begins_to_hear("ending.not_accepted", within=110)
        does_not_call_again(inmate)
    assert said_to(inmate) == [*PROLOGUE, *PREPAID, "ending.not_accepted", "another_call"]
    _is_free(scene, Outcome.NOT_ACCEPTED)


@story(prepaid="5.00")
def a_call_refused_by_key_is_free(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        family.presses("2")
        family.is_hung_up_on()
        does_not_call_again(inmate)

    assert said_to(inmate) == [*PROLOGUE, *PREPAID, "ending.refused", "another_call"]
    assert said_to(family) == [*INTRODUCTION, *ASKED, "refused"]
    _is_free(scene, Outcome.REFUSED)


@story(prepaid="5.00")
def a_wrong_key_three_times_is_not_an_acceptance(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        for _ in range(2):
            family.presses("5")
            family.begins_to_hear("accept_key.1")
        family.presses("5")
        family.is_hung_up_on()
        does_not_call_again(inmate)

    assert said_to(inmate) == [*PROLOGUE, *PREPAID, "ending.not_accepted", "another_call"]
    again = ["wrong_key", *ASKED]
    assert said_to(family) == [*INTRODUCTION, *ASKED, *again, *again, "not_accepted"]
    _is_free(scene, Outcome.NOT_ACCEPTED)


@story(prepaid="5.00")
def a_number_blocked_by_key_can_not_be_called_again(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        family.presses("9")
        family.begins_to_hear("block_confirm.6")
        family.presses("6")
        family.is_hung_up_on()
        inmate.begins_to_hear("another_call")
        inmate.presses("1")
        inmate.begins_to_hear("enter_number")
        inmate.presses("1#")
        does_not_call_again(inmate)

    assert said_to(family) == [*INTRODUCTION, *ASKED, "block_confirm.6", "blocked"]
    assert said_to(inmate) == [
        *PROLOGUE,
        *PREPAID,
        "ending.blocked_by_key",
        "another_call",
        "enter_number",
        "ending.blocked_by_called_party",
        "another_call",
    ]
    assert len(family.phone.heard) == 1
    first, second = scene.calls(2)
    assert (first.reason, second.reason) == ("blocked_by_key", "blocked_by_called_party")
    assert (scene.balance().available, scene.balance().held) == (5_000_000, 0)


def _rings_in_vain(scene: Scene, reason: Outcome, dial_status: str) -> None:
    with scene.inmate() as inmate:
        rings(scene, inmate)
        does_not_call_again(inmate)
    assert said_to(inmate) == [*PROLOGUE, *PREPAID, f"ending.{reason}", "another_call"]
    _is_free(scene, reason)
    [cdr] = scene.calls()
    assert (cdr.dial_status, cdr.answered_at) == (dial_status, None)


@story(prepaid="5.00", behaviour=Behaviour.NO_ANSWER)
def nobody_answers(scene: Scene) -> None:
    _rings_in_vain(scene, Outcome.NO_ANSWER, "NOANSWER")


@story(prepaid="5.00", behaviour=Behaviour.BUSY)
def the_line_is_busy(scene: Scene) -> None:
    _rings_in_vain(scene, Outcome.BUSY, "BUSY")


@story(prepaid="5.00", behaviour=Behaviour.CONGESTION)
def the_network_is_congested(scene: Scene) -> None:
    _rings_in_vain(scene, Outcome.CONGESTION, "CONGESTION")


@story(prepaid="5.00", behaviour=Behaviour.UNALLOCATED)
def the_number_is_unallocated(scene: Scene) -> None:
    _rings_in_vain(scene, Outcome.UNAVAILABLE, "CHANUNAVAIL")


@story(prepaid="5.00")
def a_telephone_that_is_not_answered_but_rejected_is_busy(scene: Scene) -> None:
    with scene.family(Answers.MANUAL) as family, scene.inmate() as inmate:
        rings(scene, inmate)
        family.rings()
        family.hangs_up()
        does_not_call_again(inmate)
    assert said_to(inmate) == [*PROLOGUE, *PREPAID, "ending.busy", "another_call"]
    _is_free(scene, Outcome.BUSY)
