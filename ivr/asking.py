"""What staff ask for is done by the running controller, or where none runs by this process, as the one writer."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from ivr.config import Settings
from ivr.control import ControllerFailed, NoController, ask
from ivr.login import who_asks


def perform(settings: Settings, name: str, /, **given: object) -> str:
    """Have a change done; raises StaffError or ControlError for one that is refused.

    `given` are the fields of what is asked for, those that are None left out.
    """
    fields = {field: value for field, value in given.items() if value is not None}
    try:
        return ask_controller(settings, name, fields)
    except NoController:
        from ivr.staff.changes import perform_here  # noqa: PLC0415 - slow to load, and the controller mostly runs

        return perform_here(settings, name, fields)


def ask_controller(settings: Settings, name: str, given: Mapping[str, object]) -> str:
    """The controller's answer, which has seen to the fields itself; raises NoController or ControlError."""
    sent = {field: _sent(value) for field, value in given.items()}
    done = ask(settings.control_socket, name, **sent, **who_asks().sent)
    if not isinstance(done, dict):
        return str(done)
    from ivr.staff.desk import ToldOnce  # noqa: PLC0415 - few answers hold anything that is told once

    return ToldOnce(**done)


def done_by_controller(
    settings: Settings, name: str, given: Mapping[str, object], tell: Callable[[str], object]
) -> bool:
    """Whether the controller has done it; where not, it is told why, and that it is done without it.

    Raises ControlError for what is refused.
    """
    try:
        tell(ask_controller(settings, name, given))
    except NoController:
        tell("the controller does not run: this is done in the database and in Asterisk directly")
    except ControllerFailed as failure:
        tell(f"{failure}: this is done in Asterisk directly")
    else:
        return True
    return False


def _sent(value: object) -> Any:
    return value.isoformat() if isinstance(value, date) else value
