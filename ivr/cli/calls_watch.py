"""`ivr calls --watch` on a terminal: the page is shown anew each second and at each key, until q or Ctrl-C."""

import secrets
import signal
import sys
from collections.abc import Callable, Mapping
from types import FrameType

from rich.console import Console
from rich.live import Live

from accounts.db import Database, DatabaseError, WriterLocked
from ivr.asking import perform
from ivr.cli.calls_page import Deed, Order, Page, rendered
from ivr.cli.keyboard import Keyboard, keyboard
from ivr.clock import utc_now
from ivr.config import Settings
from ivr.control import ControlError, NoController, ask
from ivr.login import own_login, who_asks
from ivr.now import now
from ivr.sharing.interface import Seen, read
from ivr.staff.desk import StaffError

EVERY_SECONDS = 1.0
#: A controller that does not answer by then is one that does not see its calls.
SEEN_SECONDS = 0.5


def seen(settings: Settings) -> Mapping[str, Seen]:
    """What the controllers of all nodes see of their calls, by id; nothing where the own one does not run."""
    try:
        told = ask(settings.control_socket, "seen", SEEN_SECONDS)
    except (NoController, ControlError):
        return {}
    return {each.call_id: each for calls in told.values() for each in read(calls)}


def watch(settings: Settings, database: Database, console: Console, phone: str | None) -> None:
    """Show the page until it is to end; the terminal is then as it was."""
    signal.signal(signal.SIGTERM, _ended)
    who_asks()  # a password is asked for before the page stands there, and once
    page = Page()
    try:
        with keyboard() as keys, Live(console=console, screen=True, auto_refresh=False) as live:

            def show() -> None:
                live.update(rendered(page, utc_now(), console.size.height), refresh=True)

            while not page.ended:
                _look(settings, database, page)
                show()
                _take_keys(settings, keys, page, phone, show)
    except (KeyboardInterrupt, EOFError):
        return


def _ended(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _look(settings: Settings, database: Database, page: Page) -> None:
    try:
        page.take(database.read_now(now, seen(settings)))
    except DatabaseError as error:
        page.told = f"this is how it was: {error}"


def _take_keys(
    settings: Settings, keys: Keyboard, page: Page, phone: str | None, show: Callable[[], None]
) -> None:
    for key in keys.within(EVERY_SECONDS):
        if (order := page.press(key)) is not None:
            page.told = f"{order.deed} …"
            show()
            page.told = _done(settings, order, phone)
        if page.ended:
            return


def _done(settings: Settings, order: Order, phone: str | None) -> str:
    """What came of an order, in a line."""
    try:
        return _do(settings, order, phone)
    except (StaffError, ControlError, DatabaseError, WriterLocked) as refused:
        return " ".join(str(refused).split())


def _do(settings: Settings, order: Order, phone: str | None) -> str:
    """The same as the verbs do, in the name of whoever looks at the page."""
    from ivr.cutting import cut_off  # noqa: PLC0415 - slow to load, and most only look

    given = {"call_id": order.call_id, "note": order.text, "author": own_login()}
    if order.deed is Deed.CUT:
        told: list[str] = []
        cut_off(settings, {**given, "block": False}, told.append)
        return "; ".join(told)
    if order.deed is Deed.NOTE:
        return perform(settings, "note", **given)
    if phone is None:
        raise StaffError("no telephone of staff may be rung: listening_phones names none")
    return perform(settings, "listen", **given, phone=phone, listening_id=secrets.token_hex(16))
