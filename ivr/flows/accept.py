"""The called party hears who calls, what it costs and that it is recorded, and decides.

Nothing here connects anybody but `call.connect()`, and only after the acceptance stands in the database.
"""

from ivr.call import Call, Spoken, speech
from ivr.controls import Accepted, CalledPartyControls, Checked, Offer, Payer, Quote, RecordingFile, Wish
from ivr.policy.reasons import Outcome

MISSES = 3  # silences or wrong keys until the call counts as not accepted
KEYS_A_CALL = 12  # a called party who only asks for the price has an end too
AT_ONCE = 0.1  # seconds for a key after what is said: it goes on without a pause


async def accept(call: Call, controls: CalledPartyControls) -> None:
    """From the called party's answer to their decision."""
    offer = await controls.offer()
    call.speak_for(offer.facility_id)
    if offer.language not in (None, call.language):
        await call.speak(offer.language)
    if offer.passive:
        await answered(call, controls, offer)
    else:
        await ask(call, controls, offer)


async def ask(call: Call, controls: CalledPartyControls, offer: Offer) -> None:
    """From who calls to the key that decides."""
    await introduce(call, offer, is_greeted=offer.language is None and await is_greeted(call, offer))
    told = paid_by(offer)
    misses = 0
    for _ in range(KEYS_A_CALL):
        key = await call.menu(*told, *choices(offer), speech("accept_menu_language"))
        match offer.keys.wish(key):
            case Wish.ACCEPT:
                await accepted(call, controls, offer)
                return
            case Wish.REFUSE:
                await declined(call, controls, Outcome.REFUSED, "refused")
                return
            case Wish.COST | Wish.HOW_CHARGED as what:
                told = await explained(controls, offer, what)
            case Wish.LANGUAGE:
                await call.speak("en" if call.language == "es" else "es")
                await introduce(call, offer)
            case Wish.BLOCK if not offer.by_code:
                if await is_blocked(call, controls, offer):
                    return
            case _:
                misses += 1
                if misses == MISSES:
                    break
                if key:
                    await call.say("wrong_key")
    await declined(call, controls, Outcome.NOT_ACCEPTED, "not_accepted")


async def is_greeted(call: Call, offer: Offer) -> bool:
    """Where nobody has decided yet, the other language is offered first; whether no key has cut the greeting after it.

    That key chooses the language, and no other counts yet.
    """
    key = await call.menu(speech("accept_menu_language"), speech("provider_greeting"), seconds=AT_ONCE)
    if offer.keys.wish(key) is Wish.LANGUAGE:
        await call.speak("en" if call.language == "es" else "es")
    return not key


async def explained(controls: CalledPartyControls, offer: Offer, wish: Wish) -> list[Spoken]:
    """What the call costs; or, by the further key that is named with it, how that is charged."""
    if wish is Wish.HOW_CHARGED:
        return [speech("how_this_is_charged")]
    await controls.cost_heard()
    return cost(offer)


async def is_blocked(call: Call, controls: CalledPartyControls, offer: Offer) -> bool:
    """Whether calls to this number are really not wanted: a second key says so."""
    confirm = offer.keys.block_confirm
    if await call.menu(speech(f"block_confirm.{confirm}")) != confirm:
        return False
    await declined(call, controls, Outcome.BLOCKED_BY_KEY, "blocked")
    return True


async def introduce(call: Call, offer: Offer, *, is_greeted: bool = False) -> None:
    """Who provides this call, who calls from where, and whether it is recorded; no key cuts this."""
    greeting = [] if is_greeted else [speech("provider_greeting")]
    notice = speech("notice_recorded" if offer.recorded else "notice_not_recorded")
    is_call = offer.link_for is None  # else there is none that could be recorded
    await call.say_all(*greeting, caller(offer), *([notice] if is_call else []))


async def answered(call: Call, controls: CalledPartyControls, offer: Offer) -> None:
    """The answer is the acceptance: no name, no place, no key; over a relay nothing at all, since all is read out."""
    if not offer.relay:
        await call.say("passive_notice")
    acceptance = await controls.accept_by_answer(call.language)
    if acceptance is not None:
        await call.prepare_talk(acceptance.in_talk)
        await call.connect()
    elif not offer.relay:
        await call.say("cannot_connect")


def caller(offer: Offer) -> Spoken:
    """Who calls from where; a hotline hears that nobody asked them."""
    if offer.by_code:
        return speech("hotline_call", facility=offer.facility_id)
    return speech("call_from", name=offer.name_file, facility=offer.facility_id)


def choices(offer: Offer) -> list[Spoken]:
    """What the called party may press: the price comes before the acceptance (47 CFR 64.710).

    A hotline is everybody's, so it is not blocked by a key.
    """
    keys = offer.keys
    if offer.by_code:
        return [speech(f"hotline_key.{keys.accept}")]
    cost, block = speech(f"cost_key.{keys.cost}"), speech(f"block_key.{keys.block}")
    if offer.link_for is not None:
        return [cost, speech("link_menu", amount=offer.link_for), speech(f"link_key.{keys.accept}"), block]
    return [cost, speech(f"accept_key.{keys.accept}"), block]


def paid_by(offer: Offer) -> list[Spoken]:
    """Who pays, and why a subscription that exists does not."""
    why = [speech(f"not_covered.{offer.not_covered}")] if offer.not_covered else []
    match offer.payer:
        case None:
            return [speech("nobody_pays")]
        case Payer.FREE:
            return [speech("paid_free")]
        case Payer.SUBSCRIPTION:
            return [speech("continued_by_subscription" if offer.continues else "paid_by_subscription")]
        case Payer.DEBIT | Payer.CARD:
            return [speech("paid_by_caller")]
        case Payer.COURTESY:
            return [*why, speech("paid_by_courtesy", time=offer.limit_minutes), speech("sign_up")]
        case Payer.PREPAID | Payer.PAID_CALL | Payer.DIRECT_BILL | Payer.COLLECT:
            return [*why, *([price(offer.quote)] if why else []), from_their_money(offer)]


def from_their_money(offer: Offer) -> Spoken:
    """Where the called party's money comes from."""
    match offer.payer:
        case Payer.PAID_CALL if offer.by_card:
            return speech("paid_by_card_on_file", total=offer.quote.longest.due)
        case Payer.PAID_CALL:
            return speech("paid_before")
        case Payer.DIRECT_BILL:
            return speech("paid_by_bill")
        case Payer.COLLECT:
            return speech("paid_by_collect")
        case _:
            return speech("continued_by_prepaid" if offer.continues else "paid_by_prepaid")


def price(quoted: Quote) -> Spoken:
    """What each minute costs; the first by itself where it costs something else, or where it changes on the way."""
    if quoted.is_flat:
        return speech("price_each_minute", price=quoted.each_minute)
    if not quoted.is_steady:
        return speech("price_changes", first=quoted.first_minute)
    return speech("price_first_minute", first=quoted.first_minute, each=quoted.each_minute)


def cost(offer: Offer) -> list[Spoken]:
    """The full answer to "what does it cost" (47 CFR 64.710)."""
    match offer.payer:
        case Payer.FREE | Payer.COURTESY:
            return [speech("cost_free")]
        case Payer.SUBSCRIPTION if offer.continues:
            return [speech("cost_free")]
        case Payer.SUBSCRIPTION:
            return [speech("cost_by_subscription")]
        case Payer.DEBIT | Payer.CARD:
            return [speech("paid_by_caller")]
        case _ if offer.quote.is_flat:
            minute, total = offer.quote.each_minute, offer.quote.longest.due
            told = speech("cost_by_prepaid", minute=minute, total=total, time=offer.limit_minutes)
            return [told, speech("charged_offer")]
        case _:
            total = offer.quote.longest.due
            told = speech("cost_in_all", total=total, time=offer.limit_minutes)
            return [price(offer.quote), told, speech("charged_offer")]


async def is_card_accepted(call: Call, controls: CalledPartyControls) -> bool:
    """Whether the card on file stands for the longest talk; where it does not, nobody is connected."""
    await call.say("one_moment")
    match await controls.authorise_card():
        case Checked.AUTHORISED:
            return True
        case Checked.DECLINED:
            await declined(call, controls, Outcome.CARD_DECLINED, "card_not_accepted")
        case Checked.TOO_LATE:
            await call.say("cannot_connect")
    return False


async def accepted(call: Call, controls: CalledPartyControls, offer: Offer) -> None:
    """What is left after this call; then the two are connected. Where nobody pays, a link is sent instead.

    What the talk has is set first: whatever staff take from it from now on (`ivr.enforcing`) comes after that.
    """
    if offer.link_for is not None:
        await call.say("link_sent" if await controls.send_link(call.language) else "cannot_connect")
        return
    if offer.by_card and not await is_card_accepted(call, controls):
        return
    match await controls.accept(offer.keys.accept, call.language):
        case Accepted(recording_file=file) as acceptance:
            await call.prepare_talk(acceptance.in_talk)
            await call.say_all(*what_is_left(acceptance), speech("connecting"))
            if file is not None:
                await record(call, controls, file)
            await call.connect()
        case None:
            await call.say("cannot_connect")


async def record(call: Call, controls: CalledPartyControls, file: RecordingFile) -> None:
    """Record, unless the number has become privileged since; asked when it runs, so that no moment is left between."""
    await call.start_recording(file)
    if await controls.is_sealed(file):
        await call.stop_recording()


def what_is_left(acceptance: Accepted) -> list[Spoken]:
    """Subscription calls, the last one's end, or what the called party's money is; nothing where they pay nothing."""
    match acceptance:
        case Accepted(payer=Payer.SUBSCRIPTION, continues=False, left=0):
            return [speech("last_call", until=acceptance.renews_on)]
        case Accepted(payer=Payer.SUBSCRIPTION, continues=False):
            return [speech("calls_remaining", calls=acceptance.left)]
        case Accepted(payer=Payer.PREPAID):
            return [speech("balance", balance=acceptance.left)]
        case Accepted(payer=Payer.PAID_CALL, by_card=False):
            return [speech("paid_before_left", left=acceptance.left)]
        case Accepted(payer=Payer.DIRECT_BILL | Payer.COLLECT):
            return [speech("bill_left", left=acceptance.left)]
        case _:
            return []


async def declined(call: Call, controls: CalledPartyControls, outcome: Outcome, prompt_id: str) -> None:
    """Nobody is connected, nobody pays, and the record says why before the goodbye does."""
    await controls.decline(outcome, call.language)
    await call.say(prompt_id)
