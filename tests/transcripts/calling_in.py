"""Plays what somebody hears who calls in and is called back, from a text as in `tests.transcripts.play`.

`caller:` is heard on the call to the facility's number, `called back:` on the call-back that came of it.
"""

import asyncio
import re
from collections import deque

from ivr.agi import CallerGone
from ivr.call import Call
from ivr.controls import CalledBackControls, CallingInControls
from ivr.flows.call_back import call_back
from ivr.flows.inbound import inbound
from ivr.policy.service import FREE_AFTER
from ivr.records import call_backs
from tests.transcripts.play import VOICES, ScriptedLine, World, _parts

JAILS_NUMBER = "12175550100"


def calls_in(world: World, text: str, shown: str, called: str = JAILS_NUMBER) -> None:
    """Play the text and compare it with what was heard, line by line; the number of a receipt is N there."""
    parts = _parts(text)
    heard = asyncio.run(_play(world, deque(parts), shown, called))
    played = [re.sub(r"receipt=\d+", "receipt=N", line) for line in heard]
    expected = [line for head, lines in parts for line in (head, *lines)]
    assert played == expected, "\n".join(played)


async def _play(world: World, parts: deque[tuple[str, list[str]]], shown: str, called: str) -> list[str]:
    heard: list[str] = []
    while parts:
        head, lines = parts.popleft()
        heard.append(head)
        keys = deque(line.removeprefix("> ") for line in lines if line.startswith("> "))
        line = ScriptedLine(keys, heard)
        call = Call(line, VOICES)
        try:
            if head == "caller:":
                controls = CallingInControls(world.node, shown, called)
                try:
                    await inbound(call, controls)
                finally:
                    await controls.close()
            else:
                await call_back(call, CalledBackControls(world.node, await rung(world)))
            assert line.variables["VERDICT"] == "END"
        except CallerGone:
            pass
    return heard


async def rung(world: World) -> str:
    """The call-back that is due, rung as `ivr.calling_back` rings it; nothing is where none is."""
    then = world.at + FREE_AFTER
    for row in await world.database.read(call_backs.due, then):
        if await world.database.transact(call_backs.claim, row, then):
            return str(row.id)
    return ""
