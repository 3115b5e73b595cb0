"""A talk that must be recorded, and for which there is no room on the disk."""

from ivr.policy.dropped import DroppedBy
from ivr.policy.reasons import Outcome
from ivr.records.alerts import open_alerts
from ivr.records.recordings import raw_file
from tests.telephony.acting import heard_each_other, is_asked, rings, said_to
from tests.telephony.registry import story
from tests.telephony.scene import FAMILY_HERTZ, INMATE_HERTZ, Scene

#: From the connection to the end of the talk: noticed within three seconds, ended at once.
NOTICED_MS = 3_000


@story(prepaid="5.00")
def a_talk_that_can_not_be_recorded_is_ended_within_three_seconds_and_costs_nothing(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        inmate.speaks(scene.voice(INMATE_HERTZ, 30))
        family.speaks(scene.voice(FAMILY_HERTZ, 30))
        family.presses("1")
        [begun] = scene.wait(lambda _: scene.recordings(), lambda found: len(found) == 1)
        raw = raw_file(scene.stage.settings.recordings, begun.id)
        raw.symlink_to("/dev/full")  # a file with no room for anything
        family.is_hung_up_on(within=20)
        inmate.is_hung_up_on(within=20)
    raw.unlink()

    assert heard_each_other(inmate, family)
    assert said_to(family)[-1] == said_to(inmate)[-1] == "ended.unrecorded"
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.cut_off_by, cdr.not_recorded) == (Outcome.LIMIT_REACHED, "unrecorded", "failed")
    assert 2_000 < cdr.talk_ms <= NOTICED_MS
    assert (cdr.dropped_by, cdr.given_back, cdr.charge) == (DroppedBy.US, True, 0)
    assert (scene.balance().available, scene.balance().held) == (5_000_000, 0)
    [alert] = [each for each in scene.read(open_alerts) if cdr.id in each.text]
    assert alert.kind == "not recorded"
