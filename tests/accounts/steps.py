"""What happens in a schedule: each step in the transactions that the program does it in, done again without effect."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, select

from accounts import disputes, paid_calls, payments, refunds, reload
from accounts.holders import put_holder
from accounts.ledger import balance
from accounts.payment_effects import record
from accounts.payment_tables import PaymentKind, PaymentState, payment
from accounts.payments import Card, Declined, Done, Unknown
from ivr.controls.authorisation import authorise
from ivr.controls.facts import Choice
from ivr.controls.settlement import Ending, settle
from ivr.jobs import JOBS
from ivr.policy.reasons import Outcome
from ivr.policy.request import Allow, Payer
from ivr.policy.talk import Evidence, Kind
from ivr.records import calls
from ivr.records.captures import captures_due
from ivr.records.evidence import EVENT
from ivr.records.states import Leg
from ivr.records.tables import call as call_table
from ivr.renewing import close_ended, renew_due, tell_renewals
from rating.money import Money, format_money
from tests.accounts.world import CARD, FAMILY, INMATES, JAIL, NUMBERS, PLAN, SESSION, STATION, Run

MINUTE, DAY = 60.0, 86_400.0
CENTS: Final = (7, 45, 100)
WHO, NUMBER = (0, 0, 1), (0, 0, 1, 2, 3, 3)
CHOICES: Final = (None, None, None, Payer.DEBIT, Payer.CARD)
ENDS: Final = ("hung up", "hung up", "not answered", "dropped", "unseen")
SECONDS: Final = (0.5, 20, 61, 130, 900)
Work = Callable[[Connection, datetime], int]
#: What comes round by itself: every few seconds, and every hour.
WORK: Final[Mapping[str, Sequence[Work]]] = {
    "payments": (reload.reload_due, captures_due, paid_calls.give_back),
    "subscriptions": (renew_due, close_ended, tell_renewals),
    "the rest": tuple(JOBS.values()),
}
_UNSEALED: Final = select(call_table.c.id).where(call_table.c.sealed_at.is_(None))
_FINAL: Final = (PaymentState.SUCCEEDED, PaymentState.FAILED, PaymentState.VOIDED)
_PAGES: Final = (PaymentKind.DEPOSIT, PaymentKind.PAID_CALL)
_VISA: Final = Card("cus_1", "pm_1", "Visa 4242", (2031, 5))


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens; `dies_after` so many of its commits the process is killed, and `again` it is repeated."""

    kind: str
    how: Mapping[str, Any]
    dies_after: int | None = None
    again: bool = False

    def __str__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in self.how.items())
        dies = "" if self.dies_after is None else f"; dies after {self.dies_after} commits"
        return f"{self.kind}({said}){dies}{'; again' if self.again else ''}"


# -- calls


def begin(run: Run, name: int, who: int, number: int, choice: Payer | None) -> None:
    """A call is keyed, decided on, and accepted if it may be made; its record stands before that."""
    call_id = f"{name:032x}"
    if call_id in run.calls:
        return
    key, chosen = run.inmates[who], Choice(choice, CARD) if choice else None
    run.calls.append(call_id)
    run.transact(
        calls.open_call,
        call_id=call_id,
        session_id=SESSION,
        facility_id=JAIL,
        station_id=STATION,
        inmate=key,
        dialled=NUMBERS[number],
        language="en",
        at=run.at,
    )
    keys = NUMBERS[number].removeprefix("+1")
    made = run.transact(
        authorise, run.facility, call_id=call_id, inmate=key, dialled=keys, at=run.at, choice=chosen
    )
    if not isinstance(made.decision, Allow):
        run.transact(settle, call_id, Ending(Outcome.CALLER_HUNG_UP), at=run.at, version="test")
        return
    run.in_progress.append(call_id)
    run.transact(calls.offer, call_id, dialled_at=run.at, carrier=None, at=run.at)
    run.transact(calls.accept, call_id, key="1", language="en", at=run.at)


def end(run: Run, name: int, which: int, seconds: float, how: str) -> None:
    """One of the calls in progress ends; the clock stands at its end."""
    if run.in_progress:
        _end(run, run.in_progress[which % len(run.in_progress)], seconds, how)


def call(
    run: Run, name: int, *, who: int, number: int, choice: Payer | None, seconds: float, how: str
) -> None:
    """A whole call."""
    call_id = f"{name:032x}"
    begin(run, name, who, number, choice)
    if call_id in run.in_progress:
        _end(run, call_id, seconds, how)


def _end(run: Run, call_id: str, seconds: float, how: str) -> None:
    began, ended = run.at, run.at + timedelta(seconds=seconds)
    seen = [Evidence(Kind.TALK_FROM, began), Evidence(Kind.TALK_TO, ended)]
    if how == "not answered":
        seen, ending = [], Ending(Outcome.NO_ANSWER, "NOANSWER")
    elif how == "dropped":
        ending = Ending(Outcome.SYSTEM_FAULT, cause=38, ended_by=Leg.CALLED_PARTY)
    elif how == "unseen":
        seen, ending = seen[:1], Ending(Outcome.SYSTEM_FAULT)
    else:
        ending = Ending(Outcome.SYSTEM_FAULT, cause=16, ended_by=Leg.CALLED_PARTY)
    for _ in range(2):  # the dialogue and the event both settle it
        run.transact(settle, call_id, ending, at=ended, version="test", seen=seen, source=EVENT)
    run.in_progress.remove(call_id)
    run.at = ended


def restart(run: Run) -> None:
    """The controller is there again, Asterisk has no call any more: whatever is open is settled."""
    run.commits_left = None
    for call_id in run.transact(lambda conn: conn.scalars(_UNSEALED).all()):
        run.transact(settle, call_id, Ending(Outcome.SYSTEM_FAULT), at=run.at, version="test")
    run.in_progress.clear()


# -- money


def deposit(run: Run, name: int, account: str, cents: int) -> None:
    """Staff book money that has come in."""
    amount = format_money(Money(cents * 10_000))
    run.staff("account deposit", account_id=account, amount=amount, reference=f"d{name}")


def hand_over(run: Run, name: int, cents: int) -> None:
    """The facility's trust hands over an inmate's money by a file."""
    row = f"T-{name},{INMATES[0]},{format_money(Money(cents * 10_000))},trust"
    run.staff("account transfer-file", file="t.csv", csv=f"reference,inmate_id,amount,kind\n{row}\n")


def refund(run: Run, name: int, account: str) -> None:
    """Staff give back what is available, by hand."""
    run.staff("account refund", account_id=account, reference=f"r{name}")


def refund_to_card(run: Run, name: int, cents: int) -> None:
    """The family gets money back on its card, as far as that has paid."""
    run.transact(_refund_to_card, Money(cents * 10_000), f"c{name}", run.at)


def _refund_to_card(conn: Connection, amount: Money, reference: str, at: datetime) -> None:
    if balance(conn, FAMILY).available >= amount:
        refunds.give_back(conn, account_id=FAMILY, amount=amount, reference=reference, at=at)


def adjust(run: Run, name: int, account: str, cents: int) -> None:
    """Staff credit an account at the provider's loss, then find that it was a mistake."""
    asked = {"account_id": account, "reference": f"a{name}"}
    run.staff("account adjust", credit=format_money(Money(cents * 10_000)), **asked)
    run.staff("account adjust", reverse=f"adjust/a{name}", **asked)


def complain(run: Run, name: int, which: int) -> None:
    """What a call took is given back in full."""
    if run.calls:
        run.staff("account dispute", call_id=run.calls[which % len(run.calls)], decision="refund")


def close(run: Run, name: int, account: str) -> None:
    """A holder wants everything back."""
    run.staff("account close", account_id=account, reference=f"x{name}")


def leave(run: Run, name: int) -> None:
    """An inmate is released, and the trust takes their money back by a file."""
    run.staff("inmate release", inmate_id=INMATES[0])
    run.staff("account release-file", reference=f"l{name}")


def card_cancelled(run: Run, name: int) -> None:
    """A calling card is lost."""
    run.staff("card cancel", batch_id="proof", reference=f"k{name}")


def reclaim(run: Run, name: int, exported: bool) -> None:
    """A holder comes back after a long time; a state may have been told of the money before."""
    if exported:
        run.staff("account unclaimed", state="IL")
    run.staff("account reclaim", account_id=FAMILY)


# -- subscriptions


def subscribe(run: Run, name: int, number: int, renewal: str) -> None:
    """The family buys a plan."""
    asked = {"plan": PLAN, "account_id": FAMILY, "renewal": renewal, "agreed": True}
    run.staff("subscription start", number=NUMBERS[number % 2], **asked)


def resubscribe(run: Run, name: int, number: int, what: str) -> None:
    """The family changes how it renews, renews by hand, cancels, or does so after all not."""
    of = {"number": NUMBERS[number % 2]}
    match what:
        case "renew":
            run.staff("subscription renew", **of, agreed=True)
        case "cancel":
            run.staff("subscription cancel", **of)
        case "undo":
            run.staff("subscription cancel", **of, undo=True)
        case renewal:
            run.staff("subscription change", **of, renewal=renewal, agreed=True)


def end_early(run: Run, name: int, number: int) -> None:
    """Whom the family talks to is transferred."""
    run.staff("subscription end", number=NUMBERS[number % 2], because="transferred")


# -- the card processor


def put_card(run: Run, name: int, below: int | None) -> None:
    """The family puts a card on file, and may have its account filled by itself."""
    filled = (
        {"reload_below": None, "reload_amount": None}
        if below is None
        else {"reload_below": Money(below * 10_000), "reload_amount": Money(500_000)}
    )
    card = {"customer_id": "cus_1", "card_id": "pm_1", "card_label": "Visa 4242"}
    run.transact(lambda conn: put_holder(conn, FAMILY, run.at, **card, **filled))


def pay(run: Run, name: int, cents: int, number: int | None) -> None:
    """Somebody asks for a page to pay on: into the family's account, or for one call to a number."""
    asked: dict[str, Any] = {"payment_id": f"page-{name}", "amount": Money(cents * 10_000), "at": run.at}
    if number is None:
        run.transact(payments.ask, **asked, kind=PaymentKind.DEPOSIT, account_id=FAMILY)
        return
    whose: dict[str, Any] = {"facility_id": JAIL, "number": NUMBERS[number], "language": "en"}
    run.transact(payments.ask, **asked, **whose, kind=PaymentKind.PAID_CALL)


def processed(run: Run, name: int, does: str) -> None:
    """The processor does, refuses, or leaves in the dark all that it was asked for; it tells so twice."""
    waiting = select(payment).where(payment.c.state.not_in(_FINAL)).order_by(payment.c.id)
    for row in run.transact(lambda conn: conn.execute(waiting).all()):
        if row.kind in _PAGES:
            page = Done(PaymentState.PENDING, f"cs_{row.id}", url="https://pay.example/1")
            run.transact(record, row.id, page, run.at)
        outcomes: Mapping[str, Done | Declined | Unknown] = {
            "pays": Done(PaymentState.SUCCEEDED, f"pi_{row.id}", card=_VISA if row.account_id else None),
            "declines": Declined("card_declined"),
            "is silent": Unknown("no answer in time"),
        }
        for _ in range(2):
            run.transact(record, row.id, outcomes[does], run.at)


def told_late(run: Run, name: int, which: int, does: str) -> None:
    """A webhook comes late, twice, and out of order, about a payment however that stands."""
    rows = run.transact(lambda conn: conn.execute(select(payment).order_by(payment.c.id)).all())
    if not rows:
        return
    row = rows[which % len(rows)]
    outcome = Done(PaymentState.SUCCEEDED, f"pi_{row.id}") if does == "pays" else Declined("expired")
    run.transact(record, row.id, outcome, run.at)


def disputed(run: Run, name: int, which: int, lost: bool) -> None:
    """A payer disputes a payment with their bank, which decides."""
    paid = select(payment).where(
        payment.c.state == PaymentState.SUCCEEDED, payment.c.kind != PaymentKind.REFUND
    )
    rows = run.transact(lambda conn: conn.execute(paid.order_by(payment.c.id)).all())
    if not rows:
        return
    row, dispute_id = rows[which % len(rows)], f"dp_{rows[which % len(rows)].id}"
    run.transact(
        disputes.opened, dispute_id=dispute_id, payment_id=row.id, amount=Money(row.amount), at=run.at
    )
    run.transact(disputes.closed, dispute_id=dispute_id, lost=lost, at=run.at)


# -- time


def wait(run: Run, name: int, seconds: float) -> None:
    """Nothing happens, and calls in progress do not last so long."""
    if not run.in_progress or seconds < 10 * MINUTE:
        run.at += timedelta(seconds=seconds)


def jobs(run: Run, name: int, which: str) -> None:
    """What is due by now is done."""
    for work in WORK[which]:
        run.transact(work, run.at)


_DEBIT: Final = f"debit/{JAIL}/{INMATES[0]}"
_CALL: Final[Mapping[str, Sequence[Any]]] = {"who": WHO, "number": NUMBER, "choice": CHOICES}
_END: Final[Mapping[str, Sequence[Any]]] = {"seconds": SECONDS, "how": ENDS}
_RENEWALS: Final = ("auto", "manual")
#: Every kind of step, how often it is drawn beside the others, and what it may be done with.
KINDS: Final[Mapping[str, tuple[Callable[..., None], int, Mapping[str, Sequence[Any]]]]] = {
    "call": (call, 6, {**_CALL, **_END}),
    "begin": (begin, 4, _CALL),
    "end": (end, 3, {"which": range(2), **_END}),
    "deposit": (deposit, 2, {"account": (FAMILY, _DEBIT), "cents": CENTS}),
    "hand_over": (hand_over, 1, {"cents": CENTS}),
    "refund": (refund, 1, {"account": (FAMILY, _DEBIT)}),
    "refund_to_card": (refund_to_card, 2, {"cents": CENTS}),
    "adjust": (adjust, 1, {"account": (FAMILY, _DEBIT, CARD), "cents": CENTS}),
    "complain": (complain, 2, {"which": range(3)}),
    "close": (close, 1, {"account": (FAMILY, _DEBIT, f"direct/{JAIL}/defender")}),
    "leave": (leave, 1, {}),
    "card_cancelled": (card_cancelled, 1, {}),
    "reclaim": (reclaim, 1, {"exported": (False, True)}),
    "subscribe": (subscribe, 3, {"number": (0, 0, 1), "renewal": _RENEWALS}),
    "resubscribe": (
        resubscribe,
        3,
        {"number": (0, 0, 1), "what": ("renew", "cancel", "undo", *_RENEWALS)},
    ),
    "end_early": (end_early, 1, {"number": (0, 0, 1)}),
    "put_card": (put_card, 2, {"below": (None, 30)}),
    "pay": (pay, 3, {"cents": CENTS, "number": (None, 3, 3)}),
    "processed": (processed, 4, {"does": ("pays", "pays", "declines", "is silent")}),
    "told_late": (told_late, 2, {"which": range(4), "does": ("pays", "declines")}),
    "disputed": (disputed, 1, {"which": range(3), "lost": (False, True)}),
    "wait": (wait, 4, {"seconds": (1, MINUTE, 1.1 * DAY, 29 * DAY, 31 * DAY, 91 * DAY, 181 * DAY)}),
    "jobs": (jobs, 6, {"which": tuple(WORK)}),
}
