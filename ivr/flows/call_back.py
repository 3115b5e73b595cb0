"""Whoever called in is called back: by the key pressed there we know whose telephone it is, and may tell of it."""

from collections.abc import Awaitable, Callable, Mapping

from ivr.call import Call, speech
from ivr.controls import BlockedBy, CalledBackControls, RequestKind
from ivr.flows.attorney import serve_attorney
from ivr.flows.goodbye import say_goodbye
from ivr.flows.inbound import rates_told
from ivr.flows.own_account import serve_account
from ivr.flows.own_calls import tell_last_calls, tell_missed_calls

MISSES = 3
KEYS_A_CALL = 40


async def call_back(call: Call, controls: CalledBackControls) -> None:
    """From the answer to the receiver put back."""
    language = await controls.answered()
    if language is None:
        await call.finish()
        return
    call.speak_for(controls.facility.id)
    await call.speak(language)
    if await is_verified(call, controls):
        await controls.verify()
        await serve(call, controls)
    await say_goodbye(call)


async def is_verified(call: Call, controls: CalledBackControls) -> bool:
    """Whether somebody there presses the key; until then nothing is told, since a machine may have answered."""
    greeting = speech("call_back_greeting", facility=controls.facility.id)
    for _ in range(MISSES):
        menu = speech("call_back_menu"), speech("accept_menu_language")
        match await call.menu(speech("provider_greeting"), greeting, *menu):
            case "1":
                return True
            case "2":
                await controls.unwanted()
                await call.say("call_back_unwanted")
                return False
            case "8":
                await call.speak("en" if call.language == "es" else "es")
    return False


async def serve(call: Call, controls: CalledBackControls) -> None:
    """One wish after another."""
    misses = 0
    for _ in range(KEYS_A_CALL):
        key = await call.menu(speech("verified_menu"), speech("accept_menu_language"))
        if key in WISHES:
            await WISHES[key](call, controls)
            continue
        misses += 1
        if misses == MISSES:
            return
        if key:
            await call.say("wrong_key")


async def see_to_account(call: Call, controls: CalledBackControls) -> None:
    """The account and the subscription."""
    await serve_account(call, controls.account)


async def unblock(call: Call, controls: CalledBackControls) -> None:
    """Lift what was blocked by key from this telephone; nothing else, and no account is needed."""
    match await controls.blocked_by():
        case None:
            await call.say("not_blocked")
        case BlockedBy.OTHERS:
            await call.say("blocked_by_others")
        case BlockedBy.CALLED_PARTY if await call.menu(speech("unblock_confirm")) == "6":
            await call.say("unblocked" if await controls.unblock() else "not_blocked")


async def tell_rates(call: Call, controls: CalledBackControls) -> None:
    """What calls to this number cost."""
    await call.say_all(*rates_told(await controls.rates(), controls.facility.id))


async def ask_for_a_person(call: Call, controls: CalledBackControls) -> None:
    """Somebody who works for the provider is to call."""
    receipt = await controls.ask_for(RequestKind.PERSON, call.language)
    await call.say("person_promised", receipt=receipt.number, until=receipt.due_on)


async def change_language(call: Call, controls: CalledBackControls) -> None:  # noqa: ARG001 - as all wishes are
    """The other one of the two."""
    await call.speak("en" if call.language == "es" else "es")


WISHES: Mapping[str, Callable[[Call, CalledBackControls], Awaitable[None]]] = {
    "1": see_to_account,
    "2": tell_last_calls,
    "3": tell_missed_calls,
    "4": unblock,
    "5": serve_attorney,
    "6": tell_rates,
    "0": ask_for_a_person,
    "8": change_language,
}
