"""What a facility's file says of who pays for calls: terms, plans, accounts and subscriptions."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from ivr.facility.entries import Entry
from ivr.facility.fields import E164, Amount, Day, Funding, Whole
from ivr.facility.refusing import refuse_backwards
from rating.form import Slug
from rating.money import ZERO


class PlanEntry(Entry):
    """`[[plan]]`: so many calls to one number for one price a period; nobody need have one (47 CFR 64.6140)."""

    id: Slug
    price: Amount  # taxes and fees included
    calls: Annotated[Whole, Field(ge=1, le=100)]  # what can be spoken


class FundingEntry(Entry):
    """`[funding]`: who may pay for calls from here, and on what terms."""

    payers: list[Funding] = ["subscription", "prepaid"]
    collect_limit: Amount = ZERO  # what one number may owe for collect calls
    courtesy_minutes: Annotated[Whole, Field(ge=0, le=15)] = 2  # of the one call that a number gets
    dropped_within_seconds: Annotated[Whole, Field(ge=0, le=900)] = (
        60  # a talk that fails so early is given back
    )
    continues_within_seconds: Annotated[Whole, Field(ge=0, le=900)] = (
        0  # so soon after, a call continues the last
    )

    @field_validator("payers")
    @classmethod
    def _prepaid_beside_collect(cls, payers: list[Funding]) -> list[Funding]:
        if "collect" in payers and "prepaid" not in payers:
            raise ValueError(
                "expected prepaid beside collect, where a number that may owe no more is refused (47 CFR 64.6050)"
            )
        return payers


class PrepaidEntry(Entry):
    """`[[prepaid]]`: a called party's account, opened with a deposit."""

    account: Slug
    numbers: list[E164]
    opening_balance: Amount


class SubscriptionEntry(Entry):
    """`[[subscription]]`: so many calls to one number. Without `starts_on` a period of a month starts at loading."""

    number: E164
    calls: Annotated[Whole, Field(ge=1, le=100)] | None = None  # what can be spoken; else those of the plan
    plan: Slug | None = None
    starts_on: Day | None = None
    ends_on: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        refuse_backwards("starts_on", self.starts_on, "ends_on", self.ends_on)
        if (self.calls is None) == (self.plan is None):
            raise ValueError("expected either calls or plan")
        return self
