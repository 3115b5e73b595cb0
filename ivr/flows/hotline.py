"""A hotline is called by its code in place of an ID and a PIN: nobody is asked who they are."""

from ivr.call import Call, Spoken, speech
from ivr.controls import Grant, HotlineKind, InmateControls, Refused
from ivr.flows.goodbye import DIALOGUE_SECONDS, say_goodbye


async def call_hotline(call: Call, controls: InmateControls, kind: HotlineKind) -> None:
    """Which line this is, that it is free, whether it is recorded; then it is rung. No other call follows."""
    await call.take_time(DIALOGUE_SECONDS)
    await controls.open_hotline_call()
    match await controls.authorise():
        case Refused(reason, told):
            await call.say_ending(reason, told)
            await say_goodbye(call)
        case Grant() as grant:
            recorded = speech("call_recorded" if grant.recorded else "call_not_recorded")
            free = speech("free_call", time=grant.limit_minutes)
            await call.say_all(*introduction(kind), free, recorded, speech("please_hold"))
            await call.ring(await controls.dialling(grant))


def introduction(kind: HotlineKind) -> list[Spoken]:
    """Which line this is, and what is not kept of the call."""
    match kind:
        case HotlineKind.CRIME_TIPS:
            return [speech("hotline_crime_tips"), speech("hotline_no_trace")]
        case HotlineKind.PREA:
            return [speech("hotline_prea"), speech("hotline_no_trace")]
        case HotlineKind.GRIEVANCE:
            return [speech("hotline_grievance")]
        case HotlineKind.LEGAL_AID:
            return [speech("hotline_legal_aid")]
