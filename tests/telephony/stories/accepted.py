"""Calls that are accepted."""

import pytest

from dialplan.phone import Answers
from ivr.crosscheck import RUNG, kept_by_asterisk
from ivr.policy.reasons import Outcome
from ivr.records.states import RecordingState
from prompts.listen import tone_share
from tests.telephony.acting import (
    TALK_SECONDS,
    accepts,
    does_not_call_again,
    is_asked,
    longest_tone_ms,
    rings,
    said_to,
    talk,
)
from tests.telephony.cast import CALLER_ID, FREE_BY_LAW, JAIL
from tests.telephony.registry import story
from tests.telephony.scene import (
    COVERED,
    FAMILY_HERTZ,
    INMATE_HERTZ,
    INTRODUCTION,
    MENU,
    PREPAID,
    PROLOGUE,
    Scene,
)

NOT_COVERED_PRICE = ["price_each_minute price=0.06", "paid_by_prepaid", *MENU]


@story(subscription=57)
def a_subscription_of_57_calls_becomes_one_of_56(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        accepts(family)
        talk(scene, inmate, family)
        family.hangs_up()
        does_not_call_again(inmate)

    assert said_to(inmate) == [*PROLOGUE, *COVERED, "ending.completed", "another_call"]
    assert said_to(family) == [
        *INTRODUCTION,
        "paid_by_subscription",
        *MENU,
        "calls_remaining calls=56",
        "connecting",
    ]
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.payer, cdr.calls_charged, cdr.charge) == (Outcome.COMPLETED, "subscription", 1, 0)
    assert (cdr.balance_before, cdr.balance_after, scene.balance().available) == (57, 56, 56)
    assert (cdr.ended_by, cdr.accepted_by, cdr.cause) == ("called_party", "1", 16)
    assert (cdr.number, cdr.call_type, cdr.station_id) == (
        f"+{scene.role.number}",
        "local",
        scene.role.station,
    )
    assert scene.balance().held == 0
    row, file = scene.finished_recording()
    assert row.state == RecordingState.KEPT
    assert row.talk_ms == pytest.approx(cdr.talk_ms, abs=300)
    # what the called party said on the left, what they heard on the right
    assert tone_share(file, FAMILY_HERTZ, channel=0) > 0.2
    assert tone_share(file, INMATE_HERTZ, channel=1) > 0.2
    assert tone_share(file, INMATE_HERTZ, channel=0) == tone_share(file, FAMILY_HERTZ, channel=1) == 0
    assert {each.leg for each in scene.quality(cdr.id)} == {"inmate", "called_party"}
    assert cdr.inmate_heard.split() == [line.split()[0] for line in COVERED]
    said = [*INTRODUCTION, "paid_by_subscription", *MENU, "block_key.9", "accept_menu_language"]
    assert cdr.called_heard.split() == [line.split()[0] for line in [*said, *said_to(family)[-2:]]]
    log = scene.stage.settings.state_dir / "asterisk" / "log"
    scene.wait(lambda _: (log / RUNG).exists() and cdr.id in kept_by_asterisk(log).rung, bool)
    assert cdr.id in kept_by_asterisk(log).connected


@story(prepaid="5.00")
def a_prepaid_account_pays_for_the_talk_alone(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        inmate.speaks(
            scene.voice(INMATE_HERTZ, 60)
        )  # before they are connected: what is heard of it is the talk
        family.speaks(scene.voice(FAMILY_HERTZ, 60))
        accepts(family)
        inmate.hears_tone(FAMILY_HERTZ, TALK_SECONDS)
        family.hangs_up()
        does_not_call_again(inmate)

    assert said_to(inmate) == [*PROLOGUE, *PREPAID, "ending.completed", "another_call"]
    assert said_to(family) == [
        *INTRODUCTION,
        "paid_by_prepaid",
        *MENU,
        "balance balance=5.00",
        "connecting",
    ]
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.payer, cdr.charge, cdr.billed_seconds) == (
        Outcome.COMPLETED,
        "prepaid",
        60_000,
        60,
    )
    assert (scene.balance().available, scene.balance().held) == (4_940_000, 0)
    assert longest_tone_ms(family.sound()) == pytest.approx(cdr.talk_ms, abs=100)
    assert longest_tone_ms(inmate.sound()) == pytest.approx(cdr.talk_ms, abs=100)
    assert (cdr.accepted_at - cdr.answered_at).total_seconds() > 10  # the dialogue, which nobody pays


@story(subscription=1)
def the_last_call_of_a_subscription_is_announced_with_its_renewal(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        accepts(family)
        talk(scene, inmate, family)
        inmate.hangs_up()
        family.is_hung_up_on()

    [cdr] = scene.calls()
    assert said_to(family)[-2:] == [f"last_call until={cdr.renews_on:%m-%d}", "connecting"]
    assert (cdr.reason, cdr.ended_by, cdr.calls_charged) == (Outcome.COMPLETED, "inmate", 1)
    assert scene.balance().available == 0


def _is_told_why_and_pays(scene: Scene, why: str) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        accepts(family)
        talk(scene, inmate, family)
        family.hangs_up()
        does_not_call_again(inmate)

    assert said_to(inmate) == [*PROLOGUE, *PREPAID, "ending.completed", "another_call"]
    assert said_to(family) == [
        *INTRODUCTION,
        f"not_covered.{why}",
        *NOT_COVERED_PRICE,
        "balance balance=5.00",
        "connecting",
    ]
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.payer, cdr.not_covered) == (Outcome.COMPLETED, "prepaid", why)
    assert (cdr.charge, cdr.calls_charged, cdr.balance_after) == (60_000, 0, 4_940_000)


@story(subscription=10, prepaid="5.00", area="617")
def a_subscription_does_not_reach_into_another_state(scene: Scene) -> None:
    _is_told_why_and_pays(scene, "out_of_state")
    [cdr] = scene.calls()
    assert cdr.call_type == "interstate"
    assert scene.balance().available == 10


@story(subscription=2, used_up=True, prepaid="5.00")
def a_subscription_that_is_used_up_does_not_pay(scene: Scene) -> None:
    _is_told_why_and_pays(scene, "used_up")


@story(subscription=10, lapsed=True, prepaid="5.00")
def a_subscription_that_lapsed_does_not_pay(scene: Scene) -> None:
    _is_told_why_and_pays(scene, "lapsed")


@story(free=True)
def a_free_call_has_a_record_of_zero(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        accepts(family)
        talk(scene, inmate, family)
        family.hangs_up()
        does_not_call_again(inmate)

    free = ["free_call time=15", "call_recorded", "please_hold"]
    assert said_to(inmate) == [*PROLOGUE, *free, "ending.completed", "another_call"]
    assert said_to(family) == [*INTRODUCTION, "paid_free", *MENU, "connecting"]
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.payer, cdr.charge, cdr.calls_charged) == (Outcome.COMPLETED, "free", 0, 0)
    assert (cdr.hold_id, cdr.account_id) == (None, None)
    assert cdr.talk_ms > 0


@story(facility=FREE_BY_LAW, area="212", overlay=False)
def a_call_that_is_free_by_law_is_the_agencys_to_pay(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family, "3")  # which this facility has chosen
        family.presses("1")
        family.begins_to_hear("cost_free")
        family.begins_to_hear("accept_key.3")
        accepts(family, "3")
        talk(scene, inmate, family)
        family.hangs_up()
        does_not_call_again(inmate)

    welcome = f"welcome facility={FREE_BY_LAW}"
    free = ["free_call time=15", "call_recorded", "please_hold"]
    assert said_to(inmate) == [welcome, *PROLOGUE[1:], *free, "ending.completed", "another_call"]
    call_from = f"call_from facility={FREE_BY_LAW}"
    introduction = [*INTRODUCTION[:2], call_from, "notice_recorded"]
    keys = ["cost_key.1", "accept_key.3"]
    assert said_to(family) == [*introduction, "paid_free", *keys, "cost_free", *keys, "connecting"]
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.payer, cdr.call_type, cdr.charge) == (Outcome.COMPLETED, "free", "interstate", 0)
    assert (cdr.agency_rule, cdr.agency_charge) == ("ma-2023", 60_000)
    assert (cdr.accepted_by, cdr.cost_heard) == ("3", True)


@story(privileged=True, prepaid="5.00")
def not_one_byte_of_a_privileged_call_is_recorded(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        accepts(family)
        talk(scene, inmate, family)
        assert scene.files_of_nobody() == []
        family.hangs_up()
        does_not_call_again(inmate)

    not_recorded = ["price_and_time price=0.06 time=15", "call_not_recorded", "please_hold"]
    assert said_to(inmate) == [*PROLOGUE, *not_recorded, "ending.completed", "another_call"]
    introduction = [*INTRODUCTION[:3], "notice_not_recorded"]
    assert said_to(family) == [
        *introduction,
        "paid_by_prepaid",
        *MENU,
        "balance balance=5.00",
        "connecting",
    ]
    [cdr] = scene.calls()
    assert (cdr.privileged, cdr.not_recorded, cdr.charge) == (True, "privileged", 60_000)
    assert scene.recordings() == []
    assert scene.files_of_nobody() == []


@story(prepaid="5.00", records=False)
def a_number_that_is_not_to_be_recorded_is_not(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        accepts(family)
        talk(scene, inmate, family)
        family.hangs_up()
        does_not_call_again(inmate)

    assert "call_not_recorded" in said_to(inmate)
    assert "notice_not_recorded" in said_to(family)
    [cdr] = scene.calls()
    assert (cdr.privileged, cdr.not_recorded, cdr.reason) == (False, "number", Outcome.COMPLETED)
    assert scene.recordings() == []


@story(prepaid="5.00")
def the_called_telephone_shows_the_number_of_the_facility(scene: Scene) -> None:
    with scene.family(Answers.MANUAL) as family, scene.inmate() as inmate:
        rings(scene, inmate)
        call = family.rings()
        inmate.hangs_up()
        family.is_hung_up_on()

    assert CALLER_ID[JAIL] in call.parameter
    assert scene.role.station not in call.parameter
    assert scene.calls()[0].reason == Outcome.CALLER_HUNG_UP
