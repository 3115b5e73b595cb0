"""`ivr serve`: the controller itself."""

import asyncio

import typer
import uvloop

from ivr import log
from ivr.config import load_settings


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def serve() -> None:
        """Serve the calls of a running Asterisk until SIGTERM.

        Asterisk and the database must be there already: `ivr run` starts everything, a systemd unit starts each alone.
        """
        from ivr.app import run  # noqa: PLC0415 - the slowest import; other verbs start without it

        settings = load_settings()
        log.set_up(settings.log_format, settings.log_level)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings))
