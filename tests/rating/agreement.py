"""What holds for every call under every price; each check raises AssertionError."""

from rating.money import Money
from rating.price import charge, first_increment_price, longest_talk_ms
from rating.tariff import Rate
from tests.rating.slow import slow_charge
from tests.rating.tariffs import Case

CAP_MS = 14_400_000


def check_charge(case: Case) -> None:
    """The fast way and the slow way come to the same charge."""
    fast = charge(case.price, case.started_at, case.talk_ms)
    slow = slow_charge(case.price, case.started_at, case.talk_ms)
    assert fast.billed_seconds == slow.billed_seconds, case
    assert fast.amount == slow.amount, case
    assert [line.amount for line in fast.taxes] == slow.taxes, case
    assert fast.total == slow.total, case
    assert 0 <= fast.connect_fee <= fast.amount <= fast.total


def check_longest(case: Case) -> None:
    """The longest talk is paid for, and a millisecond more is not."""
    longest_ms = longest_talk_ms(case.price, case.started_at, case.available, CAP_MS)
    assert 0 <= longest_ms <= CAP_MS
    paid = charge(case.price, case.started_at, longest_ms)
    assert paid.total <= case.available, case
    if longest_ms == CAP_MS:
        return
    longer = charge(case.price, case.started_at, longest_ms + 1)
    rate = case.price.timetable.rate_at(case.started_at)
    if disconnects(rate) and longer == paid:
        return  # it would have ended here, whatever there is to pay with
    assert longer.total > case.available, case
    if longest_ms == 0 and not disconnects(rate):
        assert first_increment_price(case.price, case.started_at) > case.available


def check_monotone(case: Case, other_ms: int) -> None:
    """Longer talk never costs less."""
    shorter, longer = (
        charge(case.price, case.started_at, talk_ms) for talk_ms in sorted((case.talk_ms, other_ms))
    )
    assert shorter.total <= longer.total, case
    assert shorter.amount <= longer.amount, case
    assert shorter.billed_seconds <= longer.billed_seconds, case


def check_more_money(case: Case, other: Money) -> None:
    """More money never shortens the talk."""
    less, more = sorted((case.available, other))
    assert longest_talk_ms(case.price, case.started_at, less, CAP_MS) <= longest_talk_ms(
        case.price, case.started_at, more, CAP_MS
    ), case


def disconnects(rate: Rate) -> bool:
    return rate.max_cost is not None and rate.max_cost_then == "disconnect"
