"""Subscriptions against the rules for alternate pricing plans (47 CFR 64.6140): so many calls for one price.

The section was adopted in 2024 and waits for the approval of its paperwork; whether it is in force is not
established. Its rules are checked all the same: a plan that keeps them is lawful either way. A plan breaks even
where the payer has paid no more than the same talk costs by the minute; a payer who talks less pays more.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from rating.breach import Breach
from rating.caps import Cap
from rating.money import Money, format_money

SECTION = "47 CFR 64.6140"

#: A period of more days than the shortest month can be longer than a month, which no plan may be.
SHORTEST_MONTH_DAYS = 28


@dataclass(frozen=True, slots=True)
class Plan:
    """What is offered: `calls` calls of any length that the facility permits, for one price a period."""

    price: Money  # all that is paid for a period, taxes and fees included
    calls: int
    period_days: int | None = None  # None: one calendar month
    optional: bool = True  # whether a payer may do without, and pay by the minute
    overage_per_minute: Money | None = None  # after the last call; None: the ordinary price by the minute

    def __post_init__(self) -> None:
        """Refuse a plan that offers nothing; raises ValueError."""
        if self.price < 0 or (self.overage_per_minute is not None and self.overage_per_minute < 0):
            raise ValueError("a price is never negative")
        if self.calls < 1:
            raise ValueError("a plan has one call at least")
        if self.period_days is not None and self.period_days < 1:
            raise ValueError("a period lasts one day at least")

    @property
    def sure_days(self) -> int:
        """The days that every period has; a calendar month counts as the shortest."""
        return SHORTEST_MONTH_DAYS if self.period_days is None else self.period_days


@dataclass(frozen=True, slots=True)
class BreakEven:
    """The least use at which a plan costs no more than paying by the minute; both rounded up."""

    calls: int  # each as long as the facility permits
    minutes: int


@dataclass(frozen=True, slots=True)
class Quota:
    """The most that one inmate may use in a day, a week and a month; None where there is no limit."""

    a_day: int | None = None
    a_week: int | None = None
    a_month: int | None = None

    def in_days(self, days: int) -> int | None:
        """The most in a period of `days`, pro rata for weeks; a month's quota is there for any shorter period."""
        bounds = [
            None if self.a_day is None else self.a_day * days,
            None if self.a_week is None else self.a_week * days // 7,
            self.a_month,
        ]
        return min((bound for bound in bounds if bound is not None), default=None)


NO_QUOTA = Quota()


@dataclass(frozen=True, slots=True)
class FacilityLimits:
    """What a facility's rules let one inmate use."""

    longest_call_minutes: int
    open_minutes_a_week: int = 7 * 24 * 60  # the hours in which its phones may be used
    calls: Quota = NO_QUOTA
    minutes: Quota = NO_QUOTA

    def __post_init__(self) -> None:
        """Refuse a facility without any call; raises ValueError."""
        if self.longest_call_minutes < 1:
            raise ValueError("the longest call lasts one minute at least")

    def most_calls(self, days: int) -> int | None:
        """The most calls in a period of `days`; None where only the time bounds them."""
        return self.calls.in_days(days)

    def most_minutes(self, days: int) -> int:
        """The most minutes of talk in a period of `days`, whichever rule is the shortest."""
        calls, minutes = self.most_calls(days), self.minutes.in_days(days)
        bounds = [
            self.open_minutes_a_week * days // 7,
            None if calls is None else calls * self.longest_call_minutes,
            minutes,
        ]
        return min(bound for bound in bounds if bound is not None)


def break_even(plan: Plan, per_minute: Money, longest_call_minutes: int) -> BreakEven:
    """Where the plan costs no more than talk at `per_minute`, in whole minutes and in calls of full length.

    A price of 20.00 at .11 a minute breaks even at 182 minutes, or at 13 calls of 15 minutes. Raises ValueError
    if calls cost nothing by the minute, because then no plan ever pays, and for a call without length.
    """
    if per_minute <= 0:
        raise ValueError("a plan never breaks even where a minute costs nothing")
    if longest_call_minutes < 1:
        raise ValueError("the longest call lasts one minute at least")
    return BreakEven(
        calls=-(-plan.price // (per_minute * longest_call_minutes)), minutes=-(-plan.price // per_minute)
    )


def breaches(
    plan: Plan, *, per_minute: Money | None, cap: Cap | None, facility: FacilityLimits
) -> list[Breach]:
    """Every rule of 47 CFR 64.6140 that the plan breaks in the facility, one plain sentence each.

    `per_minute` is the least that a payer pays for a minute of the calls that the plan covers (None: they have no
    price), `cap` the least that the law allows for it while the plan is offered (None: no cap is known). An empty list
    says that the plan may be offered, not that it pays for everybody: what it takes to break even must be told before
    it is bought.
    """
    if per_minute is None:
        sentence = (
            f"No tariff has a price of calls inside the state, by which a plan is measured ({SECTION}(b)(1))."
        )
        return [*_form(plan), Breach("plan-no-price", sentence)]
    return [
        *_form(plan),
        *_price_of_a_minute(plan, cap, facility.longest_call_minutes),
        *_overage(plan, per_minute),
        *_use_that_pays(plan, per_minute, facility),
    ]


def _form(plan: Plan) -> Iterator[Breach]:
    if not plan.optional:
        yield Breach("plan-optional", f"A plan must be optional, but this one is not ({SECTION}(a)(2)).")
    if plan.sure_days > SHORTEST_MONTH_DAYS:
        yield Breach(
            "plan-one-month",
            f"A plan's period may be one month at most, but {plan.period_days} days can be longer than February; "
            f"take a calendar month, or {SHORTEST_MONTH_DAYS} days at most ({SECTION}(a)(3)).",
        )


def _price_of_a_minute(plan: Plan, cap: Cap | None, longest_call_minutes: int) -> Iterator[Breach]:
    minutes = plan.calls * longest_call_minutes
    if cap is not None and plan.price > cap.per_minute * minutes:
        yield Breach(
            "plan-price",
            f"{plan.calls} calls of {longest_call_minutes} minutes may cost at most "
            f"{format_money(Money(cap.per_minute * minutes))}, {format_money(cap.per_minute)} a minute ({cap.rule}), "
            f"but the plan costs {format_money(plan.price)} ({SECTION}(b)(1)).",
        )


def _overage(plan: Plan, per_minute: Money) -> Iterator[Breach]:
    if plan.overage_per_minute is not None and plan.overage_per_minute > per_minute:
        yield Breach(
            "plan-overage",
            f"After the plan's last call a minute may cost at most the ordinary {format_money(per_minute)}, but "
            f"{format_money(plan.overage_per_minute)} is asked ({SECTION}(b)(3)).",
        )


def _use_that_pays(plan: Plan, per_minute: Money, facility: FacilityLimits) -> Iterator[Breach]:
    if plan.price == 0:
        return
    if per_minute <= 0:
        yield Breach(
            "plan-break-even", f"Calls cost nothing by the minute, so the plan never pays ({SECTION}(b)(1))."
        )
        return
    needed = break_even(plan, per_minute, facility.longest_call_minutes)
    if needed.calls > plan.calls:
        yield Breach(
            "plan-break-even",
            f"The plan pays only from {needed.calls} calls of {facility.longest_call_minutes} minutes, but it has "
            f"{plan.calls} ({SECTION}(b)(1)).",
        )
    calls, minutes = facility.most_calls(plan.sure_days), facility.most_minutes(plan.sure_days)
    if calls is not None and needed.calls > calls:
        yield Breach(
            "plan-fits-facility",
            f"The plan pays only from {needed.calls} calls, but the facility allows {calls} in a period of "
            f"{plan.sure_days} days ({SECTION}(a)(4)).",
        )
    if needed.minutes > minutes:
        yield Breach(
            "plan-fits-facility",
            f"The plan pays only from {needed.minutes} minutes, but the facility allows {minutes} in a period of "
            f"{plan.sure_days} days ({SECTION}(a)(4)).",
        )
