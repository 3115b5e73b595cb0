"""Runs one script for one channel, and sees to it that every way out is recorded."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from ivr.agi import AgiError, CallerGone, Session
from ivr.call import Call, SessionEnded
from ivr.controls import CalledBackControls, CalledPartyControls, CallingInControls, InmateControls
from ivr.controls.node import Node
from ivr.flows.accept import accept
from ivr.flows.after_call import after_call
from ivr.flows.call_back import call_back
from ivr.flows.goodbye import say_goodbye
from ivr.flows.inbound import inbound
from ivr.flows.outbound import outbound
from ivr.policy.forwarding import HEADERS
from ivr.policy.reasons import Outcome, Reason
from prompts.own import Voices

log = structlog.get_logger(__name__)

#: What every script needs of its channel, fetched with the token in the session's first round trip.
EXPRESSIONS = {
    "station": "${CHANNEL(endpoint)}",
    "session_id": "${SESSION_ID}",
    "call_id": "${CALL_ID}",
    "dial_status": "${DIALSTATUS}",
    "cause": "${HANGUPCAUSE}",
    "note": "${DB(talk/${CALL_ID})}",
    "shown": "${CALLERID(num)}",
    "called": "${CALLERID(dnid)}",
    "closed": "${DB_EXISTS(switch/all)}${DB_EXISTS(switch/station/${CHANNEL(endpoint)})}",
}

InmateScript = Callable[[Call, InmateControls], Awaitable[None]]


class Runner:
    """Runs the script that the dialplan named."""

    def __init__(self, node: Node, voices: Voices) -> None:
        self._node = node
        self._voices = voices

    async def __call__(self, session: Session) -> None:
        """Run the script to its end; a fault in it is told to the caller and ends only this dialogue."""
        script = SCRIPTS.get(session.script)
        if script is None:
            log.error("unknown script", script=session.script)
            return
        structlog.contextvars.bind_contextvars(script=session.script)  # each session has a task of its own
        await script(self, session)

    async def outbound(self, session: Session) -> None:
        """An inmate has lifted a telephone."""
        await self._inmate(session, outbound)

    async def after_call(self, session: Session) -> None:
        """The dialplan's Dial is over and the inmate still there."""
        await self._inmate(session, after_call)

    async def accept(self, session: Session) -> None:
        """A called party has answered."""
        call = Call(session, self._voices)
        call_id = session.args[0] if session.args else ""
        controls = CalledPartyControls(self._node, call_id, session.env.get("agi_channel", ""))
        live = self._node.live.get(call_id)
        over = asyncio.Event()
        if live is not None:
            live.acceptance_over, live.called_heard = over, call.said
        structlog.contextvars.bind_contextvars(call_id=call_id)
        try:
            is_relay = live is not None and live.relay
            script = self._with_its_answer(session, call, controls)
            reason = await self._run(call, script, told="cannot_connect", in_silence=is_relay)
            if reason is Outcome.CALLER_HUNG_UP:
                await controls.gone(call.language)
        finally:
            over.set()
            await controls.close()

    async def inbound(self, session: Session) -> None:
        """Somebody calls the facility's number."""
        call = Call(session, self._voices)
        known = session.variables
        controls = CallingInControls(self._node, shown=known["shown"], called=known["called"])
        try:
            await self._run(call, inbound(call, controls), told="closed")
        finally:
            await controls.close()

    async def call_back(self, session: Session) -> None:
        """Somebody who called in is called back, and has answered."""
        call = Call(session, self._voices)
        controls = CalledBackControls(self._node, session.args[0] if session.args else "")
        await self._run(call, call_back(call, controls), told="closed")

    async def _inmate(self, session: Session, script: InmateScript) -> None:
        known = session.variables
        controls = InmateControls(
            node=self._node,
            station_id=known["station"],
            channel=session.env.get("agi_channel", ""),
            session_id=known["session_id"],
            call_id=known["call_id"],
            dial_status=known["dial_status"],
            cause=known["cause"],
            note=known["note"],
            closed_in_asterisk="1" in known["closed"],
        )
        call = Call(session, self._voices, said=controls.said)
        structlog.contextvars.bind_contextvars(
            call_id=controls.call_id
        )  # the controls add where, if it is kept
        try:
            reason = await self._run(call, self._without_old_notes(session, script, call, controls))
        except asyncio.CancelledError:
            await controls.close_session(Outcome.SYSTEM_FAULT)
            raise
        try:
            await controls.close_session(reason)
        except Exception:
            self._node.live.look_again = True
            log.exception("session not closed")

    async def _run(
        self,
        call: Call,
        script: Coroutine[Any, Any, None] | Awaitable[None],
        told: str | None = None,
        *,
        in_silence: bool = False,
    ) -> Reason | None:
        """The script's early end, if it had one; said to whoever is left to hear it, unless nothing is to be said."""
        try:
            await script
        except SessionEnded as ended:
            reason: Reason = ended.reason
        except CallerGone:
            return Outcome.CALLER_HUNG_UP
        except Exception:
            log.exception("script failed")
            reason = Outcome.SYSTEM_FAULT
        else:
            return None
        try:
            if in_silence:
                await call.finish()
            elif told:
                await call.say(told)
                await call.finish()
            else:
                await call.say_ending(reason)
                await say_goodbye(call)
        except (CallerGone, AgiError):
            log.info("nobody left to tell", reason=reason)
        except Exception:
            log.exception("ending not told", reason=reason)
        return reason

    async def _with_its_answer(self, session: Session, call: Call, controls: CalledPartyControls) -> None:
        """The called party's script, after the headers of their answer were read: only their channel has them."""
        controls.answered_with = {
            name: await session.get_full_variable(f"${{PJSIP_RESPONSE_HEADER(read,{header})}}")
            for name, header in HEADERS.items()
        }
        await accept(call, controls)

    async def _without_old_notes(
        self, session: Session, script: InmateScript, call: Call, controls: InmateControls
    ) -> None:
        """The script, after notes of settled calls were deleted from AstDB: only a dialogue may do that."""
        notes = self._node.live.notes_done
        for _ in range(5):
            if not notes:
                break
            await session.database_del("talk", notes.popleft())
        await script(call, controls)


SCRIPTS: dict[str, Callable[[Runner, Session], Awaitable[None]]] = {
    "outbound": Runner.outbound,
    "accept": Runner.accept,
    "after_call": Runner.after_call,
    "inbound": Runner.inbound,
    "call_back": Runner.call_back,
}
