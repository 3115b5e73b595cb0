"""`python -m tests.privilege [DECISIONS [SEED]]`: so many decisions by chance; fails at the first that must not be."""

import sys
import tempfile
from pathlib import Path

from rich.progress import Progress

from accounts import schema
from accounts.db import Database
from tests.privilege.generated import Chance, small_world

DECISIONS_A_WORLD = 50_000


def main(decisions: int = 1_000_000, seed: int = 1) -> None:
    """Worlds of fifty thousand decisions each, one seed after the other, so that a failure is repeated alone."""
    with Progress() as progress:
        task = progress.add_task("decisions", total=decisions)
        while decisions > 0:
            some = min(decisions, DECISIONS_A_WORLD)
            with tempfile.TemporaryDirectory(prefix="ivr-privilege-") as folder:
                url = f"sqlite:///{folder}/ivr.sqlite"
                schema.upgrade(url)
                with Database.open(url) as database:
                    chance = Chance(small_world(database, Path(folder)), seed)
                    seen = chance.run(some, lambda made: progress.advance(task, made))
            progress.print(
                f"seed {seed}: {', '.join(f'{count:,} {what}' for what, count in seen.most_common(4))}"
            )
            decisions, seed = decisions - some, seed + 1
    print("no privileged call was ever permitted to be recorded")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
