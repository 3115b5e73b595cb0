"""Staff cut calls off: two who talk, and one that rings."""

import re

from ivr.cutting import cut_off
from ivr.policy.reasons import Outcome
from tests.telephony.acting import (
    accepts,
    call_in_progress,
    does_not_call_again,
    is_asked,
    rings,
    said_to,
    talk,
)
from tests.telephony.registry import story
from tests.telephony.scene import Scene


def _cut(scene: Scene, **given: object) -> str:
    """Staff cut the story's call off; what they are told."""
    told: list[str] = []
    asked = {"call_id": call_in_progress(scene), "note": "Threats", "author": "amy", **given}
    cut_off(scene.stage.settings, asked, told.append)
    return "; ".join(told)


@story(prepaid="5.00")
def a_call_that_staff_cut_off_ends_at_once_for_both_and_costs_the_talk_until_then(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        accepts(family)
        talk(scene, inmate, family)
        for party in (inmate, family):
            party.is_silent()
        assert re.fullmatch(r"call [0-9a-f]{8}: cut off", _cut(scene))
        for party in (inmate, family):
            party.hears("ended.cut_off")
        for party in (inmate, family):
            party.is_hung_up_on()
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.ended_by) == (Outcome.CUT_OFF, "staff")
    assert abs((cdr.talk_to_at - cdr.cut_at).total_seconds()) < 1
    assert cdr.charge == 60_000
    assert (scene.balance().available, scene.balance().held) == (5_000_000 - cdr.charge, 0)


@story(prepaid="5.00")
def a_call_that_is_cut_off_while_the_called_party_is_asked_connects_nobody(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        assert "blocked (security)" in scene.staff(
            "cut", call_in_progress(scene), "--reason", "Threats", "--block"
        )
        family.is_hung_up_on()
        does_not_call_again(inmate)
        assert "ending.cut_off" in said_to(inmate)
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.ended_by, cdr.charge, cdr.talk_ms) == (Outcome.CUT_OFF, "staff", 0, 0)
    assert scene.balance().held == 0
