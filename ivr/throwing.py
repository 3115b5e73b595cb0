"""Switches thrown from the command line: by the controller, or without it, straight in Asterisk and the database."""

import contextlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from accounts import schema
from accounts.db import Database, DatabaseError, WriterLocked
from ivr.ami import SILENTLY, AmiError, Switchboard, end_talk
from ivr.asking import ask_controller, done_by_controller, perform
from ivr.clock import utc_now
from ivr.config import Settings
from ivr.control import ControllerFailed, NoController
from ivr.facility import scopes, switches
from ivr.instance import keyring_of, switchboard
from ivr.live import endpoint_of, is_called
from ivr.policy.level import Level
from ivr.policy.reasons import Cutoff
from ivr.policy.switching import LAST_MINUTE, Way
from ivr.records import switched

CALL_ID = re.compile(r"[0-9a-f]{32}")
FAREWELL = f"ended.{Cutoff.SWITCHED_OFF}"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Legs:
    """The channels of one call, as Asterisk has them."""

    inmate: str
    called: str | None
    talking: bool


@dataclass(frozen=True, slots=True)
class _Closing:
    """What Asterisk has to close, and which calls; None: those of the station, or all."""

    keys: Mapping[str, str]
    calls: Mapping[str, switched.SwitchedOff] | None
    station: str | None = None


def switch_off(
    settings: Settings, given: Mapping[str, object], tell: Tell, wait: Callable[[float], None]
) -> None:
    """Switch telephones off, whatever still runs: `given` are the fields of ivr.staff.switch.SwitchOff.

    `wait` lets so many seconds pass. Raises StaffError for what there is not.
    """
    if not done_by_controller(settings, "off", given, tell):
        switch_off_directly(settings, given, tell, wait)


def switch_off_directly(
    settings: Settings, given: Mapping[str, object], tell: Tell, wait: Callable[[float], None]
) -> None:
    """The same, where the controller has not done it."""
    closing = _in_the_database(settings, given, tell)
    try:
        _in_asterisk(_board(settings), closing, Way(str(given["let"])), tell, wait)
    except AmiError as error:
        tell(f"Asterisk was not reached ({error}): no call could be ended there")


def switch_on(settings: Settings, given: Mapping[str, object], tell: Tell) -> None:
    """Switch telephones on again, by the database alone; Asterisk's own keys follow it.

    Raises StaffError for what there is not, DatabaseError where the database can't be reached.
    """
    try:
        tell(ask_controller(settings, "on", given))
    except NoController:
        switch_on_directly(settings, given, tell)


def switch_on_directly(settings: Settings, given: Mapping[str, object], tell: Tell) -> None:
    """The same, where no controller runs."""
    tell(perform(settings, "on", **given))
    board = _board(settings)
    try:
        with Database.open(settings.url) as database:
            keys = database.read_now(switches.closing_keys)
            _keep(board, keys)
    except AmiError as error:
        tell(f"Asterisk was not reached ({error}): the controller will open it when it runs again")


def _board(settings: Settings) -> Switchboard:
    return switchboard(settings, keyring_of(settings))


def _in_the_database(settings: Settings, given: Mapping[str, object], tell: Tell) -> _Closing:
    """What is to be closed; where the database can't be reached, rather too much than too little."""
    try:
        tell(perform(settings, "off", **given))
        schema.require_head(settings.url)
        with Database.open(settings.url) as database:
            keys = database.read_now(switches.closing_keys)
            return _Closing(keys, {each.call_id: each for each in database.read_now(switched.ended)})
    except (DatabaseError, WriterLocked, ControllerFailed) as error:
        tell(
            f"the database was not reached ({error}): Asterisk alone closes, and the controller will write it down"
        )
    said = f"{given['author']}: {given['note']}"
    if given["level"] == Level.STATION:
        name = str(given["which"])
        return _Closing({scopes.switch(Level.STATION, name): said}, None, name)
    tell(f"which stations belong to {given['level']} {given['which']} stands in the database: all are closed")
    return _Closing({switches.ALL: said}, None)


def _in_asterisk(
    board: Switchboard, closing: _Closing, way: Way, tell: Tell, wait: Callable[[float], None]
) -> None:
    for key, value in closing.keys.items():
        board.close(key, value)
    tell("Asterisk rings nobody from there any more")
    if way is Way.FINISH:
        return
    calls = _calls(board, closing)
    if way is Way.MINUTE and any(each.talking for each in calls.values()):
        talking = {call_id: each for call_id, each in calls.items() if each.talking}
        for call_id, legs in talking.items():
            _announce(board, legs, closing.calls[call_id] if closing.calls else None)
        _end(board, {call_id: each for call_id, each in calls.items() if not each.talking}, closing)
        tell(f"calls that end in a minute: {len(talking)}")
        wait(_left(closing, talking))
        calls = {call_id: each for call_id, each in _calls(board, closing).items() if call_id in talking}
    _end(board, calls, closing)
    tell(f"calls ended: {len(calls)}")


def _left(closing: _Closing, talking: Collection[str]) -> float:
    """How many seconds the talks have left: until what the database says, as their records end there."""
    if closing.calls is None:
        return LAST_MINUTE.total_seconds()
    last = max(closing.calls[call_id].ends_at for call_id in talking)
    return max(0.0, (last - utc_now()).total_seconds())


def _calls(board: Switchboard, closing: _Closing) -> dict[str, Legs]:
    """The calls that Asterisk has and the switch is about, by id."""
    found = legs_by_call(board.channels())
    if closing.calls is not None:
        return {call_id: legs for call_id, legs in found.items() if call_id in closing.calls}
    if closing.station is None:
        return found
    return {call_id: legs for call_id, legs in found.items() if is_of(legs.inmate, closing.station)}


def legs_by_call(channels: Sequence[Mapping[str, str]]) -> dict[str, Legs]:
    """Both legs carry the call's id as their account; a carrier's is the called one."""
    found: dict[str, list[Mapping[str, str]]] = {}
    for each in channels:
        if CALL_ID.fullmatch(each.get("AccountCode", "")):
            found.setdefault(each["AccountCode"], []).append(each)
    calls = {}
    for call_id, legs in found.items():
        inmate = next((each["Channel"] for each in legs if not is_called(each["Channel"])), None)
        called = next((each["Channel"] for each in legs if is_called(each["Channel"])), None)
        if inmate is not None:
            together = len(legs) == 2 and all(each.get("BridgeId") for each in legs)
            calls[call_id] = Legs(inmate, called, together)
    return calls


def is_of(channel: str, endpoint: str) -> bool:
    """Whether a channel is a telephone's."""
    return endpoint_of(channel) == endpoint


def _announce(board: Switchboard, legs: Legs, call: switched.SwitchedOff | None) -> None:
    board.announce(legs.inmate, call.inmate_language if call else "en")
    if legs.called is not None and not (call and call.relay):
        board.announce(legs.called, call.called_language if call else "en")


def _end(board: Switchboard, calls: Mapping[str, Legs], closing: _Closing) -> None:
    """The inmate of a call that rings hears why from the dialogue after it."""
    for call_id, legs in calls.items():
        end_call(board, legs, FAREWELL, relay=closing.calls is not None and closing.calls[call_id].relay)


def end_call(board: Switchboard, legs: Legs, prompt: str, *, relay: bool = False) -> None:
    """Both hear why where they talk, but for a relay; of a call that rings only the called leg goes."""
    with contextlib.suppress(AmiError):  # it has ended by itself
        if legs.talking:
            end_talk(board, legs.inmate, legs.called, prompt, called_prompt=SILENTLY if relay else None)
        else:
            board.hang_up(legs.called or legs.inmate)


def _keep(board: Switchboard, keys: Mapping[str, str]) -> None:
    """Only these keys of ours stand in Asterisk; what somebody put there at the console stays."""
    found = board.keys()
    for key, value in keys.items():
        if found.get(key) != value:
            board.close(key, value)
    for key in found.keys() - keys.keys():
        if found[key].isdecimal():
            board.reopen(key)
