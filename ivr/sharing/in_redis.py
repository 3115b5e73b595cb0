"""The same through a Redis server. Whatever of it fails, fails within a moment, and is raised as Lost.

Each node's calls are one string that Redis forgets by itself; that something has changed is a message without content:
who can write to Redis can make controllers look at the database, and nothing else.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

from ivr.sharing.interface import FORGOTTEN_SECONDS, Lost, Seen, read, written

#: The library's own defaults make a server that hangs cost a minute.
ANSWER_SECONDS: Final = 0.25
_NODES, _CALLS, _CHANGED = "ivr:nodes", "ivr:calls:", "ivr:changed"


class InRedis:
    """Nodes that reach the same Redis, by its URL."""

    def __init__(self, url: str) -> None:
        self._client = redis.asyncio.Redis.from_url(url, **_options(redis.asyncio.retry.Retry))

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    @asynccontextmanager
    async def join(self, node: str) -> AsyncIterator["_Joined"]:
        """Be one of the nodes while the block runs."""
        async with self._client.pubsub() as listener:
            with _told_as_lost():
                await listener.subscribe(_CHANGED)
                await listener.get_message(timeout=ANSWER_SECONDS)  # that it is subscribed
            yield _Joined(self._client, listener, node)

    async def everybody(self) -> Mapping[str, Sequence[Seen]]:
        """What each node sees that has told it a moment ago."""
        with _told_as_lost():
            nodes = sorted(str(each) for each in await self._client.smembers(_NODES))
            told = await self._client.mget([_CALLS + each for each in nodes]) if nodes else []
            return {
                node: read(json.loads(str(text)))
                for node, text in zip(nodes, told, strict=True)
                if text is not None
            }

    async def say_changed(self) -> None:
        """Every node that hears it looks."""
        with _told_as_lost():
            await self._client.publish(_CHANGED, b"")


class _Joined:
    def __init__(self, client: Any, listener: Any, node: str) -> None:
        self._client = client
        self._listener = listener
        self._node = node

    async def tell(self, seen: Sequence[Seen]) -> None:
        """These are all calls that this node sees."""
        with _told_as_lost():
            async with self._client.pipeline(transaction=False) as pipeline:
                pipeline.sadd(_NODES, self._node)
                pipeline.set(_CALLS + self._node, json.dumps(written(seen)), ex=FORGOTTEN_SECONDS)
                await pipeline.execute()

    async def changed(self, seconds: float) -> bool:
        """Wait so long at most; whether somebody has said so."""
        with _told_as_lost():
            heard = await self._listener.get_message(ignore_subscribe_messages=True, timeout=seconds)
            is_told = heard is not None
            while heard is not None:  # many at once are one
                heard = await self._listener.get_message(ignore_subscribe_messages=True, timeout=0)
            return is_told


def say_changed(url: str) -> None:
    """The same from a command, which has no event loop; raises Lost."""
    with _told_as_lost(), redis.Redis.from_url(url, **_options(Retry)) as client:
        client.publish(_CHANGED, b"")


def answers(url: str) -> None:
    """Return if the server answers, and may be written to; raises Lost."""
    with _told_as_lost(), redis.Redis.from_url(url, **_options(Retry)) as client:
        client.set("ivr:asked", b"", ex=FORGOTTEN_SECONDS)


def _options(retry: Any) -> dict[str, Any]:
    seconds = {"socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": ANSWER_SECONDS}
    return {**seconds, "retry": retry(NoBackoff(), 0), "retry_on_error": [], "decode_responses": True}


@contextmanager
def _told_as_lost() -> Iterator[None]:
    try:
        yield
    except (
        redis.RedisError,
        OSError,
        ValueError,
    ) as error:  # the URL, where it holds a password, is not told
        raise Lost(f"Redis: {type(error).__name__}") from error
