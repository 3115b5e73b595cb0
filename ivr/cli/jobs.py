"""`ivr jobs`: the work that the controller does by the hour, done now."""

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from ivr.cli.calls import open_database
from ivr.cli.staff import show
from ivr.config import load_settings
from ivr.instance import places_of
from ivr.jobs import NAMES, row_of, standing
from ivr.running_jobs import JobsFailed, run_jobs


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(no_args_is_help=True, help="The work that comes round by the hour.")

    @verbs.callback()
    def _group() -> None:
        """The work that comes round by the hour: renewals, notices, idle accounts, bills, recordings.

        The controller does it; `ivr jobs run` does it now, from cron where no controller runs. Doing it twice, even at
        the same time, does nothing twice.
        """

    verbs.command("run")(run)
    verbs.command("list")(list_)
    app.add_typer(verbs, name="jobs")


def run(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="jobs, by name; without any, all")
    ] = None,
) -> None:
    """Run jobs now, and tell what each did; the exit status is 1 if one of them failed."""
    wanted = names or list(NAMES)
    if unknown := [name for name in wanted if name not in NAMES]:
        raise typer.BadParameter(f"there is no job {unknown[0]}, but {', '.join(NAMES)}")
    screen = Console(stderr=True)
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as progress:
        tasks = {name: progress.add_task(name, total=None) for name in wanted}
        failed = run_jobs(
            load_settings(), wanted, lambda name, did: progress.advance(tasks[name], did), typer.echo
        )
    if failed:
        raise JobsFailed(f"failed: {', '.join(failed)} (`ivr jobs list` says why)")


def list_() -> None:
    """List the jobs: when each last had nothing left to do, how much it did, and whether it failed since."""
    with open_database() as database:
        found = database.read_now(standing)
    rows, places = [], places_of(load_settings())
    for name in NAMES:
        row = found.get(row_of(places, name))
        ran = f"{row.ran_at:%Y-%m-%d %H:%M}" if row and row.ran_at else "never"
        failed = f"{row.failed_at:%Y-%m-%d %H:%M} {row.failure}" if row and row.failed_at else ""
        rows.append({"job": name, "ran (UTC)": ran, "did": row.did if row else 0, "failed": failed})
    show(("job", "ran (UTC)", "did", "failed"), rows, "No jobs.")
