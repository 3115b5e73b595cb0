"""Any order of deposits, holds, settlements, releases, repetitions and contradictions, against a model."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from accounts import ledger
from accounts.db import Database
from accounts.ledger import HoldClosed, InsufficientFunds, MoreThanHeld, TransferConflict
from accounts.payers import CALLS_SOLD, CALLS_USED, CASH, REVENUE
from accounts.tables import AccountKind, TransferKind, Unit
from accounts.verification import verify
from tests.ledger.books import AT

MONEY = "prepaid"
CALLS = "period"
SOURCE = {MONEY: CASH, CALLS: CALLS_SOLD}
SINK = {MONEY: REVENUE, CALLS: CALLS_USED}
amounts = st.integers(0, 12)


@dataclass
class Purse:
    """What the model knows of one account."""

    available: int = 0
    held: int = 0


@dataclass(frozen=True)
class Hold:
    """A hold that was made; the model keeps the open ones."""

    id: str
    purse: str
    amount: int


@dataclass
class Model:
    """The ledger in a few lines: purses, open holds, and every transfer that was ever posted."""

    purses: dict[str, Purse] = field(default_factory=lambda: {MONEY: Purse(), CALLS: Purse()})
    spent: dict[str, int] = field(default_factory=lambda: {MONEY: 0, CALLS: 0})
    closed: set[str] = field(default_factory=set)


class LedgerMachine(RuleBasedStateMachine):
    """Does each step on the database and in the model, and compares after every one."""

    posted = Bundle("posted")
    holds = Bundle("holds")
    runs = 0
    database: Database

    def __init__(self) -> None:
        super().__init__()
        LedgerMachine.runs += 1
        self.run = f"run-{LedgerMachine.runs}"
        self.model = Model()
        self.steps = 0

    def id(self, name: str) -> str:
        return f"{self.run}/{name}"

    def new_id(self) -> str:
        self.steps += 1
        return self.id(f"transfer-{self.steps}")

    @initialize()
    def open_accounts(self) -> None:
        for name, unit, kind in (
            (MONEY, Unit.USD, AccountKind.PREPAID),
            (CALLS, Unit.CALLS, AccountKind.SUBSCRIPTION_PERIOD),
        ):
            self.database.transact_now(
                ledger.open_account, account_id=self.id(name), unit=unit, kind=kind, at=AT
            )

    def expecting(self, error: type[Exception] | None) -> AbstractContextManager[object]:
        return pytest.raises(error) if error else nullcontext()

    @rule(target=posted, name=st.sampled_from([MONEY, CALLS]), amount=amounts)
    def deposit(self, name: str, amount: int) -> ledger.Transfer:
        self.model.purses[name].available += amount
        return self.database.transact_now(
            ledger.post,
            transfer_id=self.new_id(),
            debit_id=SOURCE[name],
            credit_id=self.id(name),
            amount=amount,
            at=AT,
        )

    @rule(target=holds, name=st.sampled_from([MONEY, CALLS]), amount=amounts)
    def hold(self, name: str, amount: int) -> object:
        purse = self.model.purses[name]
        hold = Hold(self.new_id(), name, amount)
        if amount > purse.available:
            with pytest.raises(InsufficientFunds):
                self.database.transact_now(self.holding(hold))
            return multiple()
        self.database.transact_now(self.holding(hold))
        purse.available -= amount
        purse.held += amount
        return hold

    def holding(self, hold: Hold) -> "partial[ledger.Transfer]":
        return partial(
            ledger.hold,
            transfer_id=hold.id,
            debit_id=self.id(hold.purse),
            credit_id=SINK[hold.purse],
            amount=hold.amount,
            at=AT,
        )

    @rule(hold=holds)
    def hold_again(self, hold: Hold) -> None:
        self.database.transact_now(self.holding(hold))

    @rule(hold=holds, change=st.integers(1, 5))
    def hold_something_else_under_the_same_id(self, hold: Hold, change: int) -> None:
        with pytest.raises(TransferConflict):
            self.database.transact_now(self.holding(replace(hold, amount=hold.amount + change)))

    @rule(target=posted, hold=holds, amount=amounts)
    def settle(self, hold: Hold, amount: int) -> object:
        closed = hold.id in self.model.closed
        error = HoldClosed if closed else MoreThanHeld if amount > hold.amount else None
        transfer = None
        with self.expecting(error):
            transfer = self.database.transact_now(
                ledger.settle, transfer_id=self.new_id(), hold_id=hold.id, amount=amount, at=AT
            )
        return self.closed(hold, amount, transfer)

    @rule(target=posted, hold=holds)
    def release(self, hold: Hold) -> object:
        transfer = None
        with self.expecting(HoldClosed if hold.id in self.model.closed else None):
            transfer = self.database.transact_now(
                ledger.release, transfer_id=self.new_id(), hold_id=hold.id, at=AT
            )
        return self.closed(hold, 0, transfer)

    def closed(self, hold: Hold, amount: int, transfer: ledger.Transfer | None) -> object:
        if transfer is None:
            return multiple()
        purse = self.model.purses[hold.purse]
        purse.held -= hold.amount
        purse.available += hold.amount - amount
        self.model.spent[hold.purse] += amount
        self.model.closed.add(hold.id)
        return transfer

    def post_again(self, transfer: ledger.Transfer, amount: int) -> ledger.Transfer:
        if transfer.resolves_id is None:
            return self.database.transact_now(
                ledger.post,
                transfer_id=transfer.id,
                debit_id=transfer.debit_id,
                credit_id=transfer.credit_id,
                amount=amount,
                at=AT,
            )
        hold_id = transfer.resolves_id
        if transfer.kind is TransferKind.RELEASE:
            return self.database.transact_now(ledger.release, transfer_id=transfer.id, hold_id=hold_id, at=AT)
        return self.database.transact_now(
            ledger.settle, transfer_id=transfer.id, hold_id=hold_id, amount=amount, at=AT
        )

    @rule(transfer=posted)
    def repeat(self, transfer: ledger.Transfer) -> None:
        assert self.post_again(transfer, transfer.amount) == transfer

    @rule(
        transfer=posted.filter(lambda transfer: transfer.kind is not TransferKind.RELEASE),
        change=st.integers(1, 5),
    )
    def contradict(self, transfer: ledger.Transfer, change: int) -> None:
        with pytest.raises(TransferConflict):
            self.post_again(transfer, transfer.amount + change)

    @invariant()
    def the_database_agrees_with_the_model_and_with_itself(self) -> None:
        if not self.steps:
            return
        for name, purse in self.model.purses.items():
            balance = self.database.read_now(ledger.balance, self.id(name))
            assert (balance.available, balance.held) == (purse.available, purse.held)
            assert balance.debits == self.model.spent[name]
            assert purse.available >= 0
        assert self.database.read_now(verify).faults == ()


def test_any_order_of_steps_keeps_the_book_right(database: Database) -> None:
    class MachineOnThisDatabase(LedgerMachine):
        pass

    MachineOnThisDatabase.database = database
    run_state_machine_as_test(
        MachineOnThisDatabase,
        settings=settings(
            max_examples=60 if database.backend == "sqlite" else 25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            derandomize=True,
        ),
    )
