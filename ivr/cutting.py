"""A call cut off from the command line: by the controller, or without it straight in the database and in Asterisk."""

from collections.abc import Mapping

from accounts.db import Database, DatabaseError, WriterLocked
from ivr.ami import AmiError
from ivr.asking import done_by_controller, perform
from ivr.config import Settings
from ivr.control import ControllerFailed
from ivr.instance import keyring_of, switchboard
from ivr.policy.reasons import Outcome
from ivr.records import calls
from ivr.staff.desk import StaffError
from ivr.throwing import Tell, end_call, legs_by_call

FAREWELL = f"ended.{Outcome.CUT_OFF}"


def cut_off(settings: Settings, given: Mapping[str, object], tell: Tell) -> None:
    """End a call at once, whatever still runs: `given` are the fields of ivr.staff.cutting.Cut.

    Raises StaffError or ControlError for one that is not in progress, or whose end somebody's role does not allow.
    """
    if not done_by_controller(settings, "cut", given, tell):
        cut_off_directly(settings, given, tell)


def cut_off_directly(settings: Settings, given: Mapping[str, object], tell: Tell) -> None:
    """The same, where the controller has not done it; raises StaffError."""
    begins, relay, is_known = str(given["call_id"]), False, False
    try:
        tell(perform(settings, "cut", **given))
        is_known = True
        with Database.open(settings.url) as database:
            relay = database.read_now(calls.is_relay, begins)
    except (DatabaseError, WriterLocked, ControllerFailed) as error:
        tell(f"the database was not reached ({error}): Asterisk alone ends the call")
    try:
        _in_asterisk(
            settings, begins, tell, relay=relay, elsewhere=is_known and settings.own_node is not None
        )
    except AmiError as error:
        tell(f"Asterisk was not reached ({error}): the call was not ended there")


def _in_asterisk(settings: Settings, begins: str, tell: Tell, *, relay: bool, elsewhere: bool) -> None:
    board = switchboard(settings, keyring_of(settings))
    found = [legs for call_id, legs in legs_by_call(board.channels()).items() if call_id.startswith(begins)]
    if not found and elsewhere:
        tell("it is not in this Asterisk: if another node has it, the controller there ends it")
        return
    if len(found) != 1:
        raise StaffError(f"{'more than one call' if found else 'no call'} in Asterisk begins with {begins}")
    end_call(board, found[0], FAREWELL, relay=relay)
    tell("it was ended in Asterisk")
