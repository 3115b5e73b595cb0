"""How the inmate pays, where there is a choice, and what they hear of the cost."""

from collections.abc import Sequence

from ivr.call import Call, Spoken, speech
from ivr.controls import Grant, InmateControls, Payer, Quote

TRIES = 3
KEYS = {"1": Payer.DEBIT, "2": Payer.CARD}


async def choose_payer(call: Call, controls: InmateControls) -> None:
    """The inmate's own account, a calling card, or whoever else pays; asked only where there is a choice."""
    choices = await controls.choices()
    if not choices.payers:
        return
    chosen = choices.payers[0] if choices.is_forced else await ask_payer(call, choices.payers)
    match chosen:
        case Payer.DEBIT:
            controls.pay_by_own_account()
        case Payer.CARD:
            await key_card(call, controls)


async def ask_payer(call: Call, payers: Sequence[Payer]) -> Payer | None:
    """One menu of those who may pay; any other key, or none, leaves it to the others."""
    offers = {Payer.DEBIT: speech("pay_by_own_account"), Payer.CARD: speech("pay_by_card")}
    key = await call.menu(*(offers[each] for each in payers), speech("pay_otherwise"))
    chosen = KEYS.get(key)
    return chosen if chosen in payers else None


async def key_card(call: Call, controls: InmateControls) -> None:
    """The PIN of a calling card; three tries, and nothing of it is logged."""
    for attempt in range(TRIES):
        if attempt:
            await call.say("wrong_card")
        if await controls.card_keyed(await call.ask("enter_card", up_to=24)):
            return
    await call.say("no_card")


def cost(grant: Grant) -> list[Spoken]:
    """What the call costs, who pays, and how long it may last."""
    time = grant.limit_minutes
    match grant.payer:
        case Payer.FREE:
            return [speech("free_call", time=time)]
        case Payer.SUBSCRIPTION:
            return [speech("covered_by_subscription", time=time)]
        case Payer.COURTESY:
            return [speech("courtesy_call", time=time)]
        case _:
            return [*price(grant.quote, time), *whose_money(grant)]


def whose_money(grant: Grant) -> list[Spoken]:
    """Who pays by the minute; nothing is said of the called party's prepaid account."""
    match grant.payer:
        case Payer.DEBIT:
            return [speech("own_account_pays", balance=grant.balance)]
        case Payer.CARD:
            return [speech("card_pays", balance=grant.balance)]
        case Payer.PAID_CALL if grant.by_card:
            return [speech("called_party_is_charged")]
        case Payer.PAID_CALL:
            return [speech("called_party_has_paid")]
        case Payer.DIRECT_BILL | Payer.COLLECT:
            return [speech("called_party_is_billed")]
        case _:
            return []


def price(quoted: Quote, time: int) -> list[Spoken]:
    """What each minute costs, and for how many."""
    if quoted.is_flat:
        return [speech("price_and_time", price=quoted.each_minute, time=time)]
    if quoted.is_steady:
        first = speech("price_first_minute", first=quoted.first_minute, each=quoted.each_minute)
        return [first, speech("talk_time", time=time)]
    first = speech("price_changes", first=quoted.first_minute)
    return [first, speech("cost_in_all", total=quoted.longest.due, time=time)]
