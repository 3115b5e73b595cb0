"""Does with the card processor what was written down, and writes down what came of it.

Each payment is claimed before the processor is asked, so that two controllers do not ask at once; if one dies on the
way, the same is asked again under the same id, and done once. Requests run in threads: calls go on meanwhile.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Row

from accounts import holders, paid_calls, payment_effects, payments, reload
from accounts.db import Database
from accounts.payment_tables import PaymentKind, PaymentState
from accounts.payments import Declined, Done, Outcome, Unknown
from ivr.processor.interface import OnFile, Processor
from ivr.processor.redirect import way_to
from ivr.records.alerts import alert
from ivr.records.captures import captures_due
from rating.money import Money

log = structlog.get_logger(__name__)

EVERY_SECONDS: Final = 2.0
AT_ONCE: Final = 20
#: How long a called party waits for their card to be authorised.
PATIENCE_SECONDS: Final = 6.0
#: What somebody buys on a page, by language.
BOUGHT: Final = {"en": "Telephone calls", "es": "Llamadas telefónicas"}


class Paying:
    """The worker of one controller; payers reach its pages at `public_url`."""

    def __init__(
        self, database: Database, processor: Processor, now: Callable[[], datetime], *, public_url: str
    ) -> None:
        self._database = database
        self._public_url = public_url
        self._processor = processor
        self._now = now
        self._trying: set[asyncio.Task[None]] = set()  # payments that somebody waits for, or has waited for

    async def run(self) -> None:
        """Work until cancelled; a failure is logged, and what it left is done the next time."""
        while True:
            try:
                await self.work()
            except Exception:  # whatever it was, calls and other payments go on
                log.exception("payments were not worked on")
            await asyncio.sleep(EVERY_SECONDS)

    async def work(self) -> int:
        """Do everything that is due now; how many payments were tried."""
        for job in (reload.reload_due, captures_due, paid_calls.give_back):
            await self._database.transact(job, self._now())
        rows = await self._database.read(payments.due, self._now(), AT_ONCE)
        await asyncio.gather(*(self._try(row) for row in rows))
        return len(rows)

    async def authorise(self, payment_id: str, card: OnFile, amount: Money, **of: Any) -> Outcome:
        """Have a call's longest talk authorised while its called party waits.

        What is not known in time is not authorised: if the processor did it all the same, it is given back.
        """
        await self._database.transact(_ask_now, payment_id, amount, self._now(), of)
        asked = asyncio.to_thread(self._processor.authorise, payment_id, amount, card)
        try:
            outcome = await asyncio.wait_for(asked, PATIENCE_SECONDS)
        except TimeoutError:
            outcome = Unknown("no answer in time")
        if isinstance(outcome, Unknown):
            await self._database.transact(payments.try_soon, payment_id, self._now(), captured=Money(0))
        else:
            await self._database.transact(_authorised, payment_id, outcome, self._now())
        return outcome

    async def charge(self, payment_id: str, account_id: str, amount: Money) -> str:
        """Have the card on file charged for a deposit while its holder waits on the telephone; the payment's state.

        What is not known in time goes on: what the processor did is booked when it is known. The same id again charges
        nothing more.
        """
        asked = {"payment_id": payment_id, "kind": PaymentKind.RELOAD, "account_id": account_id}
        if await self._database.transact(_ask_payment, asked, amount, self._now()):
            row = await self._database.read(payments.payment_of, payment_id)
            assert row is not None
            trying = asyncio.create_task(self._try(row))
            self._trying.add(trying)
            trying.add_done_callback(self._trying.discard)
            await asyncio.wait([trying], timeout=PATIENCE_SECONDS)
        row = await self._database.read(payments.payment_of, payment_id)
        assert row is not None
        return str(row.state)

    async def _try(self, row: Row[Any]) -> None:
        if not await self._database.transact(payments.claim, row, self._now()):
            return
        holder = await self._database.read(_holder_of, row)
        outcome = await asyncio.to_thread(self._ask, row, holder)
        await self._database.transact(_keep, row, outcome, self._now(), self._public_url)

    def _ask(self, row: Row[Any], holder: holders.Holder | None) -> Outcome:
        """Ask the processor for what is to be done next."""
        processor, amount = self._processor, Money(row.amount)
        match PaymentKind(row.kind):
            case PaymentKind.CARD if row.state == PaymentState.PENDING:
                return processor.card(row.processor_id)
            case PaymentKind.DEPOSIT | PaymentKind.PAID_CALL | PaymentKind.CARD as kind:
                language = holder.language if holder else row.language or "en"
                return processor.page(
                    row.id,
                    None if kind is PaymentKind.CARD else amount,
                    what=BOUGHT[language],
                    language=language,
                    customer_id=holder.customer_id if holder else None,
                )
            case PaymentKind.RELOAD | PaymentKind.SUBSCRIPTION:
                card = _on_file(holder)
                return processor.charge(row.id, amount, card) if card else Declined("no card on file")
            case PaymentKind.AUTHORISATION:
                return self._ask_of_authorisation(row, holder)
            case PaymentKind.REFUND:
                return processor.refund(row.id, row.paid_as, amount)

    def _ask_of_authorisation(self, row: Row[Any], holder: holders.Holder | None) -> Outcome:
        """Capture what the call has cost, or void; of one whose answer was not waited for, learn the name before.

        What the processor will not capture, such as too small an amount, is given back to the payer at once.
        """
        processor, processor_id = self._processor, row.processor_id
        if row.captured:
            captured = processor.capture(row.id, processor_id, Money(row.captured))
            if not isinstance(captured, Declined):
                return captured
        if processor_id is None:
            card = _on_file(holder)
            late = (
                processor.authorise(row.id, Money(row.amount), card) if card else Declined("no card on file")
            )
            if not isinstance(late, Done):
                return late
            processor_id = late.processor_id
        return processor.void(row.id, processor_id)


def _on_file(holder: holders.Holder | None) -> OnFile | None:
    if holder is None or holder.customer_id is None or holder.card_id is None:
        return None
    return OnFile(holder.customer_id, holder.card_id)


def _holder_of(conn: Connection, row: Row[Any]) -> holders.Holder | None:
    return holders.holder_of(conn, row.account_id) if row.account_id else None


def _ask_now(conn: Connection, payment_id: str, amount: Money, at: datetime, of: dict[str, Any]) -> None:
    """Written down before the processor is asked; if we die before it answers, what it did is given back."""
    payments.ask(conn, payment_id=payment_id, kind=PaymentKind.AUTHORISATION, amount=amount, at=at, **of)
    payments.try_soon(conn, payment_id, at + payments.AGAIN_AFTER[2], captured=Money(0))


def _ask_payment(conn: Connection, asked: dict[str, Any], amount: Money, at: datetime) -> bool:
    return payments.ask(conn, **asked, amount=amount, at=at)


def _authorised(conn: Connection, payment_id: str, outcome: Outcome, at: datetime) -> None:
    """The answer came in time: what is to be captured is known when the call is settled."""
    payments.leave(conn, payment_id, at)
    payment_effects.record(conn, payment_id, outcome, at)


def _keep(conn: Connection, row: Row[Any], outcome: Outcome, at: datetime, public_url: str) -> None:
    """Write down what came of a try; after the last one that told nothing, staff are to look."""
    if isinstance(outcome, Done) and outcome.url is not None:
        code = payments.way_to_page(conn, row.id, outcome.url)
        outcome = replace(outcome, url=way_to(public_url, code))
    if isinstance(outcome, Unknown):
        if row.tries + 1 >= len(payments.AGAIN_AFTER):
            payments.leave(conn, row.id, at, failure=outcome.why)
            alert(
                conn, "payment_unknown", f"payment {row.id}: the processor does not answer: {outcome.why}", at
            )
        return
    is_news = payment_effects.record(conn, row.id, outcome, at)
    if is_news and row.kind == PaymentKind.REFUND and isinstance(outcome, Declined):
        told = f"refund {row.id} was not taken by the card ({outcome.why}): pay it by other means"
        alert(conn, "refund_failed", told, at)
