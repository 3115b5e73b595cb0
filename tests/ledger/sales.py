"""What the tests of bought subscriptions share: a family's account, a plan, and a processor that obeys."""

from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, select, update

from accounts import ledger, payers
from accounts.db import Database
from accounts.holders import put_holder
from accounts.payment_tables import PaymentState, notice, payment
from accounts.subscribed import Period, Subscription, Terms, periods_of, subscription_of
from accounts.subscriptions import bought, buy, start
from accounts.tables import Renewal, account, subscription
from accounts.verification import verify
from rating.money import Money

JAIL, NUMBER, FAMILY = "example-county-jail", "+12175550102", "prepaid/family"
ZONE = "America/Chicago"
PRICE = Money(20_000_000)
PLAN = Terms("family-100", PRICE, 100)
NOON = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


def open_family(conn: Connection, cents: int = 0, *, card: bool = False, account_id: str = FAMILY) -> None:
    """A prepaid account whose holder is told by SMS."""
    payers.open_prepaid(conn, account_id=account_id, at=NOON)
    put_holder(conn, account_id, NOON, mobile="+12175550190", card_id="card_1" if card else None)
    if cents:
        pay_in(conn, cents, "opening", account_id)


def pay_in(conn: Connection, cents: int, name: str, account_id: str = FAMILY) -> None:
    """Money has come in."""
    amount = Money(cents * 10_000)
    payers.deposit(conn, transfer_id=f"deposit/{name}", account_id=account_id, amount=amount, at=NOON)


def begin(
    conn: Connection, at: datetime = NOON, renewal: Renewal = Renewal.AUTO, terms: Terms = PLAN
) -> Subscription:
    """A subscription whose first period is bought, or asked of the card."""
    held = start(
        conn,
        facility_id=JAIL,
        number=NUMBER,
        state="US-IL",
        time_zone=ZONE,
        account_id=FAMILY,
        terms=terms,
        renewal=renewal,
        at=at,
    )
    buy(conn, held.id, at)
    return held


def asked(conn: Connection) -> list[str]:
    """The payments that the processor has still to do."""
    waiting = select(payment.c.id).where(payment.c.state == PaymentState.ASKED)
    return list(conn.scalars(waiting.order_by(payment.c.made_at, payment.c.id)))


def succeed(conn: Connection, payment_id: str, at: datetime) -> bool:
    """The card has paid: its money comes in, and what it is for, as often as that is told."""
    row = conn.execute(select(payment).where(payment.c.id == payment_id)).one()
    done = {"state": PaymentState.SUCCEEDED, "changed_at": at}
    conn.execute(update(payment).where(payment.c.id == payment_id).values(**done))
    name = f"payment/{payment_id}"
    if ledger.find_transfer(conn, name) is None:
        payers.deposit(conn, transfer_id=name, account_id=row.account_id, amount=row.amount, at=at)
    return bought(conn, row.subscription_id, payment_id, at)


def fail(conn: Connection, payment_id: str, at: datetime) -> None:
    """The card was refused."""
    done = {"state": PaymentState.FAILED, "failure": "card_declined", "changed_at": at}
    conn.execute(update(payment).where(payment.c.id == payment_id).values(**done))


def stands(conn: Connection, subscription_id: str) -> Subscription:
    """The subscription as it stands."""
    found = subscription_of(conn, subscription_id)
    assert found is not None
    return found


def days(conn: Connection, subscription_id: str) -> list[tuple[str, str]]:
    """The first and last day of each period."""
    return [(str(each.first_date), str(each.last_date)) for each in periods_of(conn, subscription_id)]


def newest_period(conn: Connection, subscription_id: str) -> Period:
    """The period that was bought last."""
    return periods_of(conn, subscription_id)[-1]


def use(conn: Connection, period: Period, calls: int, name: str = "") -> None:
    """So many calls are made and settled."""
    for n in range(calls):
        hold_call(conn, period, f"{name}{n}")
        settle_call(conn, period, f"{name}{n}")


def hold_call(conn: Connection, period: Period, name: str) -> None:
    """A call is in progress."""
    hold = f"{period.account_id}/call-{name}/hold"
    used = payers.CALLS_USED
    ledger.hold(conn, transfer_id=hold, debit_id=period.account_id, credit_id=used, amount=1, at=NOON)


def settle_call(conn: Connection, period: Period, name: str) -> None:
    """The call is over, and counts."""
    call = f"{period.account_id}/call-{name}"
    ledger.settle(conn, transfer_id=f"{call}/end", hold_id=f"{call}/hold", amount=1, at=NOON)


def told(conn: Connection) -> list[tuple[str, str]]:
    """The kind of every notice and what it tells, in their order."""
    rows = conn.execute(select(notice.c.kind, notice.c.told).order_by(notice.c.id))
    return [(kind, said) for kind, said in rows]


def left(conn: Connection, account_id: str = FAMILY) -> int:
    """What is available: cents of an account of money, calls of a period."""
    is_money = conn.scalar(select(account.c.unit).where(account.c.id == account_id)) == "USD"
    return ledger.balance(conn, account_id).available // (10_000 if is_money else 1)


def assert_proved(database: Database) -> None:
    """The book adds up, nobody is overdrawn, no day is in two periods, and no period gave more calls than it had."""
    assert database.read_now(verify).faults == ()
    database.read_now(_check_periods)


def _check_periods(conn: Connection) -> None:
    for each in conn.scalars(select(subscription.c.id)):
        found = periods_of(conn, each)
        for before, after in pairwise(found):
            assert before.last_date < after.first_date
        for period in found:
            sold = ledger.find_transfer(conn, f"{period.account_id}/credit")
            assert sold is not None
            assert ledger.balance(conn, period.account_id).debits <= sold.amount


def run(database: Database, work: Any, *args: Any, **kwargs: Any) -> Any:
    """One transaction."""
    return database.transact_now(work, *args, **kwargs)


def local(day: str, hour: int = 18) -> datetime:
    """A day at the jail: noon in winter."""
    found = date.fromisoformat(day)
    return datetime(found.year, found.month, found.day, hour, tzinfo=UTC)
