"""Calls that may not be made: the reason is spoken, and the same word is in the record."""

from sqlalchemy import select

from ivr.facility.daily import number_request
from ivr.policy.reasons import Denial, Outcome
from tests.telephony.acting import accepts, dials_family, does_not_call_again, identifies, is_asked, said_to
from tests.telephony.cast import JAIL, PRISON
from tests.telephony.registry import story
from tests.telephony.scene import PREPAID, PROLOGUE, Scene


def _is_denied(scene: Scene, reason: Denial, spoken: str = "") -> list[str]:
    with scene.inmate() as inmate:
        dials_family(scene, inmate)
        does_not_call_again(inmate)
    heard = said_to(inmate)
    assert heard[1:] == [*PROLOGUE[1:], spoken or f"ending.{reason}", "another_call"]
    _was_denied(scene, reason)
    return heard


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
def a_number_that_is_not_on_the_list_is_asked_for_and_called_once_approved(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        dials_family(scene, inmate)
        inmate.begins_to_hear("request_menu")
        inmate.presses("3")
        inmate.begins_to_hear("another_call")
        inmate.presses("1")
        inmate.begins_to_hear("enter_number")  # asked for again while nothing is keyed
        wanted = select(number_request.c.id).where(number_request.c.number == f"+{scene.role.number}")
        request = scene.read(lambda conn: conn.scalars(wanted).one())
        why = ("--note", "Spoke to the family", "--facility", scene.role.cast.facility)
        told = scene.staff("requests", "approve", str(request), *why)
        assert told == (
            f"inmate {scene.role.inmate_id}: +{scene.role.number} added to the list, as was asked for\n"
        )
        inmate.presses(f"{scene.role.number[1:]}#")
        is_asked(family)
        accepts(family)
        family.hangs_up()
        does_not_call_again(inmate)
    again = {"number_not_understood", "enter_number"}
    assert [each for each in said_to(inmate) if each not in again] == [
        *PROLOGUE[:-1],
        "ending.number_not_allowed",
        "request_menu",
        "request_taken",
        "another_call",
        *PREPAID,
        "ending.completed",
        "another_call",
    ]
    refused, made = scene.calls(2)
    assert (refused.reason, refused.dialled_at, refused.charge) == (Denial.NUMBER_NOT_ALLOWED, None, 0)
    assert (made.reason, made.number) == (Outcome.COMPLETED, f"+{scene.role.number}")


@story(prepaid="5.00", blocked=True)
def a_number_that_the_facility_has_blocked(scene: Scene) -> None:
    _is_denied(scene, Denial.NUMBER_BLOCKED)


@story(prepaid="5.00", facility=PRISON)
def a_call_outside_the_schedule_refused_in_the_facilitys_own_voice(scene: Scene) -> None:
    heard = _is_denied(scene, Denial.OUTSIDE_SCHEDULE)
    assert (
        heard[0] == f"welcome facility={JAIL}"
    )  # its own recording says so, and that of all the prison's name


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
