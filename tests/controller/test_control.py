"""The controller's socket: its owner's alone, one answer for each command, and no harm from what is none."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ivr.control import ControlError, NoController, ask
from ivr.control_server import Verb, listening
from tests.fakes.loop import in_loop


async def double(request: Mapping[str, Any]) -> int:
    return 2 * int(request["number"])


async def refuse(_: Mapping[str, Any]) -> None:
    raise ControlError("not today")


async def fail(_: Mapping[str, Any]) -> None:
    raise KeyError("a fault of ours")


VERBS: Mapping[str, Verb] = {"double": double, "refuse": refuse, "fail": fail}


@asynccontextmanager
async def control(tmp_path: Path, verbs: Mapping[str, Verb] = VERBS) -> AsyncIterator[Callable[..., Any]]:
    path = tmp_path / "control.sock"
    async with listening(path, verbs):
        yield lambda verb, **arguments: asyncio.to_thread(lambda: ask(path, verb, **arguments))


@in_loop
async def test_a_command_is_done_and_its_result_told(tmp_path: Path) -> None:
    async with control(tmp_path) as asking:
        assert await asking("double", number=21) == 42
        assert await asking("double", number=-1) == -2


@in_loop
async def test_a_refusal_is_told_in_its_own_words(tmp_path: Path) -> None:
    async with control(tmp_path) as asking:
        with pytest.raises(ControlError, match=r"^not today$"):
            await asking("refuse")


@in_loop
async def test_a_verb_that_there_is_not_is_refused(tmp_path: Path) -> None:
    async with control(tmp_path) as asking:
        for verb in ("shell", "", "double\n"):
            with pytest.raises(ControlError, match=r"^not a command of this controller$"):
                await asking(verb)


@in_loop
async def test_a_fault_is_told_without_its_details_and_the_next_command_works(tmp_path: Path) -> None:
    async with control(tmp_path) as asking:
        with pytest.raises(ControlError, match=r"^the controller failed; its log says why$"):
            await asking("fail")
        assert await asking("double", number=1) == 2


GARBAGE = [
    b"\n",
    b"garbage\n",
    b"\xff\xfe\x00\n",
    b"[]\n",
    b"null\n",
    b'"double"\n',
    b'{"verb": ["double"]}\n',
    b'{"verb": {"a": 1}}\n',
    b"[" * 100_000 + b"\n",
    b'{"verb": "double", "number": 1}',  # no end of line, then no more
]


@pytest.mark.parametrize("line", GARBAGE, ids=range(len(GARBAGE)))
@in_loop
async def test_garbage_is_answered_and_does_no_harm(tmp_path: Path, line: bytes) -> None:
    async with control(tmp_path) as asking:
        reader, writer = await asyncio.open_unix_connection(tmp_path / "control.sock")
        writer.write(line)
        writer.write_eof()
        answer = json.loads(await reader.readline())
        assert answer in ({"refused": "not a command of this controller"}, {"done": 2})
        assert await reader.read() == b""
        writer.close()
        assert await asking("double", number=1) == 2


@in_loop
async def test_more_than_a_command_can_be_is_cut_off(tmp_path: Path) -> None:
    async with control(tmp_path) as asking:
        with pytest.raises(ControlError, match=r"ended before it answered|closed the connection"):
            await asking("double", number="1" * (9 << 20))
        assert await asking("double", number=1) == 2


@in_loop
async def test_two_commands_at_once_do_not_wait_for_each_other(tmp_path: Path) -> None:
    both = asyncio.Barrier(2)

    async def meet(_: Mapping[str, Any]) -> str:
        async with asyncio.timeout(10), both:
            return "met"

    async with control(tmp_path, {"meet": meet}) as asking:
        assert [*await asyncio.gather(asking("meet"), asking("meet"))] == ["met", "met"]


@in_loop
async def test_only_its_owner_may_open_it_and_a_dead_controllers_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    for _ in range(2):  # the first leaves its socket behind
        async with control(tmp_path) as asking:
            assert path.is_socket()
            assert path.stat().st_mode & 0o777 == 0o600
            assert await asking("double", number=1) == 2


def test_without_a_controller_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoController):
        ask(tmp_path / "control.sock", "double", number=1)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "control.sock"))
    with pytest.raises(NoController):
        ask(tmp_path / "control.sock", "double", number=1)


def test_what_is_no_socket_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match=r"cannot reach .*: AF_UNIX path too long"):
        ask(tmp_path / ("long" * 40), "double", number=1)


@in_loop
async def test_a_path_too_long_for_a_socket_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match=r"cannot listen on .*: AF_UNIX path too long"):
        async with listening(tmp_path / ("long" * 40), VERBS):
            raise AssertionError


@pytest.mark.parametrize("answer", [b"", b'{"do', b"nonsense\n"])
def test_a_controller_that_dies_before_its_answer_is_said(tmp_path: Path, answer: bytes) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def take_and_die() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

        dying = threading.Thread(target=take_and_die)
        dying.start()
        with pytest.raises(ControlError, match=r"ended before it answered|closed the connection"):
            ask(path, "double", number=1)
        dying.join()
