"""The attorney line: where calls to a number are privileged and since when, and how that is asked for."""

from ivr.call import Call, Spoken, speech
from ivr.controls import CalledBackControls, Privilege, RequestKind


async def serve_attorney(call: Call, controls: CalledBackControls) -> None:
    """What is listed; where this facility has not listed the number, its listing may be asked for."""
    listed = await controls.privileges()
    if not listed:
        await call.say("privileged_nowhere")
    for each in listed:
        await call.say_all(*privilege_told(each))
    here = controls.facility.id
    if any(each.facility_id == here and each.of_everybody for each in listed):
        return
    if await call.menu(speech("listing_offer", facility=here)) == "1":
        receipt = await controls.ask_for(RequestKind.PRIVILEGED, call.language)
        await call.say("listing_asked", receipt=receipt.number, until=receipt.due_on)


def privilege_told(privilege: Privilege) -> list[Spoken]:
    """Where, since when, for whom, and whether it still lapses."""
    where, since = privilege.facility_id, privilege.since
    if privilege.of_everybody:
        told = speech("privileged_at", facility=where, since=since)
    else:
        told = speech("privileged_for_one", facility=where, since=since)
    return [told] if privilege.is_confirmed else [told, speech("privileged_unconfirmed")]
