"""The facility's telephones close in the middle of a talk."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ivr.policy.reasons import Outcome
from tests.telephony.acting import accepts, is_asked, rings, said_to
from tests.telephony.cast import Cast
from tests.telephony.faults import Theatre
from tests.telephony.registry import fault

CHICAGO = ZoneInfo("America/Chicago")


@fault
def a_talk_ends_with_the_calling_hours_whenever_it_began(theatre: Theatre) -> None:
    closing = (datetime.now(CHICAGO) + timedelta(seconds=190)).replace(second=0, microsecond=0)
    with theatre.one(Cast(prepaid="5.00", closes=closing)) as scene:
        with scene.both() as (inmate, family):
            rings(scene, inmate)
            is_asked(family)
            accepts(family)
            family.is_hung_up_on(within=190)
            inmate.is_hung_up_on()
        assert said_to(inmate)[-2:] == ["warning.schedule", "ended.schedule"]
        assert said_to(family)[-3:] == ["connecting", "warning.schedule", "ended.schedule"]
        [cdr] = scene.calls()
        assert (cdr.reason, cdr.cut_off_by, cdr.ended_by) == (Outcome.LIMIT_REACHED, "schedule", "limit")
        assert abs(cdr.talk_to_at - closing) < timedelta(seconds=0.5)
        assert cdr.talk_ms < cdr.limit_ms
        assert cdr.charge == -(-cdr.talk_ms // 1000) * 1000
