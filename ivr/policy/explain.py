"""A decision with every rule's view of it. Made by the same functions, so that it cannot say anything else."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ivr.policy.limits import (
    allowance_limits,
    longest_call_limits,
    schedule_limits,
    until_appointment_ends,
)
from ivr.policy.paying import balance_limit, payer, why_not
from ivr.policy.request import (
    CallRequest,
    Decision,
    Deny,
    Limit,
    NotCovered,
    NotPaying,
    Payer,
)
from ivr.policy.rules import RULES, Rule, decide, rate_is_known, somebody_pays

#: Rules that can say nothing where another one objects.
PRESUPPOSED: Mapping[Rule, Rule] = {somebody_pays: rate_is_known}


@dataclass(frozen=True, slots=True)
class View:
    """What one rule makes of a call; where it presupposes a rule that objects, it was not looked at."""

    rule: str
    says: str  # the rule, in a sentence
    objection: Deny | None
    looked_at: bool = True


@dataclass(frozen=True, slots=True)
class Explanation:
    """The decision, each rule's view in the order of precedence, and the value of each limit."""

    decision: Decision
    views: Sequence[View]
    limits: Sequence[Limit]
    payers: Mapping[Payer, NotPaying | NotCovered | None]  # what keeps each from paying; None: nothing


def explanation(ask: CallRequest) -> Explanation:
    """Why a call may be made or not, and how long."""
    limits = [*schedule_limits(ask), *longest_call_limits(ask), *allowance_limits(ask)]
    if (agreed := until_appointment_ends(ask)) is not None:
        limits.append(agreed)
    if ask.continues is not None and ask.continues.rest is not None:
        limits.append(ask.continues.rest)
    paid_by = payer(ask)
    if paid_by is not None and ask.price is not None and (affordable := balance_limit(ask, paid_by)):
        limits.append(affordable)
    views = [_view(rule, ask) for rule in RULES]
    return Explanation(decide(ask), views, limits, {each: why_not(ask, each) for each in Payer})


def _view(rule: Rule, ask: CallRequest) -> View:
    presupposed = PRESUPPOSED.get(rule)
    looked_at = presupposed is None or presupposed(ask) is None
    return View(rule.__name__, sentence(rule), rule(ask) if looked_at else None, looked_at)


def sentence(rule: Rule) -> str:
    """The first sentence of a rule's own description."""
    text = " ".join((inspect.getdoc(rule) or "").split())
    return f"{text.split('. ')[0].rstrip('.')}."
