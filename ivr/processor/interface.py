"""What a card processor has to do for us. Every request bears a payment's id, under which it is done once."""

from dataclasses import dataclass
from typing import Protocol

from accounts.payments import Outcome
from rating.money import Money


@dataclass(frozen=True, slots=True)
class OnFile:
    """The processor's names of a customer and of a card."""

    customer_id: str
    card_id: str


class Processor(Protocol):
    """Each answers Done, Declined, or Unknown where the processor could not be asked or did not answer in time."""

    def page(
        self, key: str, amount: Money | None, *, what: str, language: str, customer_id: str | None
    ) -> Outcome:
        """A page on which somebody pays an amount, or without one puts a card on file; Done has its address."""

    def charge(self, key: str, amount: Money, card: OnFile) -> Outcome:
        """Take an amount from a card whose holder is not there, having agreed to it before."""

    def authorise(self, key: str, amount: Money, card: OnFile) -> Outcome:
        """Have an amount reserved on a card."""

    def capture(self, key: str, processor_id: str, amount: Money) -> Outcome:
        """Take a part or all of what was reserved; the rest is free again."""

    def void(self, key: str, processor_id: str) -> Outcome:
        """Give back what was reserved."""

    def refund(self, key: str, processor_id: str, amount: Money) -> Outcome:
        """Give back a part or all of a payment."""

    def card(self, processor_id: str) -> Outcome:
        """The card that was put on file on a page; Done has it."""
