"""The service line on real telephones: somebody calls in, hangs up, and is called back."""

from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from ivr.facility import scopes
from ivr.facility.tables import blocked_number
from ivr.policy.request import BlockCause
from ivr.records.tables import call_back
from tests.telephony.acting import languages_of, said_to
from tests.telephony.cast import CALLER_ID, JAIL
from tests.telephony.registry import story
from tests.telephony.scene import Scene


@story(prepaid="5.00")
def who_calls_in_is_called_back_and_lifts_their_block(scene: Scene) -> None:
    number = f"+{scene.role.number}"
    scene.change(lambda conn: _block(conn, number))
    with scene.family() as family:
        family.dials(CALLER_ID[JAIL])
        family.begins_to_hear("service_menu")
        family.presses("8")
        family.begins_to_hear("service_menu")
        family.presses("1")
        family.hears("call_back_offer")
        family.presses("1")
        family.hears("call_back_coming")
        family.hangs_up()
        family.is_called()
        family.begins_to_hear("call_back_menu")
        family.presses("1")
        family.begins_to_hear("verified_menu")
        family.presses("1")
        family.hears("no_subscription")
        family.begins_to_hear("verified_menu")
        family.presses("4")
        family.begins_to_hear("unblock_confirm")
        family.presses("6")
        family.hears("unblocked")
        family.hangs_up()

    assert said_to(family, 0)[:2] == [f"service_welcome facility={JAIL}", "service_menu"]
    assert f"call_back_offer number={number[2:]}" in said_to(family, 0)
    told = said_to(family)
    assert told[:2] == ["provider_greeting", f"call_back_greeting facility={JAIL}"]
    assert told[told.index("balance balance=5.00") :][:2] == ["balance balance=5.00", "no_subscription"]
    assert languages_of(family, "no_subscription", "unblocked") == ["es", "es"]
    rung = select(call_back).where(call_back.c.number == number)
    [row] = scene.read(lambda conn: conn.execute(rung).all())
    assert (row.language, row.tries, row.verified_at is None) == ("es", 1, False)
    lifted = select(blocked_number.c.lifted_at).where(blocked_number.c.number == number)
    assert scene.read(lambda conn: conn.scalars(lifted).all()) != [None]


def _block(conn: Connection, number: str) -> None:
    """Somebody at the number has blocked calls by key."""
    why = {"cause": BlockCause.CALLED_PARTY, "note": "by key", "author": "called party"}
    row = {"facility_id": JAIL, "scope": scopes.FACILITY, "covers": "number", "number": number, **why}
    conn.execute(insert(blocked_number).values(**row, blocked_at=datetime.now(UTC)))
