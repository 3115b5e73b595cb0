"""Jobs run by a command: through the running controller, or as the one writer if none runs."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from accounts import schema
from accounts.db import Database, WriterLock
from ivr.clock import utc_now
from ivr.config import Settings
from ivr.control import ControlError, NoController, ask
from ivr.instance import places_of
from ivr.jobs import MOST_ROUNDS, Round, note_failure, row_of, run_round

Rounds = Callable[[str], Round]


class JobsFailed(Exception):  # noqa: N818 - what came of the command
    """Some jobs failed; the others were run."""


def run_jobs(
    settings: Settings,
    names: Sequence[str],
    progress: Callable[[str, int], object],
    tell: Callable[[str], object],
) -> list[str]:
    """Run the jobs one after another until nothing is left to do, a line told of each; those that failed.

    Each transaction is asked for by itself, so that the controller is never kept from its calls.
    """
    failed = []
    with ExitStack() as opened:
        do = _controllers(settings) or _own(settings, opened)
        for name in names:
            try:
                tell(f"{name}: {_run(name, do, progress)}")
            except Exception as failure:
                tell(f"{name}: failed: {type(failure).__name__}: {failure}")
                failed.append(name)
    return failed


def _run(name: str, do: Rounds, progress: Callable[[str, int], object]) -> str:
    did = 0
    for _ in range(MOST_ROUNDS):
        done = do(name)
        progress(name, done.did)
        did += done.did
        if done.busy:
            return f"{did} done; somebody else runs it just now"
        if not done.more:
            return f"{did} done" if did else "nothing to do"
    return f"{did} done, and more to do"


def _controllers(settings: Settings) -> Rounds | None:
    """The running controller does each round; None where none runs."""
    path = settings.control_socket

    def do(name: str) -> Round:
        done = ask(path, "job", name=name)
        return Round(**done)

    try:
        ask(path, "job", name="")
    except NoController:
        return None
    except ControlError:
        return do  # it runs, and knows no job of that name
    return do


def _own(settings: Settings, opened: ExitStack) -> Rounds:
    """This process is the writer meanwhile."""
    schema.require_head(settings.url)
    opened.enter_context(WriterLock.share(settings.url))
    database = opened.enter_context(Database.open(settings.url))

    def do(name: str) -> Round:
        try:
            return run_round(database, places_of(settings), name, utc_now())
        except Exception as failure:
            why = f"{type(failure).__name__}: {failure}"
            database.transact_now(note_failure, row_of(places_of(settings), name), why, utc_now())
            raise

    return do
