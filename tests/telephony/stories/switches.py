"""Telephones are switched off in the middle of calls, in each of three ways, with the controller and without it."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta

from ivr import throwing
from ivr.demonstration.party import Party
from ivr.policy.reasons import Denial, Outcome
from tests.telephony.acting import (
    accepts,
    does_not_call_again,
    heard_each_other,
    is_asked,
    languages_of,
    prompts_in,
    rings,
    said_to,
    talk,
)
from tests.telephony.cast import Cast
from tests.telephony.faults import Theatre, without_controller
from tests.telephony.registry import fault
from tests.telephony.scene import Scene

PAID = Cast(prepaid="5.00")
PRIVILEGED = Cast(prepaid="5.00", privileged=True)
TOLD, FAREWELL = "warning.switched_off", "ended.switched_off"


def throw(scene: Scene, let: str) -> None:
    """Somebody switches the story's telephone off."""
    given = {"level": "station", "which": scene.role.station, "let": let}
    scene.tell("  staff", f"ivr off station {scene.role.station} --let {let}")
    throwing.switch_off(
        scene.stage.settings,
        {**given, "note": "for a test", "author": "staff"},
        lambda line: scene.tell("  staff", line),
        time.sleep,
    )


def switch_on(scene: Scene) -> None:
    """Somebody switches it on again."""
    given = {"level": "station", "which": scene.role.station, "note": "over", "author": "staff"}
    throwing.switch_on(scene.stage.settings, given, lambda line: scene.tell("  staff", line))


@contextmanager
def begun(
    talking: Sequence[Scene], asked: Sequence[Scene] = (), *, spanish: Scene
) -> Iterator[list[tuple[Party, Party]]]:
    """The people of each scene: some have begun to talk, others' called party is asked whether they accept.

    One inmate has chosen Spanish.
    """

    def begin(scene: Scene, inmate: Party, family: Party) -> None:
        rings(scene, inmate, language="2" if scene is spanish else "1")
        is_asked(family)
        if scene in talking:
            accepts(family)
            talk(scene, inmate, family)

    scenes = [*talking, *asked]
    with ExitStack() as there, ThreadPoolExecutor(len(scenes)) as pool:
        people = [there.enter_context(scene.both()) for scene in scenes]
        for each in [pool.submit(begin, scene, *two) for scene, two in zip(scenes, people, strict=True)]:
            each.result()
        yield people


def is_cut_off(scene: Scene) -> None:
    """The record says that a switch ended the talk, and only the talk until then was paid."""
    [cdr] = scene.calls()
    assert (cdr.reason, cdr.cut_off_by, cdr.ended_by) == (Outcome.LIMIT_REACHED, "switched_off", "staff")
    assert abs(cdr.talk_to_at - cdr.switched_off_at) < timedelta(seconds=3)
    assert cdr.charge == max(60_000, -(-cdr.talk_ms // 1000) * 1000)
    assert (scene.balance().available, scene.balance().held) == (5_000_000 - cdr.charge, 0)


def is_refused_off_hook(scene: Scene, inmate: Party) -> None:
    """Who lifts the receiver hears why nothing can be called, before anything is asked of them."""
    inmate.dials("1")
    inmate.is_hung_up_on()
    assert said_to(inmate) == ["ending.switched_off", "goodbye"]
    assert scene.session().reason == Denial.SWITCHED_OFF


def is_told(told: tuple[Party, Party], line: str) -> None:
    """Both hear it; nobody speaks meanwhile, so that it is found in the sound."""
    for party in told:
        party.hears(line)


def was_told_in_their_languages(told: tuple[Party, Party]) -> None:
    """The inmate heard the announcement and the farewell in Spanish, the called party in English."""
    for party, language in zip(told, ("es", "en"), strict=True):
        assert said_to(party)[-2:] == [TOLD, FAREWELL]
        assert languages_of(party, TOLD, FAREWELL) == [language] * 2


def falls_silent(two: tuple[Party, Party]) -> None:
    for party in two:
        party.is_silent()


@fault
def telephones_are_switched_off_in_three_ways(theatre: Theatre) -> None:
    with theatre.scenes_of(PAID, PRIVILEGED, PAID, PAID) as [finish, minute, now, ringing]:
        with begun([finish, minute, now], [ringing], spanish=minute) as [free, told, cut, (caller, called)]:
            falls_silent(told)
            began = time.monotonic()
            for scene, let in ((minute, "minute"), (now, "now"), (finish, "finish"), (ringing, "minute")):
                throw(scene, let)
            for party in cut:
                party.begins_to_hear(FAREWELL)
            is_told(told, TOLD)
            for party in (*cut, called):
                party.is_hung_up_on()
            is_told_why(caller)
            talk(minute, *told)
            talk(finish, *free)
            falls_silent(told)
            is_refused_off_hook(now, cut[0])
            for party in told:
                party.is_hung_up_on(within=70)
            assert 59 < time.monotonic() - began < 68
            talk(finish, *free)
            free[1].hangs_up()
            free[0].begins_to_hear("another_call")
            free[0].presses("1")
            free[0].begins_to_hear("enter_number")
            free[0].presses("1#")
            free[0].is_hung_up_on()
        was_told_in_their_languages(told)
        for party in cut:
            assert said_to(party, 0)[-1] == FAREWELL
        assert said_to(free[1])[-1] == "connecting"
        assert said_to(free[0])[-2:] == ["ending.switched_off", "goodbye"]
        is_cut_off(minute)
        is_cut_off(now)
        first, second = finish.calls(2)
        assert (first.reason, first.cut_off_by) == (Outcome.COMPLETED, None)
        assert second.reason == Denial.SWITCHED_OFF
        [never] = ringing.calls()
        assert (never.reason, never.charge, never.accepted_at) == (Denial.SWITCHED_OFF, 0, None)
        assert not heard_each_other(caller, called)
        assert minute.recordings() == []
        row, _ = now.finished_recording()
        assert row.talk_ms is not None
        switch_on(now)
        with now.inmate() as inmate:
            inmate.dials("1")
            inmate.begins_to_hear("choose_language")
            inmate.hangs_up()


def is_told_why(inmate: Party) -> None:
    """Whose call was ringing is told why it is over, and hung up: perhaps before we get to look."""
    inmate.is_hung_up_on()
    assert said_to(inmate)[-2:] == ["ending.switched_off", "goodbye"]


@fault
def telephones_are_switched_off_in_three_ways_without_a_controller(theatre: Theatre) -> None:
    with theatre.scenes_of(PAID, PAID, PAID) as [finish, minute, now]:
        with begun([finish, minute, now], spanish=minute) as [free, told, cut]:
            with without_controller(finish), ThreadPoolExecutor(1) as pool:
                falls_silent(told)
                throw(finish, "finish")
                throw(now, "now")
                for party in cut:
                    party.is_hung_up_on()
                last = pool.submit(throw, minute, "minute")
                is_told(told, TOLD)
                talk(minute, *told)
                falls_silent(told)
                cut[0].dials("1")
                cut[0].is_hung_up_on()
                assert said_to(cut[0]) == ["ending.switched_off"]  # by Asterisk alone
                for party in told:
                    party.is_hung_up_on(within=70)
                last.result()
                talk(finish, *free)
            free[1].hangs_up()
            does_not_call_again(free[0])
        was_told_in_their_languages(told)
        for party in cut:
            assert said_to(party, 0)[-1] == FAREWELL
        is_cut_off(minute)
        is_cut_off(now)
        row, file = minute.finished_recording()
        assert row.talk_ms > 60_000
        assert prompts_in(file) == []  # neither what both heard in the talk nor the farewell
        [cdr] = finish.calls()
        assert (cdr.reason, cdr.cut_off_by) == (Outcome.COMPLETED, None)
        with finish.inmate() as inmate:
            is_refused_off_hook(finish, inmate)
