"""Asterisk played on sockets: whole calls as dialplan/templates/extensions.conf would run them.

It is a FastAGI client and an AMI server, and has no audio. Calls run as fast as the controller answers, or
at a rate; thousands at once are fine, in a process of its own too.
"""

import asyncio
import itertools
import re
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.fakes.ami_server import FakeAmi
from tests.fakes.channel import HANGS_UP, FakeChannel, run_agi

__all__ = ["HANGS_UP", "Attempt", "FakeAsterisk", "FakeChannel", "PhoneCall", "Result", "run_agi"]

_FORMS = {
    "CALL_ID": re.compile(r"[0-9a-f]{32}"),
    "LIMIT_MS": re.compile(r"[1-9][0-9]{3,7}"),
    "DESTINATION": re.compile(r"[1-9][0-9]{6,14}"),
    "FACILITY_NUMBER": re.compile(r"[1-9][0-9]{6,14}"),
    "RING_SECONDS": re.compile(r"[1-9][0-9]{0,2}"),
    "WARNING": re.compile(r"warning[.][a-z_]+"),
    "ENDED": re.compile(r"ended[.][a-z_]+"),
}
_ALLOWED = ("VERDICT", "DESTINATION", "LIMIT_MS", "FACILITY_NUMBER", "RING_SECONDS", "WARNING", "ENDED")
_NORMAL_CLEARING = "16"
_BUSY = "17"


@dataclass(frozen=True, slots=True)
class PhoneCall:
    """What will happen at one station: the inmate's keys, and for each attempt the called party's.

    `called_keys` None stands for a busy number. After `talk_s` the called party hangs up, or the inmate if
    `inmate_hangs_up`.
    """

    station: str
    keys: Sequence[str]
    called_keys: Sequence[Sequence[str] | None] = ()
    talk_s: float = 0.0
    inmate_hangs_up: bool = False
    prompt_s: float = 0.0


@dataclass(slots=True)
class Attempt:
    """One Dial: what the controller had ordered, and what came of it."""

    call_id: str
    destination: str
    limit_ms: int
    dial_status: str = ""
    accepted: bool = False
    talked_s: float = 0.0
    cut_off: bool = False
    called: FakeChannel | None = None


@dataclass(slots=True)
class Result:
    """How one station's call went; `closed` when the dialplan refused to go on, `served` when AGI was reached."""

    inmate: FakeChannel
    attempts: list[Attempt] = field(default_factory=list)
    served: bool = True
    closed: bool = False
    ended_at: float = 0.0


class FakeAsterisk:
    """A pretended Asterisk whose FastAGI goes to one address and whose AMI is `ami`."""

    def __init__(self, token: str, agi_port: int, ami: FakeAmi, *, agi_host: str = "127.0.0.1") -> None:
        self.ami = ami
        self._token = token
        self._agi = agi_host, agi_port
        self._numbers = itertools.count(1)
        self._channels: dict[str, FakeChannel] = {}
        ami.on_hangup = self._hang_up

    async def call(self, plan: PhoneCall) -> Result:
        """A phone is lifted; returns when its channel is gone."""
        inmate = self._new_channel(plan.station, plan.keys, plan.prompt_s)
        result = Result(inmate)
        result.served = await run_agi(inmate, *self._agi, "outbound")
        called_parties = iter(plan.called_keys)
        while not inmate.gone.is_set() and inmate.variables.get("VERDICT") != "END":
            order = {name: inmate.variables.get(name, "") for name in _FORMS}
            well_formed = all(form.fullmatch(order[name]) for name, form in _FORMS.items())
            if inmate.variables.get("VERDICT") != "DIAL" or not well_formed:
                result.closed = True
                break
            attempt = Attempt(order["CALL_ID"], order["DESTINATION"], int(order["LIMIT_MS"]))
            if any(earlier.call_id == attempt.call_id for earlier in result.attempts):
                result.closed = True
                break
            result.attempts.append(attempt)
            await self._dial(inmate, attempt, next(called_parties, None), plan)
            if not inmate.gone.is_set():
                await self._after(inmate, attempt)
        self._end_channel(inmate)
        result.ended_at = time.time()
        return result

    async def calls(self, plans: Iterable[PhoneCall], per_second: float) -> list[Result]:
        """Start calls at a steady rate, whether or not earlier ones have ended, and wait for all."""
        loop = asyncio.get_running_loop()
        begin, running = loop.time(), []
        for number, plan in enumerate(plans):
            if (wait := begin + number / per_second - loop.time()) > 0:
                await asyncio.sleep(wait)
            running.append(asyncio.create_task(self.call(plan)))
        return await asyncio.gather(*running)

    async def _dial(
        self, inmate: FakeChannel, attempt: Attempt, keys: Sequence[str] | None, plan: PhoneCall
    ) -> None:
        """Dial with U(): the called party is asked, then talks, then one of them hangs up."""
        if keys is None:
            attempt.dial_status = "BUSY"
            inmate.variables |= {"DIALSTATUS": "BUSY", "HANGUPCAUSE": _BUSY}
            return
        called = attempt.called = self._new_channel("carrier", keys, plan.prompt_s)
        called.variables["CALL_ID"] = attempt.call_id
        attempt.dial_status = "ANSWER"
        inmate.variables |= {"DIALSTATUS": "ANSWER", "HANGUPCAUSE": _NORMAL_CLEARING}
        await run_agi(called, *self._agi, "accept", [attempt.call_id])
        attempt.accepted = called.variables.get("ACCEPTED") == "yes"
        if attempt.accepted and not called.gone.is_set():
            await self._talk(inmate, called, attempt, plan)
        self._end_channel(called)

    async def _talk(
        self, inmate: FakeChannel, called: FakeChannel, attempt: Attempt, plan: PhoneCall
    ) -> None:
        note = f"/talk/{attempt.call_id}"
        began = time.time()
        self.ami.database[note] = f"{began:.6f}"
        self._user_event(called, "TalkFrom", Call=attempt.call_id, At=f"{began:.6f}")
        limit_s = attempt.limit_ms / 1000
        first_gone = await _first_of(inmate.gone, called.gone, min(plan.talk_s, limit_s))
        attempt.cut_off = first_gone is None and plan.talk_s >= limit_s
        if first_gone is None and not attempt.cut_off:
            leaves = inmate if plan.inmate_hangs_up else called
            self.ami.push("HangupRequest", Channel=leaves.name, Cause=_NORMAL_CLEARING)
            leaves.hang_up()
        ended = time.time()
        attempt.talked_s = ended - began
        self.ami.database[note] = f"{began:.6f} {ended:.6f} {_NORMAL_CLEARING}"
        stamps = {"Call": attempt.call_id, "From": f"{began:.6f}", "At": f"{ended:.6f}"}
        self._user_event(called, "TalkTo", **stamps, Cause=_NORMAL_CLEARING, Quality=_QUALITY)

    async def _after(self, inmate: FakeChannel, attempt: Attempt) -> None:
        self._user_event(inmate, "LegQuality", Call=attempt.call_id, Leg="inmate", Quality=_QUALITY)
        for name in _ALLOWED:
            inmate.variables[name] = ""
        told = [attempt.call_id, attempt.dial_status, inmate.variables["HANGUPCAUSE"]]
        await run_agi(inmate, *self._agi, "after_call", told)

    def _new_channel(self, endpoint: str, keys: Sequence[str], prompt_s: float) -> FakeChannel:
        name = f"PJSIP/{endpoint}-{next(self._numbers):08x}"
        channel = FakeChannel(name, keys=deque(keys), database=self.ami.database, prompt_s=prompt_s)
        channel.variables |= {"IVR_TOKEN": self._token, "CHANNEL(endpoint)": endpoint}
        self._channels[name] = channel
        self.ami.channels[name] = {"AccountCode": ""}
        self.ami.push("Newchannel", Channel=name)
        return channel

    def _end_channel(self, channel: FakeChannel) -> None:
        channel.hang_up()
        del self._channels[channel.name], self.ami.channels[channel.name]
        self.ami.push("Hangup", Channel=channel.name, Cause=_NORMAL_CLEARING)

    def _hang_up(self, name: str) -> bool:
        channel = self._channels.get(name)
        if channel is not None:
            channel.hang_up()
        return channel is not None

    def _user_event(self, channel: FakeChannel, name: str, **headers: str) -> None:
        self.ami.push("UserEvent", Channel=channel.name, UserEvent=name, **headers)


_QUALITY = (
    "ssrc=1;themssrc=2;lp=0;rxjitter=0.000125;rxcount=500;txjitter=0.000250;txcount=500;rlp=0;rtt=0.000400"
)


async def _first_of(first: asyncio.Event, second: asyncio.Event, within_s: float) -> asyncio.Event | None:
    """Whichever is set within the time, or None."""
    waits = {asyncio.create_task(event.wait()): event for event in (first, second)}
    done, late = await asyncio.wait(waits, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    for task in late:
        task.cancel()
    return waits[next(iter(done))] if done else None
