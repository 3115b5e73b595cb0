"""An inmate lifts a telephone, says who they are, and calls a number."""

from ivr.call import LANGUAGES, Call, end, speech
from ivr.controls import Asking, Grant, IdentifyBy, InmateControls, Refused, Volume
from ivr.flows.goodbye import DIALOGUE_SECONDS, say_goodbye
from ivr.flows.hotline import call_hotline
from ivr.flows.own_menu import own_menu
from ivr.flows.paying import choose_payer, cost
from ivr.policy.reasons import Denial

TRIES = 3
CALLS_A_SESSION = 10
OWN_MENU = "*"  # at the number prompt


async def outbound(call: Call, controls: InmateControls) -> None:
    """From the lifted phone to the ringing one."""
    await call.answer()
    facility = await controls.open_session()
    call.speak_for(facility.id)
    await call.say("welcome", facility=facility.id)
    await choose_language(call, controls)
    await identify(call, controls)
    if controls.language != call.language:
        await call.speak(controls.language)
    if controls.volume is not Volume.NORMAL:
        await call.speak_at(controls.volume)
    if controls.hotline is None:
        await place_calls(call, controls)
    else:
        await call_hotline(call, controls, controls.hotline)


async def choose_language(call: Call, controls: InmateControls) -> None:
    """English unless the inmate asks for Spanish; who presses nothing hears the language of their last time."""
    key = await call.menu(*(speech("choose_language", language=each) for each in LANGUAGES))
    if key == "2":
        await call.speak("es")
    await controls.language_chosen(call.language, by_key=key in ("1", "2"))


async def identify(call: Call, controls: InmateControls) -> None:
    """ID and PIN in one entry, or the PIN alone, or a hotline's code instead; three tries."""
    for attempt in range(TRIES):
        if await controls.identify(await ask_who(call, controls, again=attempt > 0)):
            return
    end(Denial.BOOKING_UNKNOWN if controls.is_intake else Denial.PIN_INVALID)


async def ask_who(call: Call, controls: InmateControls, *, again: bool) -> str:
    """What is keyed to say who calls; nothing of it is logged."""
    if controls.is_intake:
        if again:
            await call.say("wrong_booking")
        return await call.ask("enter_booking", up_to=24)
    match controls.identified_by:
        case IdentifyBy.ID_AND_PIN:
            if again:
                await call.say("wrong_id_or_pin")
            return await call.ask("enter_id_and_pin", up_to=24)
        case IdentifyBy.PIN:
            if again:
                await call.say("wrong_pin")
            return await call.ask("enter_pin", up_to=24)


async def place_calls(call: Call, controls: InmateControls) -> None:
    """One number after another, until one may be rung or the inmate has had enough."""
    for _ in range(CALLS_A_SESSION):
        if await place_call(call, controls):
            return
        if await call.menu(speech("another_call")) != "1":
            break
    await say_goodbye(call)


async def place_call(call: Call, controls: InmateControls) -> bool:
    """Ask for a number and decide on it; True when the dialplan shall ring it."""
    await call.take_time(DIALOGUE_SECONDS)
    dialled = await ask_number(call, controls)
    if not dialled:
        return False
    await controls.open_call(dialled)
    await record_name_once(call, controls)
    await choose_payer(call, controls)
    match await controls.authorise():
        case Refused(reason, told, is_unbillable):
            if reason is Denial.SWITCHED_OFF:
                end(reason)
            await call.say_ending(reason, told)
            if is_unbillable:
                await call.say("collect_limit_reached")
            if reason is Denial.NUMBER_NOT_ALLOWED:
                await offer_to_ask(call, controls)
            return False
        case Grant(payer=None) as grant:
            await call.say("link_is_offered")
            await call.ring(await controls.dialling(grant))
            return True
        case Grant() as grant:
            recorded = speech("call_recorded" if grant.recorded else "call_not_recorded")
            await call.say_all(*cost(grant), recorded, speech("please_hold"))
            await call.ring(await controls.dialling(grant))
            return True


async def offer_to_ask(call: Call, controls: InmateControls) -> None:
    """Where the facility takes requests, the inmate may ask for a number that is not in their list."""
    match await controls.may_ask_for_number():
        case Asking.WAITS:
            await call.say("request_waits")
        case Asking.TOO_MANY:
            await call.say("requests_full")
        case Asking.POSSIBLE if await call.menu(speech("request_menu")) == "3":
            await controls.ask_for_number()
            await call.say("request_taken")


async def ask_number(call: Call, controls: InmateControls) -> str:
    """The keys of a number or a speed dial; "" after three tries without any. Star is the inmate's own menu first."""
    for attempt in range(TRIES):
        if attempt:
            await call.say("number_not_understood")
            if controls.own is not None:
                await call.say("own_menu_hint")
        dialled = await call.ask("enter_number", up_to=20)
        if dialled == OWN_MENU and controls.own is not None:
            await own_menu(call, controls, controls.own)
            dialled = await call.ask("enter_number", up_to=20)
        if dialled:
            return dialled
    return ""


async def record_name_once(call: Call, controls: InmateControls) -> None:
    """The inmate's name in their own voice, kept for every later call."""
    for attempt in range(TRIES):
        if await controls.has_recorded_name():
            return
        await call.say("name_not_heard" if attempt else "record_name")
        await call.record_name(controls.name_file())
        await controls.keep_recorded_name()
