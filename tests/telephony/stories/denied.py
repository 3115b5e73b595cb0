"""Calls that may not be made: the reason is spoken, and the same word is in the record."""

from ivr.policy.reasons import Denial
from tests.telephony.acting import dials_family, does_not_call_again, identifies, said_to
from tests.telephony.cast import PRISON
from tests.telephony.registry import story
from tests.telephony.scene import PROLOGUE, Scene


def _is_denied(scene: Scene, reason: Denial, spoken: str = "") -> None:
    with scene.inmate() as inmate:
        dials_family(scene, inmate)
        does_not_call_again(inmate)
    assert said_to(inmate)[1:] == [*PROLOGUE[1:], spoken or f"ending.{reason}", "another_call"]
    _was_denied(scene, reason)


def _was_denied(scene: Scene, reason: Denial) -> None:
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.dialled_at, cdr.hold_id) == (reason, None, None)
    assert (cdr.charge, cdr.calls_charged, cdr.talk_ms) == (0, 0, 0)


@story()
def a_wrong_pin_three_times_ends_the_session(scene: Scene) -> None:
    with scene.inmate() as inmate:
        inmate.dials("1")
        inmate.begins_to_hear("choose_language")
        inmate.presses("1")
        for _ in range(3):
            inmate.begins_to_hear("enter_id_and_pin")
            inmate.presses(f"{scene.role.inmate_id}0000#")
        inmate.is_hung_up_on()
    tries = ["enter_id_and_pin", "wrong_id_or_pin"] * 2
    assert said_to(inmate) == [*PROLOGUE[:2], *tries, "enter_id_and_pin", "ending.pin_invalid", "goodbye"]
    assert scene.session().reason == Denial.PIN_INVALID
    assert scene.calls(0) == []


@story(prepaid="5.00", on_the_list=False)
def a_number_that_is_not_on_the_list(scene: Scene) -> None:
    _is_denied(scene, Denial.NUMBER_NOT_ALLOWED)


@story(prepaid="5.00", blocked=True)
def a_number_that_the_facility_has_blocked(scene: Scene) -> None:
    _is_denied(scene, Denial.NUMBER_BLOCKED)


@story(prepaid="5.00", facility=PRISON)
def a_call_outside_the_schedule(scene: Scene) -> None:
    _is_denied(scene, Denial.OUTSIDE_SCHEDULE)


@story()
def a_number_that_nobody_pays_for(scene: Scene) -> None:
    _is_denied(scene, Denial.FUNDS_TOO_LOW, "ending.funds_too_low needed=0.06")


@story(prepaid="0.05")
def an_account_that_can_not_pay_a_minute(scene: Scene) -> None:
    _is_denied(scene, Denial.FUNDS_TOO_LOW, "ending.funds_too_low needed=0.06")
    assert (scene.balance().available, scene.balance().held) == (50_000, 0)


@story(prepaid="5.00", state="suspended")
def an_inmate_who_is_suspended(scene: Scene) -> None:
    _is_denied(scene, Denial.INMATE_SUSPENDED)


@story()
def the_emergency_number_is_refused_by_name(scene: Scene) -> None:
    with scene.inmate() as inmate:
        identifies(scene, inmate)
        inmate.presses("911#")
        does_not_call_again(inmate)
    assert said_to(inmate) == [*PROLOGUE, "ending.emergency_number", "another_call"]
    _was_denied(scene, Denial.EMERGENCY_NUMBER)
    assert scene.calls()[0].dialled == "911"
