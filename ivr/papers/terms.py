"""A subscription's terms as they are told before anybody buys it, in the language of whoever pays for it."""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache
from importlib.resources import files

from sqlalchemy import Connection

from accounts import holders
from accounts.tables import Renewal
from ivr.papers.wording import day, money
from ivr.plans import PAID_DAYS_BEFORE, TOLD_DAYS_BEFORE, Offer, pays_from


@cache
def sentences() -> Mapping[str, Mapping[str, str]]:
    """Every term by its id and language."""
    return tomllib.loads((files("ivr.papers") / "terms.toml").read_text(encoding="utf-8"))


def terms_told(conn: Connection, offer: Offer) -> list[str]:
    """A plan's terms as 47 CFR 64.6140(c) wants them told, a line for each; in English where nobody told a language."""
    holder = holders.holder_of(conn, offer.account_id)
    language = holder.language if holder is not None else "en"
    return [sentences()[id_][language].format(**told) for id_, told in _terms(conn, offer, language)]


def _terms(conn: Connection, offer: Offer, language: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    place, terms = offer.place, offer.terms
    longest, price = place.longest_call_ms // 60_000, money(terms.price, language)
    yield "plan", {"plan": terms.plan_id}
    yield "price", {"price": price}
    of_calls = {"calls": terms.calls, "facility": place.id, "number": offer.number}
    yield "included", {**of_calls, "longest": longest}
    last = day(offer.last_date, language)
    yield "period", {"first": day(offer.first_date, language), "last": last}
    least = pays_from(conn, offer)
    if least is None:
        yield "no_break_even", {}
    else:
        yield "break_even", {"minutes": least.minutes, "calls": least.calls, "longest": longest}
    yield "dropped", {"seconds": place.dropped_within_seconds}
    yield "cancellation", {}
    yield "given_back", {}
    if offer.renewal is Renewal.MANUAL:
        yield "renews_not", {"last": last}
    else:
        paid = day(offer.last_date - timedelta(days=PAID_DAYS_BEFORE), language)
        yield "renews", {"price": price, "paid": paid, "days": TOLD_DAYS_BEFORE}
