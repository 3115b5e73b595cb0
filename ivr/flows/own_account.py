"""The account and the subscription of a number, told and changed at the wish of whoever has its telephone."""

from ivr.call import Call, Spoken, speech
from ivr.controls import AccountControls, Bought, Charged, OfferedPlan, Plan, Renewal, Standing

KEYS = 12  # wishes in one go
MOST_DOLLARS_KEYS = 4


async def serve_account(call: Call, controls: AccountControls) -> None:
    """What stands, and what may be done about it, until something else is pressed."""
    for _ in range(KEYS):
        standing = await controls.standing()
        key = await call.menu(*standing_told(standing), *offers(standing))
        if not await is_done(call, controls, standing, key):
            return


async def is_done(call: Call, controls: AccountControls, standing: Standing, key: str) -> bool:
    """Whether the key was one of the offers, and that was seen to."""
    plan = standing.plan
    match key:
        case "1" if standing.has_card:
            await deposit(call, controls)
        case "2" if may_start(standing):
            await start(call, controls)
        case "2" if may_renew(standing):
            await renew(call, controls)
        case "3" if plan is not None and plan.is_bought:
            await cancel(call, controls, is_cancelled=plan.is_cancelled)
        case "4" if plan is not None and plan.is_bought and not plan.is_cancelled:
            await switch_renewal(call, controls, is_auto=plan.renews_on is not None)
        case "5" if standing.balance:
            await refund(call, controls, standing.balance)
        case "6" if standing.balance is None:
            await call.say("account_opened" if await controls.open(call.language) else "plan_not_possible")
        case "7" if standing.takes_link:
            await call.say("account_link_sent" if await controls.send_link() else "plan_not_possible")
        case _:
            return False
    return True


def standing_told(standing: Standing) -> list[Spoken]:
    """The balance, the calls that are left and until when, and whether the subscription is renewed."""
    told = [speech("no_account") if standing.balance is None else speech("balance", balance=standing.balance)]
    plan = standing.plan
    if plan is None:
        return [*told, speech("no_subscription")]
    told.append(
        speech("calls_remaining", calls=plan.calls_left) if plan.calls_left else speech("no_calls_left")
    )
    if plan.renews_on is None:
        return [*told, speech("plan_ends", until=plan.until)]
    return [*told, speech("plan_renews", on=plan.renews_on)]


def offers(standing: Standing) -> list[Spoken]:
    """What may be done now; nothing is offered that would be refused for what is known."""
    made = [
        (speech("deposit_offer"), standing.has_card),
        (speech("start_offer"), may_start(standing)),
        (speech("renew_offer"), may_renew(standing)),
        *plan_offers(standing.plan),
        (speech("refund_offer"), bool(standing.balance)),
        (speech("sign_up_offer"), standing.balance is None),
        (speech("link_offer"), standing.takes_link),
    ]
    return [*(spoken for spoken, is_made in made if is_made), speech("account_back")]


def plan_offers(plan: Plan | None) -> list[tuple[Spoken, bool]]:
    """What may be done about a subscription that an account pays for, and whether it may now."""
    if plan is None or not plan.is_bought:
        return []
    return [
        (speech("cancel_offer"), not plan.is_cancelled),
        (speech("keep_offer"), plan.is_cancelled),
        (speech("auto_offer"), not plan.is_cancelled and plan.renews_on is None),
        (speech("manual_offer"), not plan.is_cancelled and plan.renews_on is not None),
    ]


def may_start(standing: Standing) -> bool:
    """A subscription is bought out of an account, where there is none yet."""
    return standing.plan is None and standing.balance is not None


def may_renew(standing: Standing) -> bool:
    """The next month is bought once, ahead."""
    plan = standing.plan
    return plan is not None and plan.is_bought and not plan.is_cancelled and not plan.is_bought_ahead


async def deposit(call: Call, controls: AccountControls) -> None:
    """So many dollars from the card on file, once it was said again and agreed to."""
    keyed = await call.ask("deposit_amount", up_to=MOST_DOLLARS_KEYS)
    dollars = int(keyed) if keyed.isdecimal() else 0
    if dollars == 0:
        return
    if await call.menu(speech("deposit_confirm", amount=dollars * 1_000_000)) != "1":
        return
    await call.say("one_moment")
    match await controls.deposit(dollars):
        case Charged.DONE:
            await call.say("deposit_done")
        case Charged.DECLINED:
            await call.say("deposit_declined")
        case Charged.UNDER_WAY:
            await call.say("deposit_under_way")


async def refund(call: Call, controls: AccountControls, balance: int) -> None:
    """All of the balance, back to the cards that paid it; a person sees to the rest."""
    if await call.menu(speech("refund_confirm", amount=balance)) != "6":
        return
    receipt = await controls.refund(call.language)
    if receipt is None:
        await call.say("refund_done")
    else:
        await call.say("refund_asked", receipt=receipt.number, until=receipt.due_on)


async def start(call: Call, controls: AccountControls) -> None:
    """The terms of one plan after another; what was agreed to is bought."""
    plans = await controls.plans()
    if not plans:
        await call.say("no_plans")
    for plan in plans:
        match await call.menu(*terms_told(plan), speech("plan_agree", price=plan.price)):
            case "1":
                await tell(call, await controls.start(plan, Renewal.AUTO))
                return
            case "2":
                await tell(call, await controls.start(plan, Renewal.MANUAL))
                return


async def renew(call: Call, controls: AccountControls) -> None:
    """The terms of the next month; bought, if they are agreed to."""
    plan = await controls.next_period()
    if plan is None:
        await call.say("plan_not_possible")
    elif await call.menu(*terms_told(plan), speech("plan_agree_renewal")) == "1":
        await tell(call, await controls.renew())


def terms_told(plan: OfferedPlan) -> list[Spoken]:
    """What is bought, on which terms (47 CFR 64.6140(c))."""
    what = speech(
        "plan_offer", calls=plan.calls, price=plan.price, first=plan.first_date, last=plan.last_date
    )
    if plan.pays_from_calls is None:
        return [what, speech("plan_never_pays"), speech("plan_rules")]
    pays = speech("plan_pays_from", calls=plan.pays_from_calls, time=plan.longest_minutes)
    return [what, pays, speech("plan_rules")]


async def cancel(call: Call, controls: AccountControls, *, is_cancelled: bool) -> None:
    """It ends with its period; or goes on after all."""
    if is_cancelled:
        await tell(call, await controls.cancel(undo=True))
    elif await call.menu(speech("cancel_confirm")) == "6":
        await tell(call, await controls.cancel())


async def switch_renewal(call: Call, controls: AccountControls, *, is_auto: bool) -> None:
    """Renewed by itself needs consent to what is taken; no longer renewed needs none."""
    if is_auto:
        await tell(call, await controls.renew_by_itself(Renewal.MANUAL))
        return
    price = await controls.price_by_itself()
    if price is None:
        await call.say("plan_not_possible")
    elif await call.menu(speech("auto_agree", price=price)) == "1":
        await tell(call, await controls.renew_by_itself(Renewal.AUTO))


async def tell(call: Call, bought: Bought) -> None:
    """What came of a wish about the subscription."""
    match bought:
        case Bought.DONE:
            await call.say("plan_done")
        case Bought.ASKED:
            await call.say("plan_asked")
        case Bought.NOT_PAID:
            await call.say("plan_not_paid")
        case Bought.NOT_POSSIBLE:
            await call.say("plan_not_possible")
