"""What a small piece of work costs on one core, a row each; the first row is the measure of the others."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

ROUNDS = 5
Row = tuple[str, Callable[[Any], object], Sequence[Any]]


def best_us(work: Callable[[Any], object], items: Sequence[Any]) -> float:
    """The microseconds of processor time that one item takes, in the quickest of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for item in items:
            work(item)
        best = min(best, time.process_time() - began)
    return best / len(items) * 1_000_000


def print_rows(title: str, rows: Iterable[Row]) -> None:
    """Measure each and print the table."""
    print(f"{title}; one core; the quickest of {ROUNDS} rounds")
    print(f"\n{'':40}{'us each':>9}{'a second':>12}{'ratio':>8}")
    bare_us = 0.0
    for label, work, items in rows:
        each_us = best_us(work, items)
        bare_us = bare_us or each_us
        print(f"{label:40}{each_us:9.2f}{1_000_000 / each_us:12,.0f}{each_us / bare_us:8.1f}")
    print()
