"""`ivr run` and `ivr demo`: the whole system from one command, on a played telephone network."""

import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from sqlalchemy import Connection, select

from accounts.db import Database
from accounts.tables import account
from dialplan.install import InstallError, provide, provide_telephones
from dialplan.phone import PhoneError
from dialplan.template import RenderError
from ivr import cdr, log
from ivr.archive.audio import write_wav
from ivr.cli.calls import story_table
from ivr.cli.cdr import cdr_table
from ivr.cli.private_file import new_file
from ivr.config import PROJECT, Settings, load_settings
from ivr.demonstration import stories
from ivr.demonstration.card import card
from ivr.demonstration.party import PartyError
from ivr.demonstration.ports import free_ports
from ivr.demonstration.stage import Stage, StageError, prepare, require_free_ports, stage
from ivr.instance import keyring_of
from ivr.login import own_login
from ivr.playing import Reason, open_recording
from ivr.records.listing import Wanted, page
from ivr.story import story
from ivr.supervise import SupervisorError
from rating.money import Money, format_money

FACILITY = PROJECT / "examples" / "demonstration.toml"
RECORDING_SECONDS = 10  # how long a finished recording is waited for


class DemonstrationError(Exception):
    """The demonstration did not go as it must; the message says what was heard or written instead."""


#: What a person can mend, told in one sentence.
MENDABLE = (InstallError, PartyError, PhoneError, RenderError, StageError, SupervisorError)


def register(app: typer.Typer) -> None:
    """Add the verbs."""

    @app.command()
    def run(
        call: bool = typer.Option(True, help="make one demonstration call before serving"),
    ) -> None:
        """Start everything, show a call between two real telephones, then serve until Ctrl-C.

        A played telephone network stands in for a carrier; all of it stays on this machine.
        """
        settings = load_settings()
        console = Console(highlight=False)
        with _telling(), _running(settings, console) as on:
            if call:
                _show_call(on, console)
            _tell_how_to_try(on, console)
            console.print("Serving. Ctrl-C ends everything.")
            _wait_for_the_end()
            console.print("Ending.")

    @app.command()
    def demo() -> None:
        """Make three calls on a stack of its own and check them: subscription, prepaid, and a refusal.

        The exit status tells whether the right words were heard and the right records written.
        """
        console = Console(highlight=False)
        with _telling(), tempfile.TemporaryDirectory(prefix="ivr-") as folder:
            settings = Settings.model_validate({"state_dir": Path(folder), **free_ports()})
            with _running(settings, console) as on:
                _demonstrate(on, console)
        console.print("All three calls went as they must.")


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except MENDABLE as trouble:
        raise DemonstrationError(str(trouble)) from None


@contextmanager
def _running(settings: Settings, console: Console) -> Iterator[Stage]:
    log.set_up("text", "warning")
    with console.status("Checking ports and looking for Asterisk …") as status:
        require_free_ports(settings)
        installation = provide(say=status.update)
        console.print(f"Asterisk {installation.version_text} is here.")
        telephones = provide_telephones(installation, say=status.update)
        status.update("Preparing the database …")
        for line in prepare(settings, [FACILITY]):
            console.print(f"  {line}")
        status.update("Starting the played network, Asterisk and the controller …")
        began = time.monotonic()
        with stage(settings, installation, stories.NUMBERS, telephones=telephones) as on:
            status.stop()
            console.print(f"Asterisk and the controller are up ({time.monotonic() - began:.1f} s).")
            yield on


def _show_call(on: Stage, console: Console) -> None:
    """One subscription call, line by line, with its record and the accounts before and after."""
    began = time.monotonic()

    def tell(who: str, what: str) -> None:
        console.print(f"{time.monotonic() - began:6.1f} s  {who:<7} {what}")

    _print_balances(on, console, "Accounts before the call")
    stories.demonstrate(on, tell, "1", stories.SUBSCRIBER, talk_seconds=5)
    with Database.open(on.settings.url) as database:
        [newest] = database.read_now(page, Wanted(), 1)
        _wait_for_recording(database, newest.id)
        console.print("\nIts record:")
        console.print(story_table(database.read_now(story, newest.id)))
        [newest] = database.read_now(page, Wanted(), 1)
    heard = on.settings.state_dir.absolute() / "call.wav"
    reason = Reason(own_login(), "to hear the demonstration")
    opened = open_recording(on.settings, newest.recording_id, "recording play", reason)
    heard.unlink(missing_ok=True)
    with new_file(heard) as file:
        write_wav(opened.flac, file)
    _print_balances(on, console, "Accounts after the call")
    console.print(
        f"Both voices, one in each ear: {heard}\n"
        f"(It is kept encrypted; this copy is what `ivr recording play {newest.recording_id[:8]} --note …` writes.)",
        soft_wrap=True,
    )


def _demonstrate(on: Stage, console: Console) -> None:
    def tell(who: str, what: str) -> None:
        console.print(f"  {who:<7} {what}")

    console.print("First call: covered by a subscription of 57 calls.")
    _, family = stories.demonstrate(on, tell, "1", stories.SUBSCRIBER, talk_seconds=3)
    _expect("calls_remaining calls=56" in family, f"“56 calls remaining” was not heard, but {family}")
    console.print("Second call: paid from a prepaid account.")
    alex, family = stories.demonstrate(on, tell, "2", stories.PREPAID, talk_seconds=3)
    _expect("price_and_time price=0.06 time=15" in alex, f"the price was not heard, but {alex}")
    _expect("balance balance=5.00" in family, f"the balance was not heard, but {family}")
    console.print("Third call: to a number that the facility has blocked.")
    alex = stories.demonstrate_refusal(on, tell, "5", "ending.number_blocked")
    _expect("ending.number_blocked" in alex, f"the reason was not heard, but {alex}")
    with Database.open(on.settings.url) as database:
        rows = database.read_now(page, Wanted(), 3)
        records = [(row.reason, row.calls_charged, row.charge) for row in rows]
        console.print(cdr_table(rows))
        left = database.read_now(_balances)
    wanted = [("number_blocked", 0, 0), ("completed", 0, 60_000), ("completed", 1, 0)]
    _expect(records == wanted, f"the records say {records}")
    _expect(("prepaid/example-county-jail/family-one", "USD", 4_940_000) in left, f"the accounts are {left}")


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise DemonstrationError(otherwise)


def _wait_for_recording(database: Database, call_id: str) -> None:
    deadline = time.monotonic() + RECORDING_SECONDS
    while time.monotonic() < deadline:
        fields = database.read_now(cdr.whole, call_id)
        if fields is not None and fields["recording_state"] == "kept":
            return
        time.sleep(0.1)
    raise DemonstrationError(f"the recording of call {call_id} was not finished in {RECORDING_SECONDS} s")


def _balances(conn: Connection) -> list[tuple[str, str, int]]:
    available = account.c.credits - account.c.debits - account.c.held
    rows = conn.execute(
        select(account.c.id, account.c.unit, available)
        .where(account.c.kind != "system")
        .order_by(account.c.id)
    )
    return [(id_, unit, amount) for id_, unit, amount in rows]


def _print_balances(on: Stage, console: Console, title: str) -> None:
    with Database.open(on.settings.url) as database:
        console.print(f"\n{title}:")
        for account_id, unit, amount in database.read_now(_balances):
            shown = f"${format_money(Money(amount))}" if unit == "USD" else f"{amount} calls"
            console.print(f"  {account_id:<60} {shown:>12}")


def _tell_how_to_try(on: Stage, console: Console) -> None:
    path = on.settings.state_dir.absolute() / "card.txt"
    text = card(on.settings, keyring_of(on.settings))
    path.touch(mode=0o600)
    path.write_text(text)
    console.print(f"\n{text}\nThis card is in {path}.", soft_wrap=True)


def _wait_for_the_end() -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
