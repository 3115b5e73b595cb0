"""The called party is gone and the inmate is still there."""

from ivr.call import Call, end, speech
from ivr.controls import InmateControls
from ivr.flows.goodbye import say_goodbye
from ivr.flows.outbound import place_calls
from ivr.policy.reasons import Denial


async def after_call(call: Call, controls: InmateControls) -> None:
    """Why the call did not complete, or that it has ended; then perhaps another."""
    await call.speak(await controls.resume_session())
    call.speak_for(controls.facility.id)
    reason = await controls.end_call()
    if reason is Denial.SWITCHED_OFF:
        end(reason)
    if controls.is_given_back:
        await call.say("call_given_back")
    else:
        await call.say_ending(reason)
    if controls.may_call_again and await call.menu(speech("another_call")) == "1":
        await place_calls(call, controls)
    else:
        await say_goodbye(call)
