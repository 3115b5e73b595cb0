import asyncio
import logging
from dataclasses import replace

import pytest
import structlog

from ivr.ami import AmiDown, AmiTimeout
from ivr.ami.client import AmiClient, Connected, Disconnected, Event, Timing
from tests.ami.linked import HASTY, HOST, QUICK, SECRET, WATCHFUL, linked
from tests.fakes.ami_server import FakeAmi
from tests.fakes.loop import in_loop


@in_loop
async def test_an_action_without_a_link_fails_at_once() -> None:
    client = AmiClient(HOST, 1, "controller", SECRET)
    with pytest.raises(AmiDown):
        await client.action("Ping")


@in_loop
async def test_a_cut_link_is_told_and_made_again() -> None:
    async with linked() as link:
        link.ami.push("Newchannel", Channel="before")
        assert isinstance(await link.next(), Event)
        for _ in range(3):
            link.ami.cut()
            assert await link.until(Disconnected) == []
            assert await link.until(Connected) == []
        link.ami.push("Newchannel", Channel="after")
        assert isinstance(await link.next(), Event)


@in_loop
async def test_an_asterisk_that_restarts_is_found_again() -> None:
    async with linked() as link:
        port = link.ami.port
        link.ami.shut()
        assert await link.until(Disconnected) == []
        with pytest.raises(AmiDown):
            await link.client.action("Ping")
        await link.ami.listen(port=port)
        assert await link.until(Connected) == []
        await link.client.action("Ping")


@in_loop
async def test_shutdown_ends_the_link() -> None:
    async with linked() as link:
        link.ami.push("Shutdown", Restart="False")
        await link.until(Disconnected)
        await link.until(Connected)


@in_loop
async def test_an_action_whose_link_is_cut_fails_and_is_never_sent_again() -> None:
    async with linked() as link:
        link.ami.silent_to.add("Hangup")
        for round_number in range(1, 5):
            hanging_up = asyncio.create_task(link.client.hangup("PJSIP/a-1"))
            await link.ami.seen("Hangup", times=round_number)
            link.ami.cut()
            with pytest.raises(AmiDown):
                await hanging_up
            await link.until(Disconnected)
            await link.until(Connected)
        await link.client.action("Ping")
        assert [action["Action"] for action in link.ami.received].count("Hangup") == 4


@in_loop
async def test_an_action_that_is_cancelled_leaves_nothing_behind() -> None:
    async with linked() as link:
        link.ami.silent_to.add("Hangup")
        hanging_up = asyncio.create_task(link.client.hangup("PJSIP/a-1"))
        await link.ami.seen("Hangup")
        hanging_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging_up
        await link.client.action("Ping")
        inner = link.client._link
        assert inner is not None
        assert inner._manager.responses == {}
        assert inner._waiting == set()


@in_loop
async def test_a_link_that_went_dead_without_a_word_is_noticed() -> None:
    async with linked(WATCHFUL) as link:
        await link.ami.seen("Ping", times=2)
        link.ami.silent_to |= {"Ping", "Hangup"}
        hanging_up = asyncio.create_task(link.client.action("Hangup", deadline_s=60, Channel="x"))
        await link.until(Disconnected)
        with pytest.raises(AmiDown):
            await hanging_up
        link.ami.silent_to.clear()
        await link.until(Connected)


@in_loop
async def test_a_peer_that_reads_nothing_is_left() -> None:
    async with linked(WATCHFUL) as link:
        for session in link.ami.sessions:
            session.transport.pause_reading()
        await link.until(Disconnected)
        await link.until(Connected)


@in_loop
async def test_a_server_that_accepts_and_says_nothing_is_left() -> None:
    ami = FakeAmi()
    ami.deaf = True
    timing = replace(QUICK, connect_s=0.03)
    async with ami, AmiClient(HOST, ami.port, "controller", SECRET, timing=timing) as client:
        events = client.events()
        await ami.until(lambda: ami.connections >= 3)
        assert not client.connected
        ami.deaf = False
        assert isinstance(await anext(events), Connected)


@in_loop
async def test_a_refused_login_is_an_error_in_the_log_and_not_tried_at_speed() -> None:
    with structlog.testing.capture_logs() as logs:
        timing = replace(QUICK, refused_pause_s=60)
        async with FakeAmi() as ami, AmiClient(HOST, ami.port, "controller", "wrong", timing=timing):
            await ami.seen("Login")
            await ami.until(lambda: not ami.sessions)
            await asyncio.sleep(QUICK.retry_most_s * 3)
            assert ami.connections == 1
    assert [(log["event"], log["log_level"]) for log in logs] == [("ami_login_refused", "error")]


@in_loop
async def test_a_login_that_is_refused_for_a_time_is_tried_again() -> None:
    ami = FakeAmi()
    ami.users = {}
    async with ami, AmiClient(HOST, ami.port, "controller", SECRET, timing=QUICK) as client:
        await ami.seen("Login", times=2)
        ami.users = {"controller": SECRET}
        assert isinstance(await anext(client.events()), Connected)


def test_pauses_between_attempts_grow_and_differ() -> None:
    client = AmiClient(HOST, 1, "controller", SECRET)
    timing = Timing()
    for attempt in range(1, 2_000):
        longest = min(timing.retry_most_s, timing.retry_first_s * 2 ** min(attempt, 10))
        assert longest / 2 <= client._pause_s(attempt) <= longest
    assert len({client._pause_s(5) for _ in range(100)}) > 90


@in_loop
async def test_closing_ends_the_events_and_the_link() -> None:
    async with FakeAmi() as ami:
        client = AmiClient(HOST, ami.port, "controller", SECRET, timing=QUICK)
        await client.start()
        told = []
        async for event in client.events():
            told.append(event)
            if isinstance(event, Connected):
                asyncio.get_running_loop().call_soon(asyncio.ensure_future, client.close())
        assert told == [Connected(), Disconnected()]
        await ami.until(lambda: not ami.sessions)
        with pytest.raises(AmiDown):
            await client.action("Ping")


@in_loop
async def test_closing_between_two_attempts_makes_no_further_one() -> None:
    async with FakeAmi() as ami:
        timing = replace(QUICK, retry_first_s=0.05, retry_most_s=0.05)
        client = AmiClient(HOST, ami.port, "controller", SECRET, timing=timing)
        async with client:
            events = client.events()
            assert isinstance(await anext(events), Connected)
            ami.cut()
            assert isinstance(await anext(events), Disconnected)
        await asyncio.sleep(0.2)
        assert ami.connections == 1
        assert [event async for event in events] == []


@in_loop
async def test_closing_twice_or_before_the_start_is_no_mistake() -> None:
    client = AmiClient(HOST, 1, "controller", SECRET)
    await client.close()
    await client.start()
    await client.close()
    await client.close()


# -- secrets


@in_loop
async def test_neither_the_secret_nor_values_are_logged(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    canary = "47110815"
    with caplog.at_level(logging.DEBUG), structlog.testing.capture_logs() as logs:
        async with linked(HASTY) as link:
            link.ami.push("VarSet", Variable="PIN", Value=canary)
            await link.next()
            await link.client.set_variable("x", "PIN", canary)
            link.ami.silent_to.add("Setvar")
            with pytest.raises(AmiTimeout):
                await link.client.set_variable("x", "PIN", canary)
            unanswered = asyncio.create_task(link.client.set_variable("x", "PIN", canary))
            await link.ami.seen("Setvar", times=3)
            link.ami.cut()
            with pytest.raises(AmiDown) as error:
                await unanswered
            await link.until(Disconnected)
            link.ami.users = {"controller": "another secret"}
            await link.ami.seen("Login", times=2)
        link.client.__repr__()
    told = repr(logs) + caplog.text + "".join(capfd.readouterr()) + repr(error.value) + repr(link.client)
    assert "ami_connected" in told
    assert canary not in told
    assert SECRET not in told
