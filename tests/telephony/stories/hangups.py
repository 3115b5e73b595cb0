"""Either side hangs up at any moment: nobody is charged who has not talked, and nothing stays held."""

from typing import Any

import pytest

from dialplan.phone import Answers
from ivr.policy.reasons import Outcome
from tests.telephony.acting import accepts, does_not_call_again, is_asked, rings, said_to, talk
from tests.telephony.registry import story
from tests.telephony.scene import INTRODUCTION, MENU, PREPAID, PROLOGUE, Scene


def _is_free(scene: Scene, reason: Outcome, ended_by: str | None) -> Any:
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.ended_by, cdr.charge, cdr.talk_ms) == (reason, ended_by, 0, 0)
    assert (scene.balance().available, scene.balance().held) == (5_000_000, 0)
    return cdr


@story(prepaid="5.00")
def the_inmate_hangs_up_while_keying_the_pin(scene: Scene) -> None:
    with scene.inmate() as inmate:
        inmate.dials("1")
        inmate.begins_to_hear("choose_language")
        inmate.presses("1")
        inmate.begins_to_hear("enter_id_and_pin")
        inmate.presses(scene.role.inmate_id)
        inmate.hangs_up()
    assert said_to(inmate) == PROLOGUE[:3]
    assert scene.session().reason == Outcome.CALLER_HUNG_UP
    assert scene.calls(0) == []


@story(prepaid="5.00")
def the_inmate_hangs_up_while_it_rings(scene: Scene) -> None:
    with scene.family(Answers.MANUAL) as family, scene.inmate() as inmate:
        rings(scene, inmate)
        family.rings()
        inmate.hangs_up()
        family.is_hung_up_on()
    assert said_to(inmate) == [*PROLOGUE, *PREPAID]
    cdr = _is_free(scene, Outcome.CALLER_HUNG_UP, "inmate")
    assert cdr.answered_at is None


@story(prepaid="5.00")
def the_inmate_hangs_up_while_the_notices_are_heard(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        family.is_called()
        family.begins_to_hear("call_from")
        inmate.hangs_up()
        family.is_hung_up_on(within=5)
    assert said_to(family)[:2] == INTRODUCTION[:2]
    assert "accept_key.1" not in said_to(family)
    _is_free(scene, Outcome.CALLER_HUNG_UP, "inmate")


@story(prepaid="5.00")
def the_inmate_hangs_up_while_the_called_party_decides(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        inmate.hangs_up()
        family.is_hung_up_on(within=5)
    assert said_to(family) == [*INTRODUCTION, "paid_by_prepaid", *MENU]
    _is_free(scene, Outcome.CALLER_HUNG_UP, "inmate")


@story(prepaid="5.00")
def the_inmate_hangs_up_in_the_talk(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        accepts(family)
        talk(scene, inmate, family)
        inmate.hangs_up()
        family.is_hung_up_on(within=5)
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.ended_by, cdr.charge) == (Outcome.COMPLETED, "inmate", 60_000)
    assert cdr.talk_ms > 0
    assert (scene.balance().available, scene.balance().held) == (4_940_000, 0)
    row, _ = scene.finished_recording()
    assert row.talk_ms == pytest.approx(cdr.talk_ms, abs=300)


@story(prepaid="5.00")
def the_called_party_hangs_up_in_the_greeting(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        family.is_called()
        family.begins_to_hear("provider_greeting")
        family.hangs_up()
        does_not_call_again(inmate)
    assert said_to(inmate) == [*PROLOGUE, *PREPAID, "ending.refused", "another_call"]
    _is_free(scene, Outcome.REFUSED, "called_party")


@story(prepaid="5.00")
def the_called_party_hangs_up_in_the_notices(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        family.is_called()
        family.begins_to_hear("notice_recorded")
        family.hangs_up()
        does_not_call_again(inmate)
    assert said_to(inmate) == [*PROLOGUE, *PREPAID, "ending.refused", "another_call"]
    assert said_to(family) == INTRODUCTION
    _is_free(scene, Outcome.REFUSED, "called_party")


@story(prepaid="5.00")
def the_called_party_hangs_up_instead_of_deciding(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        family.hangs_up()
        does_not_call_again(inmate)
    assert said_to(inmate) == [*PROLOGUE, *PREPAID, "ending.refused", "another_call"]
    _is_free(scene, Outcome.REFUSED, "called_party")


@story(prepaid="5.00")
def the_called_party_hangs_up_after_accepting_before_the_connection(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        family.presses("1")
        family.begins_to_hear("balance")
        family.hangs_up()
        does_not_call_again(inmate)
    cdr = _is_free(scene, Outcome.COMPLETED, "called_party")
    assert cdr.accepted_at is not None
    assert said_to(inmate) == [*PROLOGUE, *PREPAID, f"ending.{cdr.reason}", "another_call"]


@story(prepaid="5.00")
def the_called_party_hangs_up_in_the_talk(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        accepts(family)
        talk(scene, inmate, family)
        family.hangs_up()
        does_not_call_again(inmate)
    assert said_to(inmate) == [*PROLOGUE, *PREPAID, "ending.completed", "another_call"]
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.ended_by, cdr.charge) == (Outcome.COMPLETED, "called_party", 60_000)
    assert (scene.balance().available, scene.balance().held) == (4_940_000, 0)
