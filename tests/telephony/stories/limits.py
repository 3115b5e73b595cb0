"""Talks that reach their limit. These stories take longest, so they begin first."""

import pytest

from ivr.policy.reasons import Outcome
from tests.telephony.acting import accepts, does_not_call_again, is_asked, rings, said_to
from tests.telephony.registry import story
from tests.telephony.scene import INTRODUCTION, MENU, PROLOGUE, Scene

SHORT = ["price_and_time price=0.06 time=1", "call_recorded", "please_hold"]


@story(prepaid="0.067")
def both_are_warned_a_minute_before_the_money_is_used_up(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        accepts(family)
        family.hears("warning.balance", within=20)
        family.is_hung_up_on(within=80)
        does_not_call_again(inmate)

    ended = ["warning.balance", "ended.balance"]
    assert said_to(inmate) == [*PROLOGUE, *SHORT, *ended, "ending.limit_reached", "another_call"]
    assert said_to(family) == [
        *INTRODUCTION,
        "paid_by_prepaid",
        *MENU,
        "balance balance=0.06",
        "connecting",
        *ended,
    ]
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.cut_off_by, cdr.ended_by) == (Outcome.LIMIT_REACHED, "balance", "limit")
    assert (cdr.limit_ms, cdr.charge) == (67_000, 67_000)
    assert cdr.talk_ms == pytest.approx(67_000, abs=200)
    assert (scene.balance().available, scene.balance().held) == (0, 0)


@story(prepaid="0.06")
def a_limit_too_short_for_a_warning_is_announced_at_its_end(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        accepts(family)
        family.is_hung_up_on(within=80)
        inmate.hangs_up()

    assert said_to(family)[-2:] == ["connecting", "ended.balance"]
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.limit_ms, cdr.charge) == (Outcome.LIMIT_REACHED, 60_000, 60_000)
    assert (scene.balance().available, scene.balance().held) == (0, 0)
