"""Talks that nobody may listen to, and calls that nobody there is asked about."""

import re
from datetime import timedelta
from typing import Any

import pytest

from ivr.asking import perform
from ivr.control import ControlError
from ivr.policy.reasons import Outcome
from ivr.records.recordings import raw_file, sealed_folder
from prompts.listen import tone_share
from tests.telephony.acting import (
    TALK_SECONDS,
    accepts,
    does_not_call_again,
    identifies,
    is_asked,
    rings,
    said_to,
    talk,
)
from tests.telephony.cast import FREE_BY_LAW
from tests.telephony.registry import story
from tests.telephony.scene import FAMILY_HERTZ, INMATE_HERTZ, PROLOGUE, Scene


def _staff(scene: Scene, name: str, author: str, **given: Any) -> None:
    who = {"author": author, "note": "for a story", "facility_id": scene.role.cast.facility}
    perform(scene.stage.settings, name, number=f"+{scene.role.number}", **who, **given)


def _announces(scene: Scene, call_id: str) -> bool:
    """Whether the talk has announcements: `tests/dialplan` proves that they are said only where it has."""
    asterisk = scene.stage.supervisor.asterisk
    channels = asterisk.command("core show channels concise").splitlines()
    of_call = [each.split("!")[0] for each in channels if call_id in each]
    [leg] = [each for each in of_call if each.startswith("PJSIP/carrier-")]
    said = re.search(r"^OVERLAY=(.*)$", asterisk.command(f"core show channel {leg}"), re.MULTILINE)
    assert said is not None
    return said[1].strip() != ""


@story(facility=FREE_BY_LAW, area="413")
def a_number_that_becomes_privileged_in_a_talk_is_recorded_no_further(scene: Scene) -> None:
    folder = scene.stage.settings.recordings
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family, "3")
        accepts(family, "3")
        talk(scene, inmate, family)
        [begun] = scene.recordings()
        assert _announces(scene, begun.call_id)
        assert raw_file(folder, begun.id).stat().st_size > 0
        _staff(scene, "number privileged add", "anna", kind="attorney")
        sealed = raw_file(sealed_folder(folder), begun.id)
        [row] = scene.wait(
            lambda _: scene.recordings(), lambda rows: rows[0].put_away_at is not None, within=3
        )
        assert row.put_away_at - row.sealed_at < timedelta(seconds=1)
        assert not raw_file(folder, begun.id).exists()
        scene.wait(lambda _: _announces(scene, begun.call_id), lambda announces: not announces, within=3)
        recorded = sealed.stat().st_size
        inmate.hears_tone(FAMILY_HERTZ, TALK_SECONDS + 1)  # the talk goes on
        family.hears_tone(INMATE_HERTZ, TALK_SECONDS + 1)
        assert (
            sealed.stat().st_size - recorded < 2 * 8_000 * 2
        )  # no more than was on its way to the disk: 1 s
        family.hangs_up()
        does_not_call_again(inmate)

    [cdr] = scene.calls()
    assert (cdr.privileged, cdr.not_recorded, cdr.reason) == (True, "privileged", Outcome.COMPLETED)
    kept, file = scene.finished_recording()
    assert kept.talk_ms < cdr.talk_ms - 1_500
    assert tone_share(file, FAMILY_HERTZ, channel=0) > 0.2
    scene.wait(lambda _: sealed.exists(), lambda exists: not exists)  # plain, it is gone
    with pytest.raises(ControlError, match="is sealed since"):
        perform(
            scene.stage.settings,
            "recording play",
            author="anna",
            note="for a story",
            facility_id=scene.role.cast.facility,
            recording_id=kept.id,
        )
    assert scene.files_of_nobody() == []


@story(hotline=True)
def a_hotline_is_connected_when_it_answers(scene: Scene) -> None:
    _staff(scene, "number passive add", "anna")
    _staff(scene, "number passive confirm", "berta")
    with scene.both() as (inmate, family):
        rings(scene, inmate)
        family.is_called()
        talk(scene, inmate, family)
        family.hangs_up()
        does_not_call_again(inmate)

    free = ["free_call time=15", "call_not_recorded", "please_hold"]
    assert said_to(inmate) == [*PROLOGUE, *free, "ending.completed", "another_call"]
    assert said_to(family) == ["passive_notice"]
    [cdr] = scene.calls()
    assert (cdr.accepted_by, cdr.payer, cdr.charge) == ("passive", "free", 0)
    assert (cdr.reason, cdr.not_recorded) == (Outcome.COMPLETED, "passive")
    assert scene.recordings() == []


@story(relay=True)
def nothing_is_spoken_to_a_relay(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        identifies(scene, inmate)
        inmate.presses("711#")
        inmate.hears("please_hold")
        family.is_called()
        talk(scene, inmate, family)
        inmate.hangs_up()
        family.is_hung_up_on()

    assert said_to(inmate) == [*PROLOGUE, "free_call time=45", "call_not_recorded", "please_hold"]
    assert said_to(family) == []
    [cdr] = scene.calls()
    assert (cdr.number, cdr.call_class, cdr.accepted_by) == (f"+{scene.role.number}", "trs", "passive")
    assert (cdr.payer, cdr.charge, cdr.not_recorded, cdr.limit_ms) == ("free", 0, "relay", 2_700_000)
    assert scene.recordings() == []
