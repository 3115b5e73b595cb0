"""What can be keyed beside the straight way: languages, prices, speed dials, names, another call."""

from ivr.policy.reasons import Outcome
from prompts.listen import STEP_S, tone_steps
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
from tests.telephony.scene import COVERED, INTRODUCTION, KNOWN, MENU, PREPAID, PROLOGUE, Scene

BEEP_HERTZ = 1_000.0
OWN_VOICE_HERTZ = 520.0


@story(subscription=57)
def spanish_is_spoken_to_both(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate, language="2")
        is_asked(family)
        family.presses("8")
        family.begins_to_hear("accept_key.1")
        accepts(family)
        talk(scene, inmate, family)
        family.hangs_up()
        does_not_call_again(inmate)

    assert said_to(inmate) == [*PROLOGUE, *COVERED, "ending.completed", "another_call"]
    asked = [*INTRODUCTION, "paid_by_subscription", *MENU]
    assert said_to(family) == [*asked, *asked[1:], "calls_remaining calls=56", "connecting"]
    spoken = [(clip.language, clip.clip_id) for clip in inmate.placements()]
    first = spoken.index(("es", "enter_id_and_pin"))
    assert {language for language, _ in spoken[first:]} == {"es"}
    spoken = [(clip.language, clip.clip_id) for clip in family.placements()]
    first = spoken.index(("es", "provider_greeting"))
    assert {language for language, _ in spoken[first:]} == {"es"}
    [cdr] = scene.calls()
    assert (cdr.inmate_language, cdr.called_language, cdr.reason) == ("es", "es", Outcome.COMPLETED)


@story(prepaid="5.00")
def the_called_party_changes_the_language_and_back(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        family.presses("8")
        family.begins_to_hear("accept_key.1")
        family.presses("8")
        family.begins_to_hear("accept_key.1")
        family.presses("2")
        family.is_hung_up_on()
        does_not_call_again(inmate)

    asked = [*INTRODUCTION, "paid_by_prepaid", *MENU]
    assert said_to(family) == [*asked, *asked[1:], *asked[1:], "refused"]
    greetings = [clip.language for clip in family.placements() if clip.clip_id == "provider_greeting"]
    assert greetings == ["en", "es", "en"]
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.called_language) == (Outcome.REFUSED, "en")


@story(prepaid="5.00")
def early_double_and_late_keys_do_no_harm(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        family.is_called()
        family.begins_to_hear("provider_greeting")
        family.presses("1")  # before anybody has said what it does
        family.begins_to_hear("call_from", within=40)
        family.presses("912")  # nothing cuts the notices, and nothing that comes in them counts
        family.begins_to_hear("accept_key.1", within=40)
        family.presses("99")  # twice: asked for a block, and not confirmed
        family.begins_to_hear("accept_key.1")
        family.presses("11")
        talk(scene, inmate, family)
        family.presses("29")  # too late
        talk(scene, inmate, family)
        family.hangs_up()
        does_not_call_again(inmate)

    again = ["provider_greeting", *INTRODUCTION[1:]]
    asked = ["paid_by_prepaid", *MENU]
    assert [line for line in said_to(family) if line != "block_confirm.6"] == [
        INTRODUCTION[0],
        *again,
        *asked,
        *asked,
        "balance balance=5.00",
        "connecting",
    ]
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.accepted_by, cdr.declined) == (Outcome.COMPLETED, "1", None)


@story(prepaid="5.00")
def key_3_tells_the_whole_price_before_accepting(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        family.presses("3")
        family.begins_to_hear("accept_key.1", within=40)
        family.presses("2")
        family.is_hung_up_on()
        does_not_call_again(inmate)

    assert said_to(family) == [
        *INTRODUCTION,
        "paid_by_prepaid",
        *MENU,
        "cost_by_prepaid minute=0.06 time=15 total=0.90",
        "charged_offer",
        *MENU,
        "refused",
    ]
    assert scene.calls()[0].cost_heard is True


@story(subscription=57)
def a_speed_dial_stands_for_the_number(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        identifies(scene, inmate)
        inmate.presses("1#")
        inmate.hears("please_hold")
        is_asked(family)
        family.presses("2")
        family.is_hung_up_on()
        does_not_call_again(inmate)

    [cdr] = scene.calls()
    assert (cdr.dialled, cdr.number, cdr.reason) == ("1", f"+{scene.role.number}", Outcome.REFUSED)
    assert scene.balance().available == 57


@story(prepaid="5.00", has_recorded_name=False)
def the_name_is_recorded_once_and_heard_in_the_inmates_own_voice(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        dials_family(scene, inmate)
        inmate.hears("record_name")
        inmate.hears_tone(BEEP_HERTZ)
        inmate.speaks(scene.voice(OWN_VOICE_HERTZ, 1.5))
        inmate.hears("please_hold", within=40)  # two seconds of silence end the name
        is_asked(family)
        family.presses("2")
        family.is_hung_up_on()
        inmate.begins_to_hear("another_call")
        inmate.presses("1")
        inmate.begins_to_hear("enter_number")
        inmate.presses("1#")
        inmate.hears("please_hold")
        is_asked(family)
        family.presses("2")
        family.is_hung_up_on()
        does_not_call_again(inmate)

    refused = ["ending.refused", "another_call"]
    assert said_to(inmate) == [
        *PROLOGUE,
        "record_name",
        *PREPAID,
        *refused,
        "enter_number",
        *PREPAID,
        *refused,
    ]
    for call, introduction in enumerate([INTRODUCTION, KNOWN]):
        voice = tone_steps(family.sound(call), OWN_VOICE_HERTZ)
        assert voice.sum() * STEP_S > 1.0
        assert said_to(family, call)[: len(introduction)] == introduction


@story(prepaid="5.00")
def a_second_call_is_made_without_hanging_up(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        accepts(family)
        talk(scene, inmate, family)
        family.hangs_up()
        inmate.begins_to_hear("another_call")
        inmate.presses("1")
        inmate.begins_to_hear("enter_number")
        inmate.presses(f"{scene.role.number[1:]}#")
        inmate.hears("please_hold")
        is_asked(family)
        accepts(family)
        talk(scene, inmate, family)
        family.hangs_up()
        does_not_call_again(inmate)

    again = ["ending.completed", "another_call"]
    assert said_to(inmate) == [*PROLOGUE, *PREPAID, *again, "enter_number", *PREPAID, *again]
    first, second = scene.calls(2)
    assert first.session_id == second.session_id
    assert first.id != second.id
    paid = first.charge + second.charge
    assert scene.balance().available == 5_000_000 - paid
    assert second.balance_before == 5_000_000 - first.charge
    assert scene.balance().held == 0
