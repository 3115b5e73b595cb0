"""`ivr db`: the database's schema."""

from typing import Annotated

import typer

from accounts import schema
from accounts.db import WriterLock
from ivr.config import load_settings


def register(app: typer.Typer) -> None:
    """Add the group of verbs."""
    group = typer.Typer(no_args_is_help=True, help="Make, change and show the database's schema.")
    app.add_typer(group, name="db")

    @group.command()
    def upgrade(
        revision: Annotated[str, typer.Argument(help="how far; the newest by default")] = "head",
    ) -> None:
        """Bring the schema up to date, making the database if there is none. The controller must not run."""
        settings = load_settings()
        settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with WriterLock.take(settings.url):
            schema.upgrade(settings.url, revision)
        typer.echo(f"The schema is at {schema.current(settings.url)}.")

    @group.command()
    def downgrade(
        revision: Annotated[str, typer.Argument(help="the revision to go back to, or `base`")],
    ) -> None:
        """Take the schema back. What a newer schema kept is lost: make a backup before."""
        settings = load_settings()
        with WriterLock.take(settings.url):
            schema.downgrade(settings.url, revision)
        typer.echo(f"The schema is at {schema.current(settings.url) or 'nothing'}.")

    @group.command()
    def current() -> None:
        """Show where the schema stands."""
        typer.echo(schema.current(load_settings().url) or "there is no schema yet: ivr db upgrade")
