"""Every other reason for which a call is refused, as it is spoken: several in one session where they can be."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, update

from ivr.demonstration.party import Party
from ivr.facility.tables import inmate as inmate_table
from ivr.facility.tables import station as station_table
from ivr.policy.reasons import Denial, Outcome
from ivr.policy.request import InmateState
from tests.telephony.acting import (
    accepts,
    dials_family,
    does_not_call_again,
    identifies,
    is_asked,
    rings,
    said_to,
    talk,
)
from tests.telephony.registry import story
from tests.telephony.scene import PREPAID, PROLOGUE, Scene

CHICAGO = ZoneInfo("America/Chicago")
ABROAD = "+442079460123"  # a fictional number of London, for which the tariff has no price
AGAIN = ["another_call", "enter_number"]


def _dials_another(inmate: Party, keys: str) -> None:
    inmate.begins_to_hear("another_call")
    inmate.presses("1")
    inmate.begins_to_hear("enter_number")
    inmate.presses(f"{keys}#")


def _refused(scene: Scene, *reasons: str) -> None:
    """The story's newest records, in order: nobody was rung, nobody pays."""
    found = scene.calls(len(reasons))
    assert [row.reason for row in found] == list(reasons)
    assert {(row.charge, row.calls_charged, row.talk_ms) for row in found} == {(0, 0, 0)}


@story(also_listed=(ABROAD,))
def numbers_that_can_not_be_called_are_refused_by_name(scene: Scene) -> None:
    with scene.inmate() as inmate:
        identifies(scene, inmate)
        inmate.presses("411#")
        _dials_another(inmate, "12345")
        _dials_another(inmate, "9005550123")
        _dials_another(inmate, f"011{ABROAD[1:]}")
        does_not_call_again(inmate)
    reasons = [Denial.SERVICE_CODE, Denial.NUMBER_INVALID, Denial.NUMBER_TYPE_BLOCKED, Denial.NO_RATE]
    told = [f"ending.{each}" for each in reasons]
    assert said_to(inmate) == [
        *PROLOGUE,
        *(each for line in told[:-1] for each in (line, *AGAIN)),
        told[-1],
        "another_call",
    ]
    _refused(scene, *reasons)


@story(prepaid="5.00")
def an_inmate_who_is_released_or_moved_in_the_middle_of_a_session(scene: Scene) -> None:
    def becomes(state: InmateState) -> None:
        of_role = inmate_table.c.inmate_id == scene.role.inmate_id
        scene.change(lambda conn: conn.execute(update(inmate_table).where(of_role).values(state=state)))

    with scene.inmate() as inmate:
        identifies(scene, inmate)
        becomes(InmateState.RELEASED)
        inmate.presses("1#")
        inmate.begins_to_hear("another_call")
        inmate.presses("1")
        inmate.begins_to_hear("enter_number")
        becomes(InmateState.TRANSFERRED)
        inmate.presses("1#")
        does_not_call_again(inmate)
    told = ["ending.inmate_released", *AGAIN, "ending.inmate_transferred", "another_call"]
    assert said_to(inmate) == [*PROLOGUE, *told]
    _refused(scene, Denial.INMATE_RELEASED, Denial.INMATE_TRANSFERRED)


@story(prepaid="5.00", has_recorded_name=False)
def a_name_that_is_never_said(scene: Scene) -> None:
    with scene.inmate() as inmate:
        dials_family(scene, inmate)
        inmate.begins_to_hear("another_call", within=60)
        inmate.hangs_up()
    silent = ["record_name", "name_not_heard", "name_not_heard", "ending.name_not_recorded"]
    assert said_to(inmate) == [*PROLOGUE, *silent, "another_call"]
    _refused(scene, Denial.NAME_NOT_RECORDED)


@story()
def a_telephone_that_no_facility_knows(scene: Scene) -> None:
    mine = station_table.c.id == scene.role.station
    scene.change(lambda conn: conn.execute(delete(station_table).where(mine)))
    with scene.inmate() as inmate:
        inmate.dials("1")
        inmate.is_hung_up_on()
    assert said_to(inmate) == ["ending.station_unknown", "goodbye"]
    assert scene.session().reason == Denial.STATION_UNKNOWN
    assert scene.calls(0) == []


@story(prepaid="5.00", cellmate=True)
def neither_an_inmate_nor_a_number_has_two_calls_at_once(scene: Scene) -> None:
    with (
        scene.both() as (inmate, family),
        scene.inmate(scene.role.cellmate_station) as other,
    ):
        rings(scene, inmate)
        is_asked(family)
        accepts(family)
        for keys in (scene.role.keys, scene.role.cellmate_keys):  # somebody who knows the PIN; the cellmate
            other.dials("1")
            other.begins_to_hear("choose_language")
            other.presses("1")
            other.begins_to_hear("enter_id_and_pin")
            other.presses(keys)
            other.begins_to_hear("enter_number")
            other.presses("1#")
            does_not_call_again(other)
        inmate.hangs_up()
    assert said_to(other, 0)[-2:] == ["ending.inmate_on_a_call", "another_call"]
    assert said_to(other, 1)[-2:] == ["ending.number_on_a_call", "another_call"]
    first, second = scene.calls(2)  # the cellmate's is not among them
    assert (first.reason, second.reason) == (Outcome.COMPLETED, Denial.INMATE_ON_A_CALL)


def _calls_again_after(scene: Scene, *, talks: bool) -> Party:
    """A first call, which the called party refuses or talks in, and a second one to the same number."""
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        if talks:
            accepts(family)
            talk(scene, inmate, family)
            family.hangs_up()
        else:
            family.presses("2")
            family.is_hung_up_on()
        _dials_another(inmate, "1")
        does_not_call_again(inmate)
    assert len(family.phone.heard) == 1  # it did not ring again
    return inmate


def _tomorrow(scene: Scene) -> str:
    keyed_at: datetime = scene.calls(2)[1].keyed_at
    return f"{keyed_at.astimezone(CHICAGO) + timedelta(days=1):%m-%d}"  # as it is spoken, without the year


@story(prepaid="5.00", limit=({"attempts": 1, "in_minutes": 10},))
def a_number_that_is_called_too_often(scene: Scene) -> None:
    inmate = _calls_again_after(scene, talks=False)
    told = ["ending.refused", *AGAIN, "ending.too_many_attempts minutes=10", "another_call"]
    assert said_to(inmate) == [*PROLOGUE, *PREPAID, *told]
    assert scene.calls(2)[1].reason == Denial.TOO_MANY_ATTEMPTS


@story(prepaid="5.00", limit=({"cooling_off_minutes": 10},))
def a_second_call_too_soon_after_a_talk(scene: Scene) -> None:
    inmate = _calls_again_after(scene, talks=True)
    assert said_to(inmate)[-2:] == ["ending.cooling_off minutes=10", "another_call"]
    assert scene.calls(2)[1].reason == Denial.COOLING_OFF


@story(prepaid="5.00", limit=({"calls": 1, "each": "day"},))
def the_calls_of_a_day_are_used(scene: Scene) -> None:
    inmate = _calls_again_after(scene, talks=True)
    assert said_to(inmate)[-2:] == [f"ending.calls_used day={_tomorrow(scene)}", "another_call"]
    assert scene.calls(2)[1].reason == Denial.CALLS_USED


@story(prepaid="5.00", limit=({"minutes": 1, "each": "day"},))
def the_minutes_of_a_day_are_used(scene: Scene) -> None:
    inmate = _calls_again_after(scene, talks=True)
    assert said_to(inmate)[-2:] == [f"ending.minutes_used day={_tomorrow(scene)}", "another_call"]
    assert scene.calls(2)[1].reason == Denial.MINUTES_USED
