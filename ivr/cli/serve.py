"""`ivr serve`: the controller itself."""

import asyncio
import signal
import threading

import typer
import uvloop

from dialplan.asterisk import AsteriskError
from dialplan.install import provide
from ivr import log
from ivr.config import ConfigError, load_settings
from ivr.own_asterisk import this_asterisk


def register(app: typer.Typer) -> None:
    """Add the verbs."""

    @app.command()
    def asterisk() -> None:
        """Render Asterisk's configuration from the settings and the database, and run Asterisk until SIGTERM."""
        settings = load_settings()
        log.set_up(settings.log_format, settings.log_level)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        with this_asterisk(settings, provide()) as running:
            while not stop.wait(0.2):
                if trouble := running.trouble():
                    running.kill()
                    raise AsteriskError(f"Asterisk {trouble}; its log is {running.log}")

    @app.command()
    def serve() -> None:
        """Serve the calls of a running Asterisk until SIGTERM.

        Asterisk and the database must be there already: `ivr run` starts everything, a systemd unit starts each alone.
        """
        from ivr.app import run  # noqa: PLC0415 - the slowest import; other verbs start without it

        settings = load_settings()
        log.set_up(settings.log_format, settings.log_level)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            try:
                runner.run(run(settings))
            except OSError as error:  # a port that another program has, for one
                raise ConfigError(f"the controller cannot start: {error}") from error
