"""What whoever was called back may do with the number's account and subscription, and what stands of both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import Connection

from accounts import ledger, payers, refunds
from accounts.holders import holder_of
from accounts.payment_tables import PaymentState
from accounts.subscribed import Subscription, due_date, last_period, newest_of, read
from accounts.subscriptions import attempts, is_under_way
from accounts.tables import Renewal
from ivr.controls.callers_desk import CallersDesk
from ivr.controls.line import Receipt, local_date
from ivr.facility.lookup import Facility
from ivr.plans import Offer, offered, pays_from
from ivr.policy.service import RequestKind
from ivr.staff.desk import StaffError
from ivr.staff.offers import NotSold, Refusal, Wanted, offer_to_change, offer_to_renew, offer_to_start
from rating.money import MICROS_PER_CENT, Money
from rating.quote import speakable

T = TypeVar("T")
MICROS_PER_DOLLAR = 100 * MICROS_PER_CENT


@dataclass(frozen=True, slots=True)
class Plan:
    """A subscription as its number's holder hears of it."""

    calls_left: int
    until: date  # the last day of its period
    renews_on: date | None  # none: it does not by itself
    is_bought: bool  # else a facility's file gives it, and there is nothing to change
    is_cancelled: bool = False
    is_bought_ahead: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands for the number."""

    balance: Money | None  # none: no prepaid account belongs to it
    plan: Plan | None
    has_card: bool = False  # on file, and a card processor is set up
    takes_link: bool = False  # to put one on file, by SMS


@dataclass(frozen=True, slots=True)
class OfferedPlan:
    """A subscription on the terms that are told before it is bought (47 CFR 64.6140(c))."""

    plan_id: str
    calls: int
    price: Money
    first_date: date
    last_date: date
    pays_from_calls: int | None  # of the longest; none: paying by the minute is always cheaper
    longest_minutes: int


class Charged(StrEnum):
    """What came of charging a card."""

    DONE = "done"
    DECLINED = "declined"
    UNDER_WAY = "under_way"  # the processor has not answered yet


class Bought(StrEnum):
    """What came of a wish about a subscription."""

    DONE = "done"
    ASKED = "asked"  # the card on file is being charged; the period is there when it has paid
    NOT_PAID = "not_paid"
    NOT_POSSIBLE = "not_possible"


@dataclass(slots=True)
class AccountControls:
    """The account that pays for calls to the number, whichever facility they come from, and the subscription here."""

    desk: CallersDesk

    async def standing(self) -> Standing:
        """The balance, what is left of the subscription, and what may be done about both."""
        found, node = await self._read(_standing), self.desk.node
        takes_cards = node.paying is not None
        has_account = found.balance is not None
        return replace(
            found,
            has_card=found.has_card and takes_cards,
            takes_link=has_account and takes_cards and node.sends_sms,
        )

    async def open(self, language: str) -> bool:
        """Open a prepaid account for this number; whether there is one now."""
        account_id = f"prepaid/tel-{self.desk.number.removeprefix('+')}-{self.desk.call_back_id[:8]}"
        given = {"account_id": account_id, "numbers": [self.desk.number], "language": language}
        return await self.desk.refusal("account open", **given) is None

    async def send_link(self) -> bool:
        """Send the way to a page on which a card is put on file; to this telephone where no other way is known."""
        account_id = await self._account_id()
        holder = await self.desk.node.database.read(holder_of, account_id)
        reference = self.desk.call_back_id
        if holder is None or not (holder.mobile or holder.email):
            known = {"account_id": account_id, "mobile": self.desk.number, "reference": reference}
            if await self.desk.refusal("account edit", **known) is not None:
                return False
        refused = await self.desk.refusal("account card-page", account_id=account_id, reference=reference)
        return refused is None

    async def deposit(self, dollars: int) -> Charged:
        """Charge the card on file, and wait for a moment."""
        paying = self.desk.node.paying
        assert paying is not None
        account_id = await self._account_id()
        state = await paying.charge(
            f"reload/{account_id}/{self.desk.node.new_id()}",
            account_id,
            Money(dollars * MICROS_PER_DOLLAR),
        )
        match state:
            case PaymentState.SUCCEEDED:
                return Charged.DONE
            case PaymentState.FAILED:
                return Charged.DECLINED
            case _:
                return Charged.UNDER_WAY

    async def refund(self, language: str) -> Receipt | None:
        """Give the balance back to the cards that have paid it; what they can't take in whole, people are asked for."""
        account_id = await self._account_id()
        if await self.desk.node.database.read(_fits_on_cards, account_id):
            given = {"account_id": account_id, "reference": self.desk.call_back_id}
            if await self.desk.refusal("account refund", **given) is None:
                return None
        return await self.desk.ask_for(RequestKind.REFUND, language)

    async def plans(self) -> Sequence[OfferedPlan]:
        """The subscriptions that may be started now."""
        return await self._read(_plans)

    async def next_period(self) -> OfferedPlan | None:
        """What the next month would be, on the terms of now; None where it can't be bought."""
        return await self._read(_next_period)

    async def price_by_itself(self) -> Money | None:
        """What each further month would cost if it were renewed by itself; None where it can't be."""
        return await self._read(_price_by_itself)

    async def start(self, plan: OfferedPlan, renewal: Renewal) -> Bought:
        """Buy it, as it was told and agreed to."""
        account_id = await self._account_id()
        given = {"plan": plan.plan_id, "account_id": account_id, "renewal": renewal, "agreed": True}
        return await self._bought("subscription start", pays=True, **given)

    async def renew(self) -> Bought:
        """Buy the next month, as it was told and agreed to."""
        return await self._bought("subscription renew", pays=True, agreed=True)

    async def renew_by_itself(self, renewal: Renewal) -> Bought:
        """Have it renewed by itself from its end on, or not."""
        return await self._bought("subscription change", renewal=renewal, agreed=True)

    async def cancel(self, *, undo: bool = False) -> Bought:
        """Let it end with its period, or go on after all."""
        return await self._bought("subscription cancel", undo=undo)

    async def _bought(self, change: str, *, pays: bool = False, **given: object) -> Bought:
        refused = await self.desk.refusal(change, number=self.desk.number, **given)
        if refused is None:
            return Bought.ASKED if pays and await self._read(_is_asked) else Bought.DONE
        is_unpaid = isinstance(refused, NotSold) and refused.why is Refusal.NOT_PAID
        return Bought.NOT_PAID if is_unpaid else Bought.NOT_POSSIBLE

    async def _account_id(self) -> str:
        found = await self._read(_account_of)
        assert found is not None  # nothing of it is offered without one
        return found

    async def _read(self, look: Callable[[Connection, Facility, str, datetime], T]) -> T:
        desk = self.desk
        return await desk.node.database.read(look, desk.facility, desk.number, desk.node.now())


def _account_of(conn: Connection, place: Facility, number: str, at: datetime) -> str | None:
    today = local_date(place, at)
    prepaid = payers.payer_facts(conn, facility_id=place.id, number=number, on=today).prepaid
    return prepaid.account_id if prepaid else None


def _standing(conn: Connection, place: Facility, number: str, at: datetime) -> Standing:
    facts = payers.payer_facts(conn, facility_id=place.id, number=number, on=local_date(place, at))
    period = facts.subscription.period if facts.subscription else None
    plan = _plan(conn, place, number, period) if period is not None else None
    if facts.prepaid is None:
        return Standing(None, plan)
    holder = holder_of(conn, facts.prepaid.account_id)
    has_card = holder is not None and holder.card_id is not None
    return Standing(speakable(facts.prepaid.available), plan, has_card)


def _plan(conn: Connection, place: Facility, number: str, period: payers.Period) -> Plan:
    held = _held(conn, place, number)
    if held is None:
        return Plan(period.calls_left, period.last_date, renews_on=None, is_bought=False)
    last, is_cancelled = last_period(conn, held.id), held.cancelled_at is not None
    renews = not is_cancelled and held.next_renewal is Renewal.AUTO
    return Plan(
        period.calls_left,
        period.last_date,
        renews_on=due_date(held, last) if renews else None,
        is_bought=True,
        is_cancelled=is_cancelled,
        is_bought_ahead=last is not None and last.first_date > period.last_date,
    )


def _held(conn: Connection, place: Facility, number: str) -> Subscription | None:
    row = newest_of(conn, place.id, number)
    return read(row) if row is not None else None


def _is_asked(conn: Connection, place: Facility, number: str, at: datetime) -> bool:  # noqa: ARG001 - as all are
    """Whether the card is being charged for the subscription."""
    held = _held(conn, place, number)
    if held is None:
        return False
    return is_under_way(attempts(conn, held, due_date(held, last_period(conn, held.id))))


def _plans(conn: Connection, place: Facility, number: str, at: datetime) -> list[OfferedPlan]:
    account_id = _account_of(conn, place, number, at)
    if account_id is None:
        return []
    found = []
    for plan_id in offered(conn, place, local_date(place, at)):
        try:
            offer = offer_to_start(conn, Wanted(place.id, number, plan_id, account_id, Renewal.MANUAL), at)
        except NotSold:
            continue
        found.append(_offered(conn, offer))
    return found


def _next_period(conn: Connection, place: Facility, number: str, at: datetime) -> OfferedPlan | None:
    try:
        return _offered(conn, offer_to_renew(conn, place.id, number, at))
    except StaffError:
        return None


def _price_by_itself(conn: Connection, place: Facility, number: str, at: datetime) -> Money | None:
    try:
        return offer_to_change(conn, place.id, number, (None, Renewal.AUTO), at).terms.price
    except StaffError:
        return None


def _offered(conn: Connection, offer: Offer) -> OfferedPlan:
    terms, place = offer.terms, offer.place
    least = pays_from(conn, offer)
    return OfferedPlan(
        terms.plan_id or "",
        terms.calls,
        terms.price,
        offer.first_date,
        offer.last_date,
        least.calls if least is not None and least.calls <= terms.calls else None,
        place.longest_call_ms // 60_000,
    )


def _fits_on_cards(conn: Connection, account_id: str) -> bool:
    return refunds.fit_on_cards(conn, account_id, Money(ledger.balance(conn, account_id).available))
