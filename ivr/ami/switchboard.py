"""What needs more than the controller's own connection may do, or has to work without it: one action at a time.

Two users of Asterisk's: `switch` writes AstDB and ends calls, `announcer` starts channels: of announcements in a talk
and of call-backs.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from ivr.ami.action import NORMAL_CLEARING
from ivr.ami.errors import AmiError
from ivr.ami.oneshot import one_shot

FAMILY = "switch"
DEADLINE_S = 5.0
#: Asterisk lets each of its users in once at a time, and notices a moment late that one has gone.
IN_USE, TRIES, PAUSE_S = "Already In Use", 20, 0.1
#: What is announced into a talk: contexts of the dialplan.
ENDS_IN_A_MINUTE, STAFF_JOINS = "announcement", "joining"
RING_MS = 30_000  # of a call-back
#: Where the called party is ended without a word: over a relay each one would be read out.
SILENTLY = "silently"


@dataclass(frozen=True, slots=True)
class Switchboard:
    """Asterisk on this host; every method raises AmiError where it can't be reached or refuses."""

    host: str
    port: int
    switch_secret: str = field(repr=False)
    announcer_secret: str = field(repr=False)
    plus: str = ""  # what the first carrier wants before a number
    deadline_s: float = DEADLINE_S
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def keys(self) -> dict[str, str]:
        """What is closed in Asterisk's own database: keys such as `all` and `station/NAME`."""
        prefix = f"/{FAMILY}/"
        entries = self._switch("DBGetTree", Family=FAMILY)
        found = {each["Key"]: each.get("Val", "") for each in entries if "Key" in each}
        return {key.removeprefix(prefix): value for key, value in found.items() if key.startswith(prefix)}

    def close(self, key: str, value: str) -> None:
        """Close what the key names, until `reopen`."""
        self._switch("DBPut", Family=FAMILY, Key=key, Val=value)

    def reopen(self, key: str) -> None:
        """Take a key away."""
        self._switch("DBDel", Family=FAMILY, Key=key)

    def channels(self) -> list[Mapping[str, str]]:
        """All channels there are."""
        return [each for each in self._switch("CoreShowChannels") if each.get("Event") == "CoreShowChannel"]

    def registered(self) -> frozenset[str]:
        """Who has an address: the telephones that have registered and not lapsed, and every carrier."""
        told = self._switch("PJSIPShowEndpoints")
        return frozenset(each["ObjectName"] for each in told if each.get("Contacts"))

    def answers(self, endpoint: str) -> bool | None:
        """Whether a carrier answered when it was last asked; None where it has not been asked."""
        told = self._switch("PJSIPShowEndpoint", Endpoint=endpoint)
        found = [each.get("Status") for each in told if each.get("Event") == "ContactStatusDetail"]
        return {"Reachable": True, "Unreachable": False}.get(str(found[0]) if found else "Unreachable")

    def hang_up(self, channel: str) -> None:
        """End one channel."""
        self._switch("Hangup", Channel=channel, Cause=NORMAL_CLEARING)

    def say_farewell(
        self, inmate_channel: str, called_channel: str, prompt: str, *, called_prompt: str | None = None
    ) -> None:
        """End a talk: both hear why, or the called party something else; the dialplan hangs them up."""
        self._switch(
            "Redirect",
            Channel=inmate_channel,
            Context="inmate-farewell",
            Exten=prompt,
            Priority=1,
            ExtraChannel=called_channel,
            ExtraContext="called-farewell",
            ExtraExten=called_prompt or prompt,
            ExtraPriority=1,
        )

    def announce(self, channel: str, language: str, what: str = ENDS_IN_A_MINUTE) -> None:
        """Tell somebody who talks something; the two go on hearing each other.

        The dialplan whispers it into the one channel, and can't listen (context `whisper`).
        """
        headers: dict[str, str | int] = {
            "Channel": f"Local/{language}@{what}",
            "Context": "whisper",
            "Exten": "s",
            "Priority": 1,
            "Variable": f"WHISPER_TO={channel}",
            "Async": "true",
        }
        self._do("announcer", self.announcer_secret, "Originate", headers)

    def call_back(self, number: str, shown: str, call_back_id: str) -> None:
        """Ring a number (digits) over the first carrier, showing another; who answers hears a call-back's dialogue.

        Returns at once: nobody waits for the answer.
        """
        headers: dict[str, str | int] = {
            "Channel": f"PJSIP/{self.plus}{number}@carrier",
            "Context": "called-back",
            "Exten": "s",
            "Priority": 1,
            "CallerID": f"{self.plus}{shown}",
            "Timeout": RING_MS,
            "Variable": f"CALL_BACK={call_back_id}",
            "Async": "true",
        }
        self._do("announcer", self.announcer_secret, "Originate", headers)

    def listen(self, phone: str, channel: str, listening_id: str, *, speaks: bool = False) -> None:
        """Ring a telephone of staff; once it is answered it hears the talk of this called channel, if that may be.

        Where it `speaks` both hear it too. The dialplan listens (contexts `listen` and `cut-in`), and only to what was
        let be heard as it was accepted.
        """
        headers: dict[str, str | int] = {
            "Channel": f"PJSIP/{phone}",
            "Context": "cut-in" if speaks else "listen",
            "Exten": "s",
            "Priority": 1,
            "Account": listening_id,
            "Variable": f"LISTEN_TO={channel}",
            "Async": "true",
        }
        self._do("announcer", self.announcer_secret, "Originate", headers)

    def show(self, of_call: str, what: str) -> None:
        """Show a line on Asterisk's console, from verbosity 2 on: a channel of its own says it and is gone."""
        headers: dict[str, str | int] = {
            "Channel": "Local/s@told",
            "Context": "told",
            "Exten": "over",
            "Priority": 1,
            "Variable": f"TOLD={of_call} {what}",
            "Async": "true",
        }
        self._do("announcer", self.announcer_secret, "Originate", headers)

    def _switch(self, action: str, **headers: str | int) -> list[dict[str, str]]:
        return self._do("switch", self.switch_secret, action, headers)

    def _do(
        self, username: str, secret: str, action: str, headers: Mapping[str, str | int]
    ) -> list[dict[str, str]]:
        with self._one_at_a_time:
            for left in reversed(range(TRIES)):
                try:
                    return one_shot(
                        action,
                        headers,
                        host=self.host,
                        port=self.port,
                        username=username,
                        secret=secret,
                        deadline_s=self.deadline_s,
                    )
                except AmiError as error:
                    if not left or IN_USE not in str(error):
                        raise
                    time.sleep(PAUSE_S)
        raise AssertionError("the last try returns or raises")


def end_talk(
    board: Switchboard,
    inmate_channel: str,
    called_channel: str | None,
    prompt: str,
    *,
    called_prompt: str | None = None,
) -> None:
    """Both hear why and are hung up; where that fails they are hung up all the same."""
    if called_channel is not None:
        try:
            board.say_farewell(inmate_channel, called_channel, prompt, called_prompt=called_prompt)
        except AmiError:
            board.hang_up(called_channel)
        else:
            return
    board.hang_up(inmate_channel)
