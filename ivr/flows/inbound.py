"""Somebody calls the number that called parties see: the service line, before anybody knows who they are.

The number that a call shows is only a claim. So what anybody may know is told here, and for all else we call back.
"""

from collections.abc import Sequence

from ivr.call import Call, Spoken, speech
from ivr.controls import CallingInControls, Rates
from ivr.flows.goodbye import say_goodbye

MISSES = 3  # silences or wrong keys
KEYS_A_CALL = 12
MOST_PLACES = 9  # that one key can tell apart


async def inbound(call: Call, controls: CallingInControls) -> None:
    """From the greeting to the call-back, or to whatever else is wanted."""
    await call.answer()
    places = await controls.open()
    if not places:
        await call.say("inbound_notice")
        await call.finish()
        return
    if len(places) > 1:
        await choose_place(call, controls, places[:MOST_PLACES])
    call.speak_for(controls.facility.id)
    await call.say("service_welcome", facility=controls.facility.id)
    await serve(call, controls)
    await say_goodbye(call)


async def choose_place(call: Call, controls: CallingInControls, places: Sequence[str]) -> None:
    """Which facility it is about, where several show the number; the first one for who presses no key of them."""
    offers = [speech("service_place", facility=each, key=str(n)) for n, each in enumerate(places, 1)]
    key = await call.menu(*offers)
    controls.choose(places[int(key) - 1] if key in map(str, range(1, len(places) + 1)) else places[0])


async def serve(call: Call, controls: CallingInControls) -> None:
    """One wish after another, until a call-back is on its way or the caller has had enough."""
    misses = 0
    for _ in range(KEYS_A_CALL):
        match await call.menu(speech("service_menu"), speech("accept_menu_language")):
            case "1":
                if await is_called_back(call, controls):
                    return
            case "2":
                await call.say_all(*rates_told(await controls.rates(), controls.facility.id))
            case "0":
                await ask_for_a_person(call, controls)
            case "8":
                await call.speak("en" if call.language == "es" else "es")
            case other:
                misses += 1
                if misses == MISSES:
                    return
                if other:
                    await call.say("wrong_key")


async def is_called_back(call: Call, controls: CallingInControls) -> bool:
    """Offer to ring the number that is shown, so that whoever has that telephone hears the rest; whether it is."""
    if controls.number is None or not await controls.may_be_called_back():
        await call.say("call_back_impossible")
        return False
    offer = speech("call_back_offer", number=controls.number.removeprefix("+1"))
    if await call.menu(offer) != "1":
        return False
    if await controls.ask_to_be_called_back(call.language):
        await call.say("call_back_coming")
        return True
    await call.say("call_back_impossible")
    return False


async def ask_for_a_person(call: Call, controls: CallingInControls) -> None:
    """Somebody who works for the provider is to call the number that is shown."""
    if controls.number is None:
        await call.say("number_not_shown")
    elif await call.menu(speech("person_offer", number=controls.number.removeprefix("+1"))) == "1":
        receipt = await controls.ask_for_a_person(call.language)
        await call.say("person_promised", receipt=receipt.number, until=receipt.due_on)


def rates_told(rates: Rates | None, facility: str) -> list[Spoken]:
    """What calls to the number cost, how that is collected, and how a call is disputed (47 CFR 64.710)."""
    if rates is None:
        return [speech("number_not_shown")]
    if rates.is_free:
        return [speech("rates_free", facility=facility)]
    if rates.quote is None:
        return [speech("rates_none", facility=facility)]
    first, total, time = rates.quote.first_minute, rates.quote.longest.due, rates.limit_minutes
    if rates.quote.is_flat:
        told = speech("rates_each_minute", facility=facility, minute=first, time=time, total=total)
    else:
        told = speech("rates_first_minute", facility=facility, first=first, time=time, total=total)
    return [told, speech("how_charged")]
