import asyncio
import gc
import threading
from typing import Any

import pytest

from ivr.ami import AmiDown, AmiError, AmiTimeout, one_shot
from tests.fakes.ami_server import FakeAmi, message
from tests.fakes.loop import in_loop

HOST = "127.0.0.1"
SECRET = "demonstration"


async def ask(
    ami: FakeAmi, action: str, *, deadline_s: float = 5, secret: str = SECRET, **headers: str
) -> Any:
    """The one-shot action, in a thread of its own as the fake needs ours."""

    def run() -> Any:
        where: dict[str, Any] = {"host": HOST, "port": ami.port, "username": "controller", "secret": secret}
        return one_shot(action, headers, **where, deadline_s=deadline_s)

    return await asyncio.to_thread(run)


@in_loop
async def test_one_action_is_done_and_answered() -> None:
    async with FakeAmi() as ami:
        answer = await ask(ami, "DBPut", Family="switch", Key="all", Val="closed")
        assert [each["Response"] for each in answer] == ["Success"]
        assert ami.database == {"/switch/all": "closed"}
        assert [action["Action"] for action in ami.received] == ["Login", "DBPut"]


@in_loop
async def test_a_list_is_returned_whole() -> None:
    async with FakeAmi() as ami:
        ami.database = {f"/talk/{number}": f"{number}.5" for number in range(300)}
        answer = await ask(ami, "DBGetTree", Family="talk")
        assert {
            each["Key"]: each["Val"] for each in answer if each.get("Event") == "DBGetTreeResponse"
        } == ami.database
        assert len(await ask(ami, "CoreShowChannels")) == 2


@in_loop
async def test_no_events_are_asked_for() -> None:
    async with FakeAmi() as ami:
        await ask(ami, "Ping")
        assert (await ami.seen("Login"))["Events"] == "off"


@in_loop
async def test_events_that_come_all_the_same_are_not_taken_for_answers() -> None:
    event = message(("Event", "Hangup"), ("Channel", "x"))
    noise = event + message(("Event", "Status"), ("Message", "Channel status will go on"))
    async with FakeAmi() as ami:
        ami.raw_answers["DBGet"] = noise + b"".join(
            [
                message(("Response", "Success"), ("ActionID", "{id}"), ("EventList", "start")),
                event,
                message(("Event", "DBGetResponse"), ("Val", "1"), ("ActionID", "{id}")),
                message(("Event", "DBGetResponse"), ("Val", "2"), ("ActionID", "another")),
                message(("Event", "DBGetComplete"), ("EventList", "Complete"), ("ActionID", "{id}")),
            ]
        )
        answer = await ask(ami, "DBGet", Family="f", Key="k")
        assert [each["Val"] for each in answer if "Val" in each] == ["1"]


@in_loop
async def test_actions_one_after_another_share_nothing() -> None:
    async with FakeAmi() as ami:
        ami.channels["x"] = {}
        await ask(ami, "Hangup", Channel="x")
        await ask(ami, "Ping")
        assert "Channel" not in await ami.seen("Ping")
        assert len({action["ActionID"] for action in ami.received}) == 4


@in_loop
async def test_a_refusal_is_an_error() -> None:
    async with FakeAmi() as ami:
        with pytest.raises(AmiError, match="No such channel"):
            await ask(ami, "Hangup", Channel="x")
        for _ in range(50):  # Asterisk closes the connection at once: the refusal must not be lost with it
            with pytest.raises(AmiError, match="Authentication failed") as error:
                await ask(ami, "Ping", secret="not the secret")
            assert "not the secret" not in str(error.value)


@pytest.mark.parametrize("silent_to", ["Login", "Ping"])
@in_loop
async def test_no_answer_is_a_timeout(silent_to: str) -> None:
    async with FakeAmi() as ami:
        ami.silent_to.add(silent_to)
        with pytest.raises(AmiTimeout):
            await ask(ami, "Ping", deadline_s=0.2)


@in_loop
async def test_no_greeting_is_a_timeout() -> None:
    async with FakeAmi() as ami:
        ami.deaf = True
        with pytest.raises(AmiTimeout):
            await ask(ami, "Ping", deadline_s=0.2)


@in_loop
async def test_a_list_without_an_end_is_a_timeout() -> None:
    async with FakeAmi() as ami:
        start = message(("Response", "Success"), ("ActionID", "{id}"), ("EventList", "start"))
        ami.raw_answers["DBGetTree"] = start
        with pytest.raises(AmiTimeout):
            await ask(ami, "DBGetTree", deadline_s=0.2, Family="talk")


@in_loop
async def test_a_peer_that_drips_gains_no_time() -> None:
    async with FakeAmi() as ami:
        ami.silent_to.add("Ping")
        asking = asyncio.create_task(ask(ami, "Ping", deadline_s=0.3))
        await ami.seen("Ping")
        while not asking.done():
            ami.push_raw(b"x")
            await asyncio.wait([asking], timeout=0.02)
        assert isinstance(asking.exception(), AmiTimeout)


@in_loop
async def test_the_answer_to_another_action_is_not_believed() -> None:
    async with FakeAmi() as ami:
        ami.raw_answers["Ping"] = message(("Response", "Success"), ("ActionID", "another"))
        with pytest.raises(AmiError, match="another action"):
            await ask(ami, "Ping")


@in_loop
async def test_a_header_that_would_kill_pyst2s_reader_does_not() -> None:
    async with FakeAmi() as ami:
        deadly = message(("Event", "Newexten"), ("ChanVariable", "a=1"), ("ChanVariable(x)", "b=1"))
        ami.raw_answers["Ping"] = deadly + message(
            ("Response", "Success"), ("ActionID", "{id}"), ("Ping", "Pong")
        )
        assert (await ask(ami, "Ping"))[0]["Ping"] == "Pong"


@in_loop
async def test_a_connection_cut_before_the_answer_is_an_error() -> None:
    async with FakeAmi() as ami:
        ami.silent_to.add("Ping")
        asking = asyncio.create_task(ask(ami, "Ping", deadline_s=3))
        await ami.seen("Ping")
        ami.cut()
        with pytest.raises(AmiError):
            await asking


@in_loop
async def test_nobody_listening_is_an_error_at_once() -> None:
    async with FakeAmi() as ami:
        port = ami.port
    with pytest.raises(AmiDown):
        one_shot("Ping", {}, host=HOST, port=port, username="controller", secret=SECRET, deadline_s=60)


@pytest.mark.parametrize(
    ("action", "headers"),
    [
        ("DBPut", {"Val": "1\r\nAction: Command"}),
        ("DBPut\r\nAction: Command", {}),
        ("DBPut", {"Val\n": "1"}),
        ("DBPut", {"Val": "1\0"}),
        ("DBPut", {"Val": "x" * 2_000}),
        ("DBPut", {"Action": "Command"}),
        ("Command", {"Command": "core show version"}),
        ("Status", {}),
        ("Login", {}),
    ],
)
def test_what_must_not_be_sent_is_refused_before_connecting(action: str, headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"AMI|one-shot"):
        one_shot(action, headers, host=HOST, port=1, username="controller", secret=SECRET, deadline_s=1)


def test_a_secret_with_a_line_break_is_refused_without_repeating_it() -> None:
    with pytest.raises(ValueError, match="line break") as error:
        one_shot("Ping", {}, host=HOST, port=1, username="c", secret="hidden\r\nAction: x", deadline_s=1)
    assert "hidden" not in str(error.value)


@in_loop
async def test_neither_threads_nor_connections_are_left_behind() -> None:
    async with FakeAmi() as ami:
        for _ in range(5):
            await ask(ami, "Ping")
            ami.silent_to.add("DBGet")
            with pytest.raises(AmiTimeout):
                await ask(ami, "DBGet", deadline_s=0.05, Family="f", Key="k")
        await ami.until(lambda: not ami.sessions)
        gc.collect()  # pyst2's own finaliser would log off here, and wait
        works = ("message_loop", "event_dispatch", "_receive_data")
        assert [
            thread.name for thread in threading.enumerate() if any(work in thread.name for work in works)
        ] == []
