import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
import structlog

from ivr.agi import CallerGone, Limits, PlaybackFailed, Session, serve
from tests.agi.dialogues import HOST, TOKEN, channel, serving
from tests.fakes.channel import FakeChannel, env_of, run_agi
from tests.fakes.loop import in_loop


async def answers(session: Session) -> None:
    await session.answer()


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    """Everything that the server sends before it closes the connection."""
    with contextlib.suppress(ConnectionError):
        return await reader.read()
    return b""


# -- the token


@pytest.mark.parametrize(
    "token", [None, "", "wrong", TOKEN + "x", TOKEN[:-1], TOKEN.upper(), "é", f"{TOKEN}|{TOKEN}"]
)
@in_loop
async def test_a_wrong_token_reaches_no_handler(token: str | None) -> None:
    handled = []

    async def handler(session: Session) -> None:
        handled.append(session)

    impostor = FakeChannel(variables={} if token is None else {"IVR_TOKEN": token})
    async with serving(handler, expressions={"station": "${CHANNEL(endpoint)}"}) as server:
        await run_agi(impostor, HOST, server.port, "outbound")
        assert server.counts.wrong_token == 1
    assert handled == []
    assert len(impostor.commands) == 1


@pytest.mark.parametrize("raw", [b"200 result=0\n", b"200 result=1\n", b"510 No\n", b"200 result=1 (|)\n"])
@in_loop
async def test_an_answer_without_a_token_is_a_wrong_token(raw: bytes) -> None:
    impostor = channel()
    impostor.raw_replies["GET FULL"] = raw
    async with serving(answers) as server:
        await run_agi(impostor, HOST, server.port, "outbound")
        assert server.counts.wrong_token == 1
        assert server.counts.sessions == 0


@pytest.mark.parametrize(
    "raw",
    [b"HANGUP\n", b"junk\n", b"200 result=1 (a)\n200 result=1 (a)\n", b"200 result=1 (" + b"x" * 40_000],
)
@in_loop
async def test_junk_instead_of_a_token_reaches_no_handler(raw: bytes) -> None:
    impostor = channel()
    impostor.raw_replies["GET FULL"] = raw
    async with serving(answers) as server:
        await run_agi(impostor, HOST, server.port, "outbound")
        assert server.counts.sessions == 0


@in_loop
async def test_an_empty_token_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="token"):
        await serve(answers, token="", expressions={}, host=HOST, port=0)


@in_loop
async def test_all_variables_come_with_the_token_in_one_round_trip() -> None:
    seen: list[dict[str, str]] = []

    async def handler(session: Session) -> None:
        seen.append(dict(session.variables))

    names = {
        "station": "${CHANNEL(endpoint)}",
        "session_id": "${SESSION_ID}",
        "note": "${DB(talk/${CALL_ID})}",
    }
    caller = channel(SESSION_ID="ab", CALL_ID="c1", **{"CHANNEL(endpoint)": "demo-a1"})
    caller.database["/talk/c1"] = "1.5 2.5 16"
    async with serving(handler, expressions=names) as server:
        await run_agi(caller, HOST, server.port, "outbound")
    assert seen == [{"station": "demo-a1", "session_id": "ab", "note": "1.5 2.5 16"}]
    assert len(caller.commands) == 1


@in_loop
async def test_expressions_that_no_line_can_carry_are_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="too long"):
        await serve(answers, token=TOKEN, expressions={"x": "${X}" * 500}, host=HOST, port=0)


# -- hostile peers


@in_loop
async def test_a_port_scan_harms_nobody() -> None:
    async with serving(answers) as server:
        for data in [
            b"",
            b"\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"\0" * 100,
            b"\xff" * 10_000,
            b"agi_x: " + b"y" * 20_000,
        ]:
            async with connected(server.port) as (reader, writer):
                writer.write(data)
                writer.write_eof()
                await until_closed(reader)
        caller = channel()
        assert await run_agi(caller, HOST, server.port, "outbound")
        assert ["ANSWER"] in caller.commands
        assert server.counts.sessions == 1


@pytest.mark.parametrize("sent", [b"", b"agi_network: yes\n", b"agi_net"])
@in_loop
async def test_a_stranger_who_dawdles_is_cut_off(sent: bytes) -> None:
    async with serving(answers, limits=Limits(env_s=0.05)) as server:
        async with connected(server.port) as (reader, writer):
            writer.write(sent)
            await until_closed(reader)
        assert server.counts.too_slow == 1


@in_loop
async def test_a_stranger_who_drips_bytes_gains_no_time() -> None:
    async with (
        serving(answers, limits=Limits(env_s=0.1)) as server,
        connected(server.port) as (reader, writer),
    ):
        closed = asyncio.create_task(until_closed(reader))
        for _ in range(2_000):
            writer.write(b"a")
            await asyncio.wait([closed], timeout=0.005)
            if closed.done():
                break
        assert closed.done()
        assert server.counts.too_slow == 1


@in_loop
async def test_a_stranger_who_keeps_the_token_back_is_cut_off() -> None:
    caller = channel()
    caller.raw_replies["GET FULL"] = b""
    async with serving(answers, limits=Limits(token_s=0.05)) as server:
        await run_agi(caller, HOST, server.port, "outbound")
        assert server.counts.too_slow == 1


@in_loop
async def test_a_crowd_of_strangers_does_not_keep_a_caller_out() -> None:
    crowd: list[asyncio.StreamWriter] = []
    limits = Limits(strangers=20, env_s=30)
    async with serving(answers, limits=limits) as server:
        for _ in range(200):
            _, writer = await asyncio.open_connection(HOST, server.port)
            crowd.append(writer)
            if len(crowd) % 50 == 0:
                caller = channel()
                assert await run_agi(caller, HOST, server.port, "outbound")
                assert ["ANSWER"] in caller.commands
        assert server.counts.sessions == 4
        assert server.counts.too_many_strangers >= 180
    for writer in crowd:
        writer.transport.abort()


@in_loop
async def test_a_crowd_that_keeps_the_token_back_does_not_keep_a_caller_out() -> None:
    limits = Limits(strangers=20, token_s=30)
    env = env_of(channel(), HOST, "outbound")
    async with serving(answers, limits=limits) as server, contextlib.AsyncExitStack() as crowd:
        for _ in range(60):
            reader, writer = await crowd.enter_async_context(connected(server.port))
            writer.write(env)
            await reader.readline()
        caller = channel()
        assert await run_agi(caller, HOST, server.port, "outbound")
        assert ["ANSWER"] in caller.commands
        assert server.counts.too_many_strangers >= 40


@in_loop
async def test_there_is_a_most_of_sessions() -> None:
    release = asyncio.Event()

    async def waits(session: Session) -> None:
        await session.answer()
        await release.wait()

    async with serving(waits, limits=Limits(sessions=2)) as server:
        callers = [channel() for _ in range(3)]
        sessions = [asyncio.create_task(run_agi(caller, HOST, server.port, "outbound")) for caller in callers]
        done, running = await asyncio.wait(sessions, return_when=asyncio.FIRST_COMPLETED)
        assert (len(done), len(running)) == (1, 2)
        assert server.counts.too_many_sessions == 1
        assert len(server.sessions) == 2
        release.set()
        await asyncio.wait(running)
        assert await run_agi(channel(), HOST, server.port, "outbound")
        assert server.counts.sessions == 3


@in_loop
async def test_refusals_are_logged_once_a_second_at_most() -> None:
    with structlog.testing.capture_logs() as logs:
        async with serving(answers) as server:
            for _ in range(20):
                await run_agi(FakeChannel(), HOST, server.port, "outbound")
            assert server.counts.wrong_token == 20
    assert [log["event"] for log in logs].count("agi_wrong_token") == 1


# -- handlers


@in_loop
async def test_a_fault_in_one_handler_ends_its_own_session_only() -> None:
    async def handler(session: Session) -> None:
        if session.args:
            raise ZeroDivisionError("the message may hold what was keyed")
        await session.answer()

    with structlog.testing.capture_logs() as logs:
        async with serving(handler) as server:
            assert await run_agi(channel(), HOST, server.port, "outbound", ["faulty"])
            good = channel()
            assert await run_agi(good, HOST, server.port, "outbound")
            assert ["ANSWER"] in good.commands
            assert server.counts.failed_sessions == 1
    faults = [log for log in logs if log["event"] == "agi_handler_failed"]
    assert [(fault["raised"], fault["script"]) for fault in faults] == [("ZeroDivisionError", "outbound")]
    assert faults[0]["places"][-1].startswith("test_server.py:")
    assert "keyed" not in repr(logs)


@in_loop
async def test_a_hang_up_is_no_fault() -> None:
    async def handler(session: Session) -> None:
        await session.command("ANSWER")
        raise AssertionError("not reached")

    caller = channel()
    caller.leaves_at = "ANSWER"
    with structlog.testing.capture_logs() as logs:
        async with serving(handler) as server:
            await run_agi(caller, HOST, server.port, "outbound")
        assert server.counts.failed_sessions == 0
    assert {log["log_level"] for log in logs} <= {"debug"}


@in_loop
async def test_an_agi_error_that_a_handler_lets_through_is_a_warning() -> None:
    async def handler(session: Session) -> None:
        await session.playback(["missing"])

    caller = channel()
    caller.missing = frozenset({"missing"})
    with structlog.testing.capture_logs() as logs:
        async with serving(handler) as server:
            await run_agi(caller, HOST, server.port, "outbound")
    assert [(log["event"], log["log_level"]) for log in logs] == [("agi_session_failed", "warning")]
    assert PlaybackFailed.__name__ not in caller.heard


@in_loop
async def test_the_connection_is_closed_when_the_handler_returns() -> None:
    async with serving(answers) as server:
        caller = channel()
        assert await run_agi(caller, HOST, server.port, "outbound")
        assert caller.session is None
        assert server.sessions == set()


@in_loop
async def test_replies_are_not_held_back_by_nagle() -> None:
    undelayed: list[int] = []

    async def handler(session: Session) -> None:
        transport = session._connection._transport
        assert transport is not None
        sock = transport.get_extra_info("socket")
        undelayed.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    async with serving(handler) as server:
        await run_agi(channel(), HOST, server.port, "outbound")
    assert undelayed == [1]


# -- closing


@in_loop
async def test_closing_lets_running_handlers_finish() -> None:
    begun = asyncio.Event()
    finished: list[str | None] = []

    async def handler(session: Session) -> None:
        begun.set()
        await closing.wait()
        finished.append(await session.get_variable("X"))

    closing = asyncio.Event()
    server = await serve(handler, token=TOKEN, expressions={}, host=HOST, port=0)
    port = server.port
    call = asyncio.create_task(run_agi(channel(X="1"), HOST, port, "outbound"))
    await begun.wait()
    close = asyncio.create_task(server.close(grace_s=10))
    await asyncio.sleep(0)
    assert not await run_agi(channel(), HOST, port, "outbound")  # nobody new
    closing.set()
    await close
    await call
    assert finished == ["1"]


@in_loop
async def test_closing_cancels_handlers_after_the_grace_time() -> None:
    begun = asyncio.Event()
    cleaned_up = []

    async def handler(_session: Session) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned_up.append(True)

    server = await serve(handler, token=TOKEN, expressions={}, host=HOST, port=0)
    call = asyncio.create_task(run_agi(channel(), HOST, server.port, "outbound"))
    await begun.wait()
    await server.close(grace_s=0.01)
    assert cleaned_up == [True]
    await call


@in_loop
async def test_closing_that_is_cancelled_still_ends_the_handlers() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def handler(_session: Session) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    server = await serve(handler, token=TOKEN, expressions={}, host=HOST, port=0)
    call = asyncio.create_task(run_agi(channel(), HOST, server.port, "outbound"))
    await begun.wait()
    close = asyncio.create_task(server.close(grace_s=60))
    await asyncio.sleep(0)
    close.cancel()
    with pytest.raises(asyncio.CancelledError):
        await close
    await ended.wait()
    await call


@in_loop
async def test_closing_turns_strangers_away_at_once() -> None:
    server = await serve(answers, token=TOKEN, expressions={}, host=HOST, port=0, limits=Limits(env_s=60))
    async with connected(server.port) as (reader, writer):
        writer.write(env_of(channel(), HOST, "outbound"))
        assert (await reader.readline()).startswith(b"GET FULL VARIABLE")
        await server.close(grace_s=60)
        await until_closed(reader)


@in_loop
async def test_it_serves_on_a_socket_that_it_is_given() -> None:
    with socket.create_server((HOST, 0)) as listening:
        server = await serve(answers, token=TOKEN, expressions={}, sock=listening)
        assert server.port == listening.getsockname()[1]
        assert await run_agi(channel(), HOST, server.port, "outbound")
        await server.close()


@in_loop
async def test_many_callers_are_served_at_once() -> None:
    async def handler(session: Session) -> None:
        for number in range(5):
            assert await session.get_variable("NUMBER") == session.args[0], number
        await session.hangup()
        await session.gone.wait()
        with pytest.raises(CallerGone):
            await session.answer()

    async with serving(handler) as server:
        callers = [(channel(NUMBER=str(number)), str(number)) for number in range(200)]
        await asyncio.gather(
            *(run_agi(caller, HOST, server.port, "x", [number]) for caller, number in callers)
        )
        assert server.counts.sessions == 200
        assert server.counts.failed_sessions == 0
