"""The controller's own socket: it answers commands, since it is the one process that writes.

One JSON object a line each way, on a Unix socket that only its owner may open. Who sent a command is asked of the
kernel, and put into it as `login`, whatever it says itself.
"""

import asyncio
import json
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog

from ivr.control import ControlError
from ivr.login import login_of

log = structlog.get_logger(__name__)

Verb = Callable[[Mapping[str, Any]], Awaitable[object]]
MOST_BYTES = 8 << 20
_PEER = struct.Struct("3i")  # pid, uid, gid


@asynccontextmanager
async def listening(path: Path, verbs: Mapping[str, Verb]) -> AsyncIterator[None]:
    """Answer commands while the block runs."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line, login = await reader.readline(), _login(writer)
            writer.write(json.dumps(await _answer(line, verbs, login)).encode() + b"\n")
            await writer.drain()
        except (ConnectionError, ValueError) as error:
            log.warning("command not answered", error=str(error))
        finally:
            writer.close()

    sock = _private_socket(path)
    async with await asyncio.start_unix_server(answer, sock=sock, limit=MOST_BYTES):
        yield


def _private_socket(path: Path) -> socket.socket:
    """A listening socket that only its owner may open, in place of one that a dead controller left."""
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        sock.bind(str(path))
    except OSError as error:  # a path of more than 107 bytes, for one
        sock.close()
        raise ControlError(f"cannot listen on {path}: {error.strerror or error}") from None
    finally:
        os.umask(mask)
    return sock


def _login(writer: asyncio.StreamWriter) -> str:
    """Who is at the other end, as the kernel says it."""
    peer = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    pid, uid, _ = _PEER.unpack(peer)
    return login_of(pid, uid)


async def _answer(line: bytes, verbs: Mapping[str, Verb], login: str) -> Mapping[str, object]:
    try:
        request = json.loads(line)
        verb = verbs[request["verb"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {"refused": "not a command of this controller"}
    try:
        return {"done": await verb({**request, "login": login})}
    except ControlError as refusal:
        return {"refused": str(refusal)}
    except Exception:
        log.exception("command failed")
        return {"failed": "the controller failed; its log says why"}
