"""Schedules by chance: each known by its number alone, done and proved step by step, made shorter where one fails.

Schedules whose numbers follow each other begin alike and part in their last steps. What they have in common is done
once: the books go back to where the two part, which is what makes many of them cheap.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random
from typing import Any, Final

from tests.accounts.books import assert_proved, assert_right, standing
from tests.accounts.steps import KINDS, Step, restart
from tests.accounts.world import Killed, Place, Run, savepoint

SHORTEST, LONGEST = 5, 12
#: In each of so many last steps a schedule has this many ways to go on.
PARTING, WAYS = 3, 4
TRUNK: Final = WAYS**PARTING
#: What is something else when it is done again: another call ends, more time passes.
ONCE: Final = frozenset({"end", "wait", "told_late"})
_NAMES: Final = tuple(KINDS)
_OFTEN: Final = tuple(often for _, often, _ in KINDS.values())


class Wrong(Exception):  # noqa: N818 - the name says what was found
    """A schedule that fails, and how."""

    def __init__(self, number: int, failure: Exception) -> None:
        super().__init__(f"schedule {number}: {type(failure).__name__}: {failure}")
        self.number = number


@dataclass(frozen=True, slots=True)
class Some:
    """A few kinds of steps, and a few values for each: so steps meet that would seldom meet among all."""

    kinds: Sequence[str]
    ranges: Mapping[str, Mapping[str, Sequence[Any]]]

    def step(self, chance: Random) -> Step:
        """One step, of which one in five is killed on the way and one in four repeated."""
        kind = chance.choice(self.kinds)
        how = {name: chance.choice(values) for name, values in self.ranges[kind].items()}
        dies = chance.randrange(6) if chance.random() < 0.2 else None
        return Step(kind, how, dies, again=chance.random() < 0.25)


@lru_cache(maxsize=4)
def _some(trunk: int) -> Some:
    """What the schedules of a trunk have to do with: calls, and three to seven other kinds."""
    chance = Random(f"kinds {trunk}")
    kinds = ["call", *chance.choices(_NAMES, _OFTEN, k=chance.randint(3, 7))]
    ranges = {
        kind: {name: chance.sample(values, min(2, len(values))) for name, values in KINDS[kind][2].items()}
        for kind in kinds
    }
    return Some(kinds, ranges)


def schedule(number: int) -> Sequence[Step]:
    """The steps of a schedule, always the same for its number."""
    trunk = number // TRUNK
    length = Random(f"length {trunk}").randint(SHORTEST, LONGEST)
    branches = [number // WAYS ** min(PARTING, length - 1 - depth) for depth in range(length)]
    return [_some(trunk).step(Random(f"{branch} at {depth}")) for depth, branch in enumerate(branches)]


def perform(run: Run, name: int, step: Step) -> None:
    """Do a step; where the process dies on the way, it comes back and the step is asked for once more."""
    does, _, _ = KINDS[step.kind]
    run.commits_left = step.dies_after
    try:
        does(run, name, **step.how)
    except Killed:
        restart(run)
        assert_right(run.conn)
        does(run, name, **step.how)
    run.commits_left = None
    if step.again and step.kind not in ONCE:
        before = standing(run.conn)
        does(run, name, **step.how)
        assert standing(run.conn) == before
    assert_right(run.conn)


def perform_end(run: Run) -> None:
    """Everything is settled, and the book is proved."""
    if run.in_progress:
        restart(run)
        assert_right(run.conn)
    assert_proved(run.conn)


def perform_all(place: Place, numbers: Sequence[int], done: Callable[[], object] = lambda: None) -> None:
    """Each of the schedules, told when it is done; raises Wrong for the first that fails."""
    with place.run() as first, ExitStack() as whole:
        path: list[tuple[Step, Run, ExitStack]] = []  # each with the run as it was before, and its savepoint
        whole.callback(lambda: _go_back(path, 0))
        for number in numbers:
            steps = schedule(number)
            common = _in_common([step for step, _, _ in path], steps)
            run = path[common][1] if common < len(path) else first
            _go_back(path, common)
            try:
                for name, step in enumerate(steps[common:], common + 1):
                    before = ExitStack()
                    before.enter_context(savepoint(run.conn, keep=False))
                    path.append((step, run, before))
                    run = run.copy()
                    perform(run, name, step)
                with savepoint(run.conn, keep=False):
                    perform_end(run)
            except Exception as failure:
                raise Wrong(number, failure) from failure
            done()


def _go_back(path: list[tuple[Step, Run, ExitStack]], common: int) -> None:
    while len(path) > common:
        path.pop()[2].close()


def _in_common(one: Sequence[Step], other: Sequence[Step]) -> int:
    same = [a == b for a, b in zip(one, other, strict=False)]
    return min((at for at, each in enumerate(same) if not each), default=min(len(same), len(other) - 1))


def failure(place: Place, steps: Sequence[Step]) -> Exception | None:
    """What these steps fail with, done alone."""
    try:
        with place.run() as run:
            for name, step in enumerate(steps, 1):
                perform(run, name, step)
            perform_end(run)
    except Exception as wrong:  # whatever it is, it must not be
        return wrong
    return None


def shortened(place: Place, steps: Sequence[Step]) -> Sequence[Step]:
    """The failing steps without those, and without the deaths and repetitions, that they fail without as well."""
    found = list(steps)
    while shorter := next((each for each in _shorter(found) if failure(place, each)), None):
        found = shorter
    return found


def _shorter(steps: list[Step]) -> Iterator[list[Step]]:
    for at, step in enumerate(steps):
        before, after = steps[:at], steps[at + 1 :]
        yield before + after
        if step.dies_after is not None:
            yield [*before, replace(step, dies_after=None), *after]
        if step.again:
            yield [*before, replace(step, again=False), *after]


def told(place: Place, number: int) -> str:
    """A failing schedule made short, in words that replay it."""
    steps = shortened(place, schedule(number))
    wrong = failure(place, steps)
    lines = [f"schedule {number} fails: {type(wrong).__name__}: {wrong}", *(f"  {each}" for each in steps)]
    return "\n".join([*lines, f"again: python -m tests.accounts 1 {number}"])
