"""A telephone of staff listens to talks: both voices, nothing into the talk, and never to a privileged one."""

import secrets

import pytest
from sqlalchemy import Row, select

from accounts.payment_tables import notice
from ivr.asking import perform
from ivr.control import ControlError
from ivr.instance import switchboard
from ivr.policy.reasons import Outcome
from ivr.records.alerts import open_alerts
from ivr.records.listening import of_call
from prompts.listen import tone_share
from tests.telephony.acting import (
    accepts,
    call_in_progress,
    heard_voice,
    is_asked,
    languages_of,
    rings,
    talk,
)
from tests.telephony.registry import story
from tests.telephony.scene import FAMILY_HERTZ, INMATE_HERTZ, Scene

LISTENER_HERTZ = 880.0


def _listens(scene: Scene, call_id: str) -> None:
    """An investigator has the story's telephone rung."""
    asked = {"call_id": call_id, "phone": scene.role.listener, "listening_id": secrets.token_hex(16)}
    told = perform(scene.stage.settings, "listen", note="Case 17", author="ida", **asked)
    assert "is rung, and hears it" in told


def _only(scene: Scene, call_id: str) -> Row[tuple[object, ...]]:
    """The one listening to a call, once it has ended."""
    [row] = scene.wait(
        lambda conn: of_call(conn, call_id), lambda rows: len(rows) == 1 and rows[0].to_at is not None
    )
    return row


@story(prepaid="5.00", listened_to=True)
def a_telephone_of_staff_hears_both_voices_and_the_parties_hear_no_change(scene: Scene) -> None:
    with scene.listener() as listener, scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        accepts(family)
        talk(scene, inmate, family)
        _listens(scene, call_in_progress(scene))
        listener.is_called()
        listener.speaks(scene.voice(LISTENER_HERTZ, 60))
        listener.hears_tone(INMATE_HERTZ, 1)
        listener.hears_tone(FAMILY_HERTZ, 1)
        talk(scene, inmate, family)
        family.hangs_up()
        listener.is_hung_up_on()
        inmate.hangs_up()
    [cdr] = scene.calls()
    assert cdr.reason == Outcome.COMPLETED
    for party in (inmate, family):
        assert not heard_voice(party, LISTENER_HERTZ)
    row = _only(scene, cdr.id)
    assert (row.note, row.phone) == ("Case 17", scene.role.listener)
    assert cdr.talk_from_at < row.asked_at <= row.rung_at <= row.from_at < row.to_at
    assert (row.to_at - cdr.talk_to_at).total_seconds() < 3
    assert row.author in scene.staff("listenings")


@story(prepaid="5.00", listened_to=True)
def staff_join_a_talk_after_both_were_told_so_each_in_their_language(scene: Scene) -> None:
    with scene.listener() as listener, scene.both() as (inmate, family):
        rings(scene, inmate, language="2")
        is_asked(family)
        accepts(family)
        talk(scene, inmate, family)
        call_id = call_in_progress(scene)
        for party in (inmate, family):
            party.is_silent()
        scene.staff("cut-in", call_id, "--phone", scene.role.listener, "--why", "Fire drill")
        inmate.hears("staff_joins")
        family.hears("staff_joins")
        listener.is_called()
        listener.speaks(scene.voice(LISTENER_HERTZ, 60))
        for party in (inmate, family):
            party.hears_tone(LISTENER_HERTZ, 1)
        inmate.speaks(scene.voice(INMATE_HERTZ, 60))
        listener.hears_tone(INMATE_HERTZ, 1)
        listener.hangs_up()
        talk(scene, inmate, family)
        family.hangs_up()
        inmate.hangs_up()
    [cdr] = scene.calls()
    assert cdr.reason == Outcome.COMPLETED
    row = _only(scene, cdr.id)
    assert (row.note, row.speaks) == ("Fire drill", True)
    told = [languages_of(party, "staff_joins") for party in (inmate, family)]
    assert told == [["es"], ["en"]]
    assert row.rung_at <= row.from_at < row.to_at < cdr.talk_to_at
    assert " yes " in scene.staff("listenings")
    _, kept = scene.finished_recording()
    assert tone_share(kept, FAMILY_HERTZ, channel=0) > 0.05
    assert [tone_share(kept, LISTENER_HERTZ, channel=each) for each in (0, 1)] == [0, 0]


@story(prepaid="5.00", listened_to=True)
def nobody_listens_on_when_the_number_becomes_privileged(scene: Scene) -> None:
    with scene.listener() as listener, scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        accepts(family)
        talk(scene, inmate, family)
        call_id = call_in_progress(scene)
        _listens(scene, call_id)
        listener.is_called()
        listener.hears_tone(INMATE_HERTZ, 1)
        who = {"note": "Bar list", "author": "ida", "facility_id": scene.role.cast.facility}
        number = f"+{scene.role.number}"
        perform(scene.stage.settings, "number privileged add", number=number, kind="attorney", **who)
        listener.is_hung_up_on(within=3)
        talk(scene, inmate, family)
        family.hangs_up()
        inmate.hangs_up()
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.privileged) == (Outcome.COMPLETED, True)
    assert _only(scene, cdr.id).to_at < cdr.talk_to_at


@story(prepaid="5.00", listened_to=True)
def a_watched_number_has_staff_told_and_their_telephone_rung_as_the_two_begin_to_talk(scene: Scene) -> None:
    facility = ("--facility", scene.role.cast.facility)
    whom = ("--sms", "+12175550190", "--phone", scene.role.listener, "--why", "Case 18")
    scene.staff("watch", "add", "--number", f"+{scene.role.number}", *whom, *facility)
    with scene.listener() as listener, scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        accepts(family)
        talk(scene, inmate, family)
        listener.is_called()
        listener.hears_tone(INMATE_HERTZ, 1)
        listener.hears_tone(FAMILY_HERTZ, 1)
        family.hangs_up()
        inmate.hangs_up()
    [cdr] = scene.calls()
    assert (_only(scene, cdr.id).note, cdr.reason) == ("watched: Case 18", Outcome.COMPLETED)
    told = select(notice).where(notice.c.key.endswith(f"/{cdr.id}/sms"))
    [row] = scene.read(lambda conn: conn.execute(told).all())
    assert (row.recipient, row.kind) == ("+12175550190", "watched_call")
    assert scene.role.inmate_id in row.told


@story(prepaid="5.00", privileged=True, listened_to=True)
def a_privileged_talk_is_heard_by_nobody_whoever_asks_and_however(scene: Scene) -> None:
    whose = ("--number", f"+{scene.role.number}", "--facility", scene.role.cast.facility)
    scene.staff("watch", "add", *whose, "--phone", scene.role.listener, "--why", "Case 17")
    with scene.listener() as listener, scene.both() as (inmate, family):
        rings(scene, inmate)
        is_asked(family)
        accepts(family)
        talk(scene, inmate, family)
        call_id = call_in_progress(scene)
        listening_id = secrets.token_hex(16)
        given = {"call_id": call_id, "phone": scene.role.listener, "listening_id": listening_id}
        with pytest.raises(ControlError, match="was refused to listen to privileged call"):
            perform(scene.stage.settings, "listen", note="Case 17", author="ida", **given)
        assert any(call_id in each.text for each in scene.read(open_alerts))
        asterisk = scene.stage.supervisor.asterisk
        listed = asterisk.command("core show channels concise").splitlines()
        called = next(line.split("!")[0] for line in listed if call_id in line and "carrier-" in line)
        assert not any("PJSIP/staff-" in line and scene.role.listener in line for line in listed)
        # Whoever asks Asterisk itself is rung, and hears nothing.
        switchboard(scene.stage.settings, scene.stage.keyring).listen(
            scene.role.listener, called, listening_id
        )
        listener.is_called()
        listener.is_hung_up_on()
        talk(scene, inmate, family)
        family.hangs_up()
        inmate.hangs_up()
    for hertz in (INMATE_HERTZ, FAMILY_HERTZ):
        assert not heard_voice(listener, hertz)
    [cdr] = scene.calls()
    assert scene.read(lambda conn: of_call(conn, cdr.id)) == []
