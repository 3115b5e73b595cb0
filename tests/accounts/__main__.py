"""`python -m tests.accounts [SCHEDULES [FIRST]]`: so many schedules; the first that fails is made short and told."""

import logging
import sys
import tempfile

import structlog
from rich.progress import Progress

from accounts import schema
from tests.accounts.schedules import Wrong, perform_all, told
from tests.accounts.world import Place


def main(schedules: int = 1_000_000, first: int = 0) -> None:
    """Each schedule is known by its number, so that a failure is repeated alone: `1 NUMBER`."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(prefix="ivr-accounts-") as folder, Progress() as progress:
        url = f"sqlite:///{folder}/ivr.sqlite"
        schema.upgrade(url)
        place = Place(url)
        task = progress.add_task("schedules", total=schedules)
        try:
            perform_all(place, range(first, first + schedules), lambda: progress.advance(task))
        except Wrong as wrong:
            progress.stop()
            sys.exit(told(place, wrong.number))
        finally:
            place.close()
    print(f"{schedules:,} schedules from number {first}: the books were right after every step")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
