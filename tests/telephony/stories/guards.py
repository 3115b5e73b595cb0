"""The time guard of a dialogue: it ends a dialogue that never ends, and no talk."""

import time

from ivr.policy.reasons import Outcome
from tests.telephony.acting import accepts, does_not_call_again, identifies, is_asked, said_to, talk
from tests.telephony.registry import story
from tests.telephony.scene import FAMILY_HERTZ, PROLOGUE, Scene

GUARD_SECONDS = 35


def _guard(scene: Scene, seconds: int) -> None:
    """Lower the guard of the inmate's running dialogue, as if it had begun minutes ago."""
    asterisk = scene.stage.supervisor.asterisk
    channels = asterisk.command("core show channels concise").splitlines()
    [channel] = [each.split("!")[0] for each in channels if each.startswith(f"PJSIP/{scene.role.station}-")]
    asterisk.command(f"dialplan set chanvar {channel} TIMEOUT(absolute) {seconds}")


@story(prepaid="5.00")
def a_talk_outlasts_the_guard_of_the_dialogue(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        identifies(scene, inmate)
        _guard(scene, GUARD_SECONDS)
        began = time.monotonic()
        inmate.presses(f"{scene.role.number[1:]}#")
        inmate.hears("please_hold")
        is_asked(family)
        accepts(family)
        talk(scene, inmate, family)
        while time.monotonic() < began + GUARD_SECONDS + 3:
            inmate.hears_tone(FAMILY_HERTZ)
        family.hangs_up()
        does_not_call_again(inmate)

    assert said_to(inmate)[-2:] == ["ending.completed", "another_call"]
    assert scene.calls()[0].reason == Outcome.COMPLETED


@story(prepaid="5.00")
def a_dialogue_that_lasts_too_long_is_closed(scene: Scene) -> None:
    with scene.inmate() as inmate:
        identifies(scene, inmate)
        _guard(scene, 2)
        inmate.is_hung_up_on()

    assert said_to(inmate) == [*PROLOGUE, "closed"]
    assert scene.session().ended_at is not None
    assert scene.calls(0) == []
