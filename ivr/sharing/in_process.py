"""The same within one process: for a node that is alone, and for tests of several."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from ivr.sharing.interface import FORGOTTEN_SECONDS, Seen


class InProcess:
    """Nodes of one event loop. `monotonic` are seconds that only grow."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._joined: set[_Joined] = set()
        self._told: dict[str, tuple[float, Sequence[Seen]]] = {}

    @asynccontextmanager
    async def join(self, node: str) -> AsyncIterator["_Joined"]:
        """Be one of the nodes while the block runs."""
        joined = _Joined(self, node)
        self._joined.add(joined)
        try:
            yield joined
        finally:
            self._joined.discard(joined)

    async def everybody(self) -> Mapping[str, Sequence[Seen]]:
        """What each node sees that has told it a moment ago."""
        now = self._monotonic()
        return {node: seen for node, (at, seen) in self._told.items() if now - at < FORGOTTEN_SECONDS}

    async def say_changed(self) -> None:
        """Every node hears it."""
        for each in self._joined:
            each.heard.set()

    def note(self, node: str, seen: Sequence[Seen]) -> None:
        """A node has told this."""
        self._told[node] = self._monotonic(), tuple(seen)


class _Joined:
    def __init__(self, shared: InProcess, node: str) -> None:
        self._shared = shared
        self._node = node
        self.heard = asyncio.Event()

    async def tell(self, seen: Sequence[Seen]) -> None:
        """These are all calls that this node sees."""
        self._shared.note(self._node, seen)

    async def changed(self, seconds: float) -> bool:
        """Wait so long at most; whether somebody has said so."""
        try:
            async with asyncio.timeout(seconds):
                await self.heard.wait()
        except TimeoutError:
            return False
        self.heard.clear()
        return True
