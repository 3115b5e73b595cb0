"""What Asterisk's events mean for calls in progress: starts, ends and hang-ups, and the resync after a gap."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from ivr.ami import AmiError
from ivr.ami.client import AmiClient, Connected, Disconnected, Event
from ivr.controls.node import Node
from ivr.controls.settlement import Ending, is_anonymous, settle_call
from ivr.farewell import hang_up, say_farewell
from ivr.live import LiveCall, endpoint_of, is_called
from ivr.policy.dropped import Fault
from ivr.policy.in_talk import WARNING_MS
from ivr.policy.reasons import Cutoff, Outcome
from ivr.policy.request import CallClass
from ivr.policy.talk import Evidence, Kind
from ivr.records import calls, evidence, listening, sessions
from ivr.records.states import Leg
from ivr.seeing import see_recorded

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 5
#: The dialplan has a talk warned from this limit on.
WARNED_FROM_MS = 65_000
STAFFS = "PJSIP/staff-"  # how the names of telephones begin that listen
#: The controller's own limit stands this far behind Asterisk's, so that it only cuts what Asterisk failed to cut.
SECOND_LIMIT_SECONDS = 0.6
#: A wall clock that was moved by more than this since the talk began makes Asterisk's limit come at a wrong time.
CLOCK_TOLERANCE_SECONDS = 0.3
#: Within this Asterisk has said that the talk is over, which nobody can talk into, and hung up.
ANNOUNCEMENT_SECONDS = 10.0
#: Why Asterisk itself ends a channel, by the flag that it tells (its channel.h): no audio came, or it is being stopped.
FAULTS = {"1": Fault.SILENT_LEG, "4": Fault.SHUTDOWN}
#: How long the called leg's own report of the end may lag behind the inmate's hang-up.
REPORT_SECONDS = 2.0


class Watch:
    """Follows one Asterisk's events, and settles what they end."""

    def __init__(self, node: Node, ami: AmiClient, clock_id: str) -> None:
        self._node = node
        self._ami = ami
        self._clock_id = clock_id
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_step = False  # since the last resync no event was missed
        self._last_of: dict[str, asyncio.Task[None]] = {}  # by call: its event that came last
        self._closed: Mapping[str, str] | None = (
            None  # what Asterisk's own database closed when it was last seen
        )

    async def run(self) -> None:
        """Follow events until cancelled; an event that can't be handled is logged and the next one taken."""
        async for event in self._ami.events():
            if call_id := self._call_of(event):
                self._take_in_turn(call_id, event)
            else:
                await self._take_safely(event)

    async def beat(self) -> None:
        """Every five seconds, if Asterisk answers, note which calls were seen alive: what a lost end is charged by.

        Where something failed since, all calls are looked at again. A beat that fails itself is logged and the next
        one comes.
        """
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            if not self._ami.connected:
                continue
            try:
                await self._beat()
            except AmiError as error:
                log.warning("Asterisk was not seen alive", why=str(error))
            except Exception:
                log.exception("heartbeat failed")

    async def close(self) -> None:
        """Let settlements that have begun finish."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=REPORT_SECONDS + 1)

    async def _beat(self) -> None:
        if self._node.live.look_again or not self._in_step:
            self._in_step = False  # until it has gone through
            await self._resync()
        closed = await self._ami.database_tree("switch")
        if closed != self._closed:  # somebody at Asterisk's console may have closed a station
            self._closed = closed
            self._node.changed.set()
        talking = [live.call_id for live in self._node.live if live.talking]
        if talking:
            asked_at = self._node.now()
            # a frozen Asterisk carries no talk, but stays connected for a while
            await self._ami.action("Ping")
            await self._node.database.transact(calls.still_alive, talking, asked_at)

    def _call_of(self, event: object) -> str:
        """The call that an event is about, as far as it can be known."""
        if not isinstance(event, Event):
            return ""
        live = self._node.live.of_channel(event.headers.get("Channel", ""))
        return event.headers.get("Call") or (live.call_id if live else "")

    def _take_in_turn(self, call_id: str, event: object) -> None:
        """Events of one call one after the other, those of different calls beside each other."""
        before = self._last_of.get(call_id)

        async def turn() -> None:
            structlog.contextvars.bind_contextvars(call_id=call_id)  # of this task alone
            if before is not None:
                await asyncio.wait([before])
            await self._take_safely(event)
            if self._last_of.get(call_id) is task:
                del self._last_of[call_id]

        task = self._last_of[call_id] = self._spawn(turn())

    async def _take_safely(self, event: object) -> None:
        try:
            await self._take(event)
        except Exception:
            self._node.live.look_again = True
            log.exception("event not handled", event_name=getattr(event, "name", type(event).__name__))

    async def _take(self, event: object) -> None:
        match event:
            case Connected():
                await self._resync()
            case Disconnected():
                self._in_step = False
            case Event("UserEvent", headers, received_s):
                await self._user_event(headers, received_s)
            case Event("HangupRequest", headers):
                await self._hangup_requested(headers.get("Channel", ""), by_far_end=True)
            case Event("SoftHangupRequest", headers):  # a time-out, silence on the wire, or ours
                self._note_fault(headers.get("Channel", ""), headers.get("Cause", ""))
                await self._hangup_requested(headers.get("Channel", ""), by_far_end=False)
            case Event("Hangup", headers) if headers.get("Channel", "").startswith(STAFFS):
                await self._node.database.transact(
                    listening.ended, headers.get("AccountCode", ""), self._node.now()
                )
            case Event("Hangup", headers):
                self._hung_up(headers.get("Channel", ""))
            case _:
                return

    # -- the talk

    async def _user_event(self, headers: Mapping[str, str], received_s: float) -> None:
        call_id, at = headers.get("Call", ""), evidence.stamp(headers.get("At", ""))
        match headers.get("UserEvent"):
            case "TalkFrom" if at:
                await self._talk_from(call_id, at, received_s)
            case "TalkTo" if at:
                await self._talk_to(call_id, at, received_s, headers)
            case "Carrier":
                if live := self._node.live.get(call_id):
                    live.carrier = headers.get("Carrier")
            case "Listening":
                await self._node.database.transact(
                    listening.answered, headers.get("Id", ""), self._node.now()
                )
            case "LegQuality":
                await self._quality(call_id, headers.get("Leg", ""), headers.get("Quality", ""))
            case _:
                return

    async def _talk_from(self, call_id: str, at: datetime, received_s: float) -> None:
        if live := self._node.live.get(call_id):
            self._begin_talk(live, at)
            if live.is_watched:
                self._node.changed.set()
            if live.cutter is None:  # else a repeated event would lengthen the call
                self._arm(live, live.limit_ms / 1000 + SECOND_LIMIT_SECONDS)
        seen = self._seen_live(Kind.TALK_FROM, at, received_s)
        await self._node.database.transact(_note_start, call_id, seen, evidence.EVENT, self._node.now())

    def _begin_talk(self, live: LiveCall, at: datetime) -> None:
        if not live.talking:
            live.talking, live.talk_from = True, at
            self._spawn(see_recorded(self._node, self._ami, live))

    async def _talk_to(
        self, call_id: str, at: datetime, received_s: float, headers: Mapping[str, str]
    ) -> None:
        seen = [self._seen_live(Kind.TALK_TO, at, received_s)]
        if start := evidence.stamp(headers.get("From", "")):  # the event of the start may be lost
            seen.append(Evidence(Kind.TALK_FROM, start))
        cause = headers.get("Cause", "")
        ending = Ending(
            Outcome.SYSTEM_FAULT,
            "ANSWER",
            int(cause) if cause.isdecimal() else None,
            self._node.live.hung_up_first(call_id),
            fault=self._node.live.fault(call_id),
        )
        await self._settle(call_id, ending, seen, evidence.EVENT, headers.get("Quality", ""))

    def _seen_live(self, kind: Kind, at: datetime, received_s: float) -> Evidence:
        return Evidence(kind, at, round(received_s * 1000), self._clock_id)

    async def _quality(self, call_id: str, leg: str, report: str) -> None:
        if leg in set(Leg) and report:
            await self._node.database.transact(_keep_quality, call_id, Leg(leg), report)

    def _arm(self, live: LiveCall, seconds: float) -> None:
        """The second limit, on the monotonic clock: a stepped wall clock can't lengthen a call."""
        wall, monotonic = self._node.now(), time.monotonic()

        def at_limit() -> None:
            moved = (self._node.now() - wall).total_seconds() - (time.monotonic() - monotonic)
            if abs(moved) > CLOCK_TOLERANCE_SECONDS:
                self._spawn(self._cut(live))
            else:  # then Asterisk's own limit holds: it has ended the talk and is announcing it
                live.cutter = loop.call_later(ANNOUNCEMENT_SECONDS, lambda: self._spawn(self._cut(live)))

        loop = asyncio.get_running_loop()
        live.cutter = loop.call_later(max(0.0, seconds), at_limit)
        if live.limit_ms >= WARNED_FROM_MS:
            warned_s = seconds - SECOND_LIMIT_SECONDS - WARNING_MS / 1000
            live.teller = loop.call_later(
                max(0.0, warned_s), self._node.told, live.call_id, "warned 60 s left"
            )
        if live.ends_by is not None:
            left = (live.ends_by - wall).total_seconds()
            live.closer = loop.call_later(max(0.0, left), lambda: self._spawn(self._say_farewell(live)))

    async def _say_farewell(self, live: LiveCall) -> None:
        """Calling hours end; Asterisk's limit counts from the connection, so it comes later by ring and acceptance."""
        await say_farewell(self._ami, live, Cutoff.SCHEDULE)

    async def _cut(self, live: LiveCall) -> None:
        log.warning("second limit cuts the call", call_id=live.call_id)
        await self._hang_up(live.called_channel)
        await self._hang_up(live.inmate_channel)

    # -- hang-ups

    def _note_fault(self, channel: str, flag: str) -> None:
        live = self._node.live.of_channel(channel)
        if live is not None and live.talking:
            live.fault = live.fault or FAULTS.get(flag)

    async def _hangup_requested(self, channel: str, *, by_far_end: bool) -> None:
        live = self._node.live.of_channel(channel)
        if live is None:
            return
        leg = Leg.INMATE if channel == live.inmate_channel else Leg.CALLED_PARTY
        if leg is Leg.INMATE or by_far_end:
            live.hangs_up(leg)
        if leg is Leg.INMATE and not live.talking:
            # inside Dial's U() nobody notices that the caller has gone: end the called party's dialogue
            await self._hang_up(live.called_channel)

    def _hung_up(self, channel: str) -> None:
        live = self._node.live.of_channel(channel)
        session_id = self._node.live.session_over(channel)
        if live is not None and channel == live.inmate_channel:
            live.hangs_up(Leg.INMATE)
            self._spawn(self._inmate_gone(live))
        elif session_id is not None:
            self._spawn(self._session_over(session_id))

    async def _inmate_gone(self, live: LiveCall) -> None:
        """The inmate's channel is no more, so no dialogue will settle this call."""
        if not live.talking:
            await self._hang_up(live.called_channel)
        try:
            async with asyncio.timeout(REPORT_SECONDS if live.talking else 0.2):
                await live.talk_ended.wait()
        except TimeoutError:
            note = await self._note(live.call_id)
            ending = Ending(Outcome.CALLER_HUNG_UP, ended_by=live.hung_up_first, fault=live.fault)
            await self._settle(live.call_id, ending, evidence.note(note))
        await self._session_over(live.session_id)

    async def _session_over(self, session_id: str) -> None:
        await self._node.database.transact(sessions.close_session, session_id, None, self._node.now())

    async def _hang_up(self, channel: str | None) -> None:
        await hang_up(self._ami, channel)

    async def _note(self, call_id: str) -> str:
        try:
            return await self._ami.database_get("talk", call_id) or ""
        except AmiError:
            return ""

    async def _settle(
        self,
        call_id: str,
        ending: Ending,
        seen: Sequence[Evidence],
        source: str = evidence.NOTE,
        quality: str = "",
    ) -> None:
        settled = await settle_call(self._node, call_id, ending, seen=seen, source=source, quality=quality)
        if settled is not None:
            log.info(
                "call settled",
                call_id=call_id,
                reason=settled.reason,
                talk_ms=settled.talk_ms,
                charge=settled.charge,
            )

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._node.live.look_again = True
            log.error("background work failed", exc_info=error)

    # -- after a start or a gap

    async def _resync(self) -> None:
        """Adopt the calls that Asterisk still has, settle those that it has no more.

        The calls are read before the channels: what begins meanwhile is none of this. A dialogue that runs settles
        its own call.
        """
        live, looked_at = self._node.live, self._node.now()
        rows = await self._node.database.read(calls.unsealed, self._node.own)
        open_calls = [row for row in rows if row.id not in live.in_dialogue]
        channels = await self._ami.channels()
        notes = await self._ami.database_tree("talk")
        there_are = {each["Channel"] for each in channels}
        live.look_again = False
        for row in open_calls:
            legs = [each["Channel"] for each in channels if each.get("AccountCode") == row.id]
            try:
                await self._adopt_or_settle(row, legs, there_are, notes)
            except Exception:  # one call must not keep the others from being settled
                live.look_again = True
                log.exception("call not settled", call_id=row.id)
        going_on = {call_id for call_id in notes if live.get(call_id)} | live.in_dialogue
        live.notes_done.extend(notes.keys() - going_on)
        live.keep_sessions_at(there_are)
        stations = {endpoint_of(channel) for channel in there_are}
        await self._node.database.transact(
            sessions.close_forgotten, stations, looked_at, self._node.now(), node=self._node.own
        )
        self._node.settled.set()
        self._in_step = self._ami.connected
        self._node.changed.set()  # what staff have changed in the gap holds from now on
        log.info("in step with Asterisk", channels=len(channels), open_calls=len(open_calls))

    async def _adopt_or_settle(
        self, row: Row[Any], legs: Sequence[str], there_are: set[str], notes: Mapping[str, str]
    ) -> None:
        """Before and after Dial the inmate's leg does not carry the call's id, but is there under its name."""
        live = self._node.live.get(row.id)
        note = notes.get(row.id, "")
        if legs:
            self._adopt(row, legs, note)
        elif row.id not in self._node.live.in_dialogue and (
            live is None or live.inmate_channel not in there_are
        ):
            await self._settle(row.id, Ending(Outcome.SYSTEM_FAULT), evidence.note(note))

    def _adopt(self, row: Row[Any], legs: Sequence[str], note: str) -> None:
        called = next((leg for leg in legs if is_called(leg)), None)
        inmate = next((leg for leg in legs if leg != called), "")
        live = self._node.live.get(row.id)
        if live is None:
            live = LiveCall(row.id, row.session_id, row.limit_ms, inmate, ends_by=row.ends_by)
            live.relay = row.call_class == CallClass.TRS
            live.anonymous = is_anonymous(row)
            self._node.live.add(live)
        if called:
            self._node.live.answered(row.id, called)
        seen = evidence.note(note)
        if seen and called:
            self._begin_talk(live, seen[0].at)
            if live.cutter is None:
                talked = max(timedelta(0), self._node.now() - seen[0].at)
                left = timedelta(milliseconds=row.limit_ms) - talked
                self._arm(live, left.total_seconds() + SECOND_LIMIT_SECONDS)
            self._spawn(
                self._node.database.transact(_note_start, row.id, seen[0], evidence.NOTE, self._node.now())
            )


def _note_start(conn: Connection, call_id: str, seen: Evidence, source: str, at: datetime) -> None:
    if calls.set_values(conn, call_id, last_seen_at=at) or calls.is_known(conn, call_id):
        evidence.add(conn, call_id, seen, source=source, at=at)


def _keep_quality(conn: Connection, call_id: str, leg: Leg, report: str) -> None:
    if calls.is_known(conn, call_id):
        evidence.keep_quality(conn, call_id, leg, report)
