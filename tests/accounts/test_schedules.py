"""Everything that happens to accounts, in any order and killed anywhere: the books are right after every step."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from sqlalchemy import Connection, text

from accounts import paid_calls
from tests.accounts.schedules import (
    Wrong,
    failure,
    perform,
    perform_all,
    perform_end,
    schedule,
    shortened,
    told,
)
from tests.accounts.steps import KINDS, Step
from tests.accounts.world import Place
from tests.database import only_sqlite

EACH = 1_000


@only_sqlite
@pytest.mark.parametrize("first", range(0, 10_000, EACH))
def test_schedules_by_chance_leave_the_books_right(place: Place, first: int) -> None:
    try:
        perform_all(place, range(first, first + EACH))
    except Wrong as wrong:
        pytest.fail(told(place, wrong.number))


def _steps(kind: str) -> st.SearchStrategy[Step]:
    ranges = KINDS[kind][2]
    how = st.fixed_dictionaries({name: st.sampled_from(list(values)) for name, values in ranges.items()})
    return st.builds(Step, st.just(kind), how, dies_after=st.none() | st.integers(0, 5), again=st.booleans())


class Accounts(RuleBasedStateMachine):
    """The same steps, chosen by Hypothesis, which makes a failure as short as it can be."""

    place: Place

    def __init__(self) -> None:
        super().__init__()
        self.whole = self.place.run()
        self.run = self.whole.__enter__()
        self.steps = 0

    @rule(step=st.one_of([_steps(kind) for kind in KINDS]))
    def step(self, step: Step) -> None:
        self.steps += 1
        perform(self.run, self.steps, step)

    def teardown(self) -> None:
        try:
            perform_end(self.run)
        finally:
            self.whole.__exit__(None, None, None)


def test_any_steps_leave_the_books_right(place: Place) -> None:
    class Here(Accounts):
        pass

    Here.place = place
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=30,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            derandomize=True,
        ),
    )


@only_sqlite
def test_a_schedule_is_the_same_alone_as_among_others(place: Place) -> None:
    assert schedule(4711) == schedule(4711)
    assert schedule(4711) != schedule(4712)
    assert schedule(4711)[:-1] == schedule(4708)[:-1]  # of one trunk, and of one branch
    assert failure(place, schedule(4711)) is None


@only_sqlite
def test_a_fault_is_found_and_made_short(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A charge is taken from the payer a second time."""
    _, often, ranges = KINDS["complain"]

    def charges_again(run: Any, name: int, which: int) -> None:
        run.transact(_take, name)

    monkeypatch.setitem(KINDS, "complain", (charges_again, often, ranges))
    with pytest.raises(Wrong) as found:
        perform_all(place, range(EACH))
    short = shortened(place, schedule(found.value.number))
    assert [step.kind for step in short] == ["complain"]
    assert f"again: python -m tests.accounts 1 {found.value.number}" in told(place, found.value.number)


def _take(conn: Connection, name: int) -> None:
    conn.execute(text("UPDATE account SET debits = debits + 1 WHERE kind = 'prepaid'"))


@only_sqlite
def test_what_comes_back_to_a_used_paid_call_goes_back_to_its_payer(place: Place) -> None:
    """What is left after the talk is given back, and later, by a complaint, what the talk has cost."""
    with place.run() as run:
        for name, step in enumerate(
            (
                Step("pay", {"cents": 45, "number": 3}),
                Step("processed", {"does": "pays"}),
                Step("call", {"who": 0, "number": 3, "choice": None, "seconds": 61, "how": "hung up"}),
                Step("jobs", {"which": "payments"}),
                Step("complain", {"which": 0}),
                Step("jobs", {"which": "payments"}, again=True),
            ),
            1,
        ):
            perform(run, name, step)
        left = text("SELECT sum(credits - debits - held) FROM account WHERE kind = 'paid_call'")
        assert run.conn.scalar(left) == 0
        assert run.transact(paid_calls.give_back, run.at) == 0
        perform_end(run)
