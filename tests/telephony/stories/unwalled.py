"""An Asterisk of the machine's own, which no sandbox holds."""

import pytest

from ivr.policy.reasons import Outcome
from tests.telephony.acting import accepts, does_not_call_again, is_asked, rings, said_to, talk
from tests.telephony.cast import Cast
from tests.telephony.faults import Theatre
from tests.telephony.machine import without_walls
from tests.telephony.registry import fault
from tests.telephony.scene import PREPAID, PROLOGUE


@fault
def an_asterisk_of_the_machine_carries_a_call(theatre: Theatre) -> None:
    machine = theatre.folder / "machine"
    machine.mkdir()
    with theatre.scenes_of(Cast(prepaid="5.00"), asterisk=without_walls(machine)) as [scene]:
        with scene.both() as (inmate, family):
            rings(scene, inmate)
            is_asked(family)
            accepts(family)
            talk(scene, inmate, family)
            family.hangs_up()
            does_not_call_again(inmate)
        assert said_to(inmate) == [*PROLOGUE, *PREPAID, "ending.completed", "another_call"]
        [cdr] = scene.calls()
        assert (cdr.reason, cdr.charge) == (Outcome.COMPLETED, 60_000)
        row, _ = scene.finished_recording()
        assert row.talk_ms == pytest.approx(cdr.talk_ms, abs=300)
