"""What a controller does in one call of a test."""

import asyncio
import threading

from tests.dialplan.conftest import NUMBER
from tests.dialplan.fastagi import Script, Session

CALL_ID = "0123456789abcdef0123456789abcdef"


class Story:
    """What the controller answers in one test, and what Asterisk told it."""

    def __init__(self) -> None:
        self.destination = NUMBER
        self.limit_ms = "60000"
        self.ring_seconds = "20"
        self.accept_key = "1"
        self.call_id = CALL_ID
        self.in_talk: dict[str, str] = {}  # what the dialplan is to do in the talk
        self.status: list[str] = []
        self.finished = threading.Event()
        self.accepted = threading.Event()
        self.dies_in = ""  # the script in which the controller closes its connection, as a killed one does
        self.freezes_in = ""  # the script in which it says no more

    @property
    def scripts(self) -> dict[str, Script]:
        return {
            "outbound": self.outbound,
            "accept": self.accept,
            "after_call": self.after_call,
            "inbound": self.inbound,
            "call_back": self.inbound,
        }

    async def _fail(self, script: str) -> None:
        if self.dies_in == script:
            raise ConnectionAbortedError
        if self.freezes_in == script:
            await asyncio.sleep(60)

    async def outbound(self, session: Session) -> None:
        await self._fail("outbound")
        await session.set(
            CALL_ID=self.call_id,
            DESTINATION=self.destination,
            LIMIT_MS=self.limit_ms,
            FACILITY_NUMBER="16175550100",
            RING_SECONDS=self.ring_seconds,
            WARNING="warning.balance",
            ENDED="ended.balance",
            VERDICT="DIAL",
        )

    async def accept(self, session: Session) -> None:
        await self._fail("accept")
        answer = await session.send("WAIT FOR DIGIT 4000")
        if answer == f"200 result={ord(self.accept_key)}":
            await session.set(**self.in_talk, ACCEPTED="yes")
            self.accepted.set()

    async def after_call(self, session: Session) -> None:
        self.status = [session.environment[f"arg_{number}"] for number in (1, 2, 3)]
        await session.set(VERDICT="END")
        self.finished.set()

    async def inbound(self, session: Session) -> None:
        await session.send("EXEC Playback ivr/inbound_notice")
        await session.set(VERDICT="END")
