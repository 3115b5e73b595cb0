"""An inmate who has just keyed their PIN chooses another one."""

from ivr.call import Call
from ivr.controls import InmateControls, UnfitPin

TRIES = 3
MOST_KEYS = 24


async def change_pin(call: Call, controls: InmateControls) -> None:
    """The new PIN twice, three tries; the old one holds until the new one is taken. Nothing that is keyed is logged."""
    for _ in range(TRIES):
        new = await call.ask("enter_new_pin", up_to=MOST_KEYS)
        if not new:
            break
        if await call.ask("enter_new_pin_again", up_to=MOST_KEYS) != new:
            await call.say("new_pins_differ")
            continue
        match await controls.change_pin(new):
            case None:
                await call.say("pin_changed")
                return
            case UnfitPin.TOO_SHORT:
                await call.say("new_pin_too_short")
            case UnfitPin.TOO_LONG:
                await call.say("new_pin_too_long")
            case UnfitPin.TOO_EASY:
                await call.say("new_pin_too_easy")
    await call.say("pin_not_changed")
