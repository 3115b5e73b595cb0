"""Who calls: a PIN that its inmate changed, and hotlines that ask nobody."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from ivr.asking import perform
from ivr.demonstration.party import Party
from ivr.policy.hotline import NO_STATION
from ivr.policy.reasons import Denial, NotRecorded, Outcome
from ivr.policy.request import Payer
from ivr.records.tables import call
from tests.telephony.acting import accepts, does_not_call_again, is_asked, said_to, talk
from tests.telephony.cast import JAIL
from tests.telephony.registry import story
from tests.telephony.scene import INTRODUCTION, PROLOGUE, Scene
from tests.telephony.stories.dialogues import BEEP_HERTZ, OWN_VOICE_HERTZ

OTHER_STATE = "6175550177"


@story()
def a_pin_changed_by_phone_is_the_one_that_counts(scene: Scene) -> None:
    with scene.inmate() as inmate:
        _keys_who(inmate, scene.role.keys)
        inmate.begins_to_hear("enter_number")
        inmate.presses("*#")
        inmate.begins_to_hear("pin_offer")
        inmate.presses("2")
        inmate.begins_to_hear("enter_new_pin")
        inmate.presses("80246#")
        inmate.begins_to_hear("enter_new_pin_again")
        inmate.presses("80246#")
        inmate.hears("pin_changed")
        inmate.begins_to_hear("left_offer")
        inmate.hangs_up()
        scene.session()
        _keys_who(inmate, scene.role.keys)
        inmate.hears("wrong_id_or_pin")
        inmate.begins_to_hear("enter_id_and_pin")
        inmate.presses(f"{scene.role.inmate_id}80246#")
        inmate.begins_to_hear("enter_number")
        inmate.hangs_up()
    changed = ["left_offer", "pin_offer", "enter_new_pin", "enter_new_pin_again", "pin_changed", "left_offer"]
    assert said_to(inmate, 0) == [*PROLOGUE, *changed]
    assert said_to(inmate, 1) == [*PROLOGUE[:3], "wrong_id_or_pin", "enter_id_and_pin", "enter_number"]


@story(hotline_kind="prea")
def a_hotlines_code_connects_without_a_pin_and_leaves_no_trace(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        _keys_who(inmate, f"{scene.role.code}#")
        inmate.hears("please_hold")
        family.is_called()
        family.begins_to_hear("hotline_key.1")
        accepts(family)
        talk(scene, inmate, family)
        family.hangs_up()
        inmate.is_hung_up_on()

    asked = ["hotline_prea", "hotline_no_trace", "free_call time=15", "call_not_recorded", "please_hold"]
    assert said_to(inmate) == [*PROLOGUE[:3], *asked, "ending.completed", "goodbye"]
    assert said_to(family) == [
        *INTRODUCTION[:2],
        f"hotline_call facility={JAIL}",
        "notice_not_recorded",
        "paid_free",
        "hotline_key.1",
        "connecting",
    ]
    [cdr] = scene.calls()
    assert (cdr.inmate, cdr.station_id, cdr.reason) == (None, NO_STATION, Outcome.COMPLETED)
    assert (cdr.not_recorded, cdr.charge) == (NotRecorded.ANONYMOUS, 0)
    assert cdr.talk_ms > 1_000
    assert scene.recordings() == []
    log = (scene.stage.settings.state_dir / "controller.log").read_text("utf-8")
    assert [line for line in log.splitlines() if scene.role.station in line] == []


@story(booked=True)
def after_an_arrest_a_booking_makes_a_free_call(scene: Scene) -> None:
    _was_arrested(scene, minutes_ago=5)
    with scene.both() as (inmate, family):
        _keys_booking(inmate, scene.role.inmate_id)
        inmate.begins_to_hear("enter_number")
        inmate.presses(f"{scene.role.number[1:]}#")
        _says_their_name(scene, inmate)
        inmate.hears("please_hold", within=40)  # two seconds of silence end the name
        is_asked(family)
        accepts(family)
        talk(scene, inmate, family)
        family.hangs_up()
        does_not_call_again(inmate)

    asked = ["enter_booking", "enter_number", "record_name", "free_call time=15"]
    rung = ["call_recorded", "please_hold", "ending.completed", "another_call"]
    assert said_to(inmate) == [*PROLOGUE[:2], *asked, *rung]
    assert said_to(family)[:5] == [*INTRODUCTION, "paid_free"]
    [cdr] = scene.calls()
    assert (cdr.inmate, cdr.payer, cdr.charge, cdr.reason) == (None, Payer.FREE, 0, Outcome.COMPLETED)
    assert cdr.booking_id is not None


@story(booked=True)
def after_an_arrest_what_is_not_due_is_refused_by_name(scene: Scene) -> None:
    _was_arrested(scene, minutes_ago=5)
    with scene.inmate() as inmate:
        _keys_booking(inmate, "404040")
        inmate.begins_to_hear("enter_booking")
        inmate.presses(f"{scene.role.inmate_id}#")
        inmate.begins_to_hear("enter_number")
        inmate.presses(f"{OTHER_STATE}#")
        _says_their_name(scene, inmate)
        _is_asked_for_another(inmate)
        scene.change(partial(_three_completed, like=_calls(scene, 1)[0]))
        inmate.presses(f"{scene.role.number[1:]}#")
        does_not_call_again(inmate)
        _was_arrested(scene, minutes_ago=181)
        _keys_booking(inmate, scene.role.inmate_id)
        inmate.begins_to_hear("enter_number")
        inmate.presses(f"{scene.role.number[1:]}#")
        does_not_call_again(inmate)
    asked = ["enter_booking", "wrong_booking", "enter_booking", "enter_number", "record_name"]
    told = ["ending.intake_local_only", "another_call", "enter_number", "ending.intake_calls_used"]
    assert said_to(inmate, 0) == [*PROLOGUE[:2], *asked, *told, "another_call"]
    assert said_to(inmate, 1)[-3:] == ["enter_number", "ending.intake_time_over", "another_call"]
    refused = [row.reason for row in _calls(scene, 6) if row.talk_ms == 0]
    assert refused == [Denial.INTAKE_LOCAL_ONLY, Denial.INTAKE_CALLS_USED, Denial.INTAKE_TIME_OVER]


@story(booked=True)
def a_booking_that_nobody_knows_is_asked_for_three_times(scene: Scene) -> None:
    with scene.inmate() as inmate:
        _keys_booking(inmate, "404040")
        for _ in range(2):
            inmate.begins_to_hear("enter_booking")
            inmate.presses("404040#")
        inmate.is_hung_up_on()
    tries = ["enter_booking", "wrong_booking"] * 2
    assert said_to(inmate) == [*PROLOGUE[:2], *tries, "enter_booking", "ending.booking_unknown", "goodbye"]
    assert scene.session().reason == Denial.BOOKING_UNKNOWN


def _was_arrested(scene: Scene, minutes_ago: int) -> None:
    """Staff open the role's booking, or correct its time."""
    arrested = {"arrested_at": (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat()}
    who = {"note": "for a test", "author": "desk", "facility_id": JAIL}
    perform(scene.stage.settings, "intake open", booking=scene.role.inmate_id, **arrested, **who)


def _calls(scene: Scene, count: int) -> Sequence[Row[Any]]:
    """So many records of the story's station, the oldest first, whatever was called."""
    its = select(call).where(call.c.station_id == scene.role.station).order_by(call.c.keyed_at)
    return scene.wait(
        lambda conn: conn.execute(its).all(),
        lambda rows: len(rows) == count and all(row.sealed_at for row in rows),
    )


def _three_completed(conn: Connection, like: Row[Any]) -> None:
    """Three calls on the booking of a refused one, each with a minute's talk."""
    talk = {"talk_ms": 60_000, "limit_ms": 900_000, "privileged": False, "reason": Outcome.COMPLETED}
    rows = [{**like._asdict(), **talk, "id": token_hex(16)} for _ in range(3)]
    conn.execute(insert(call), rows)


def _keys_booking(inmate: Party, number: str) -> None:
    """From the lifted receiver of an intake station to a booking's number."""
    inmate.dials("1")
    inmate.begins_to_hear("choose_language")
    inmate.presses("1")
    inmate.begins_to_hear("enter_booking")
    inmate.presses(f"{number}#")


def _says_their_name(scene: Scene, inmate: Party) -> None:
    inmate.hears("record_name")
    inmate.hears_tone(BEEP_HERTZ)
    inmate.speaks(scene.voice(OWN_VOICE_HERTZ, 1.5))


def _is_asked_for_another(inmate: Party) -> None:
    inmate.begins_to_hear("another_call", within=40)
    inmate.presses("1")
    inmate.begins_to_hear("enter_number")


def _keys_who(inmate: Party, keys: str) -> None:
    """From the lifted receiver to what is keyed in answer to who calls."""
    inmate.dials("1")
    inmate.begins_to_hear("choose_language")
    inmate.presses("1")
    inmate.begins_to_hear("enter_id_and_pin")
    inmate.presses(keys)
