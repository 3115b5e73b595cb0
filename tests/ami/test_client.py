import asyncio
from dataclasses import replace

import pytest

from ivr.ami import AmiDown, AmiError, AmiTimeout
from ivr.ami.client import AmiClient, Connected, Disconnected, Event
from tests.ami.linked import HASTY, HOST, QUICK, SECRET, linked
from tests.fakes.ami_server import FakeAmi, message
from tests.fakes.loop import in_loop

# -- events


@in_loop
async def test_events_come_in_order_with_their_headers() -> None:
    async with linked() as link:
        for number in range(500):
            link.ami.push("UserEvent", UserEvent="TalkFrom", Call=str(number), Empty="")
        for number in range(500):
            event = await link.next()
            assert isinstance(event, Event)
            assert event.name == "UserEvent"
            assert event.headers["Call"] == str(number)
            assert event.headers["UserEvent"] == "TalkFrom"


@in_loop
async def test_an_events_headers_cannot_be_changed() -> None:
    async with linked() as link:
        link.ami.push("Hangup", Channel="x")
        event = await link.next()
        assert isinstance(event, Event)
        with pytest.raises(TypeError):
            event.headers["Channel"] = "y"  # type: ignore[index]


@pytest.mark.parametrize("size", [1, 2, 3, 50])
@in_loop
async def test_letters_and_messages_cut_in_two_are_put_together(size: int) -> None:
    async with linked() as link:
        data = message(("Event", "Newchannel"), ("CallerIDName", "José Ñandú €"), ("Channel", "x"))
        for start in range(0, len(data), size):
            link.ami.push_raw(data[start : start + size])
            await asyncio.sleep(0)
        event = await link.next()
        assert isinstance(event, Event)
        assert event.headers["CallerIDName"] == "José Ñandú €"


@in_loop
async def test_bytes_that_are_no_letters_are_replaced() -> None:
    async with linked() as link:
        link.ami.push_raw(b"Event: Newchannel\r\nCallerIDName: J\xff\r\nChannel: x\r\n\r\n")
        event = await link.next()
        assert isinstance(event, Event)
        assert event.headers["CallerIDName"] == "J\N{REPLACEMENT CHARACTER}"


@in_loop
async def test_repeated_headers_keep_all_their_values() -> None:
    async with linked() as link:
        link.ami.push_raw(message(("Event", "Newexten"), ("ChanVariable", "a=1"), ("ChanVariable", "b=2")))
        event = await link.next()
        assert isinstance(event, Event)
        assert event.headers["ChanVariable"] == "a=1\nb=2"


@pytest.mark.parametrize(
    "junk",
    [
        b"Event: A\r\nEvent: B\r\n\r\n",
        b"Event: A\r\nActionID: 1\r\nActionID: 2\r\n\r\n",
        b"Response: Success\r\n\r\n",
        b"Response: Success\r\nMessage: a\r\nMessage: b\r\nActionID: nobody's\r\n\r\n",
        b"\r\n\r\n\r\n\r\n",
        b"no header at all\r\n\r\n",
        b"Response: Fail\r\n\r\n",
        b"Response: Follows\r\nx\r\n\r\n",
        b"\0\xff\x80: \r\n\r\n",
    ],
)
@in_loop
async def test_a_message_that_makes_no_sense_harms_no_other(junk: bytes) -> None:
    async with linked() as link:
        link.ami.push_raw(junk + message(("Event", "Hangup"), ("Channel", "x")))
        while not (isinstance(event := await link.next(), Event) and event.name == "Hangup"):
            assert isinstance(event, Event)
        assert event.headers["Channel"] == "x"
        assert link.ami.connections == 1


@in_loop
async def test_an_endless_message_ends_the_link_not_the_memory() -> None:
    async with linked() as link:
        link.ami.push_raw(b"Event: A\r\nX: " + b"x" * 2_000_000)
        assert await link.until(Disconnected) == []
        assert await link.until(Connected) == []


@in_loop
async def test_events_wait_until_asterisk_has_booted() -> None:
    ami = FakeAmi()
    ami.fully_booted = False
    async with ami, AmiClient(HOST, ami.port, "controller", SECRET, timing=QUICK) as client:
        events = client.events()
        await ami.seen("Login")
        ami.push("Newchannel", Channel="half a picture")
        with pytest.raises(AmiDown):
            await client.action("Ping")
        ami.push("FullyBooted")
        assert isinstance(await anext(events), Connected)
        ami.push("Newchannel", Channel="x")
        event = await anext(events)
        assert isinstance(event, Event)
        assert event.headers["Channel"] == "x"


@in_loop
async def test_an_asterisk_that_never_boots_is_tried_again() -> None:
    ami = FakeAmi()
    ami.fully_booted = False
    timing = replace(QUICK, boot_s=0.03)
    async with ami, AmiClient(HOST, ami.port, "controller", SECRET, timing=timing) as client:
        await ami.seen("Login", times=3)
        assert not client.connected


@in_loop
async def test_a_reader_that_is_too_slow_loses_the_link_and_gets_it_back_when_it_has_caught_up() -> None:
    async with linked(capacity=100) as link:
        for number in range(5_000):
            link.ami.push("Newchannel", Channel=str(number))
        await link.ami.until(lambda: not link.ami.sessions)
        kept = await link.until(Disconnected)
        assert [event.headers["Channel"] for event in kept] == [str(number) for number in range(len(kept))]
        assert 90 <= len(kept) <= 100
        assert await link.until(Connected) == []
        assert link.ami.connections == 2


@in_loop
async def test_no_link_is_made_while_the_reader_has_not_caught_up() -> None:
    async with linked(capacity=10) as link:
        for number in range(50):
            link.ami.push("Newchannel", Channel=str(number))
        await link.ami.until(lambda: not link.ami.sessions)
        await asyncio.sleep(QUICK.retry_most_s * 3)
        assert link.ami.connections == 1


# -- actions


@in_loop
async def test_an_action_returns_its_answer() -> None:
    async with linked() as link:
        answer = await link.client.action("Ping")
        assert answer[0]["Ping"] == "Pong"
        assert len(answer) == 1


@in_loop
async def test_every_action_is_asynchronous_and_has_an_id_of_its_own() -> None:
    async with linked() as link:
        for _ in range(5):
            await link.client.action("Ping")
        assert {action["Async"] for action in link.ami.received} == {"true"}
        assert len({action["ActionID"] for action in link.ami.received}) == len(link.ami.received)


@in_loop
async def test_answers_find_their_actions_in_any_order() -> None:
    async with linked() as link:
        link.ami.silent_to |= {"DBGet"}
        asked = [asyncio.create_task(link.client.action("DBGet", Family="f", Key=str(n))) for n in range(3)]
        await link.ami.seen("DBGet", times=3)
        for action in reversed([each for each in link.ami.received if each["Action"] == "DBGet"]):
            link.ami.push_raw(
                message(("Response", "Success"), ("ActionID", action["ActionID"]), ("Key", action["Key"]))
            )
        assert [(await each)[0]["Key"] for each in asked] == ["0", "1", "2"]


@in_loop
async def test_a_refusal_is_an_error() -> None:
    async with linked() as link:
        with pytest.raises(AmiError, match="No such channel"):
            await link.client.hangup("PJSIP/nobody")
        with pytest.raises(AmiError, match="unknown command"):
            await link.client.action("Nonsense")
        assert link.ami.connections == 1


@in_loop
async def test_an_action_without_an_answer_times_out_and_the_link_stays() -> None:
    async with linked(HASTY) as link:
        link.ami.silent_to.add("Setvar")
        with pytest.raises(AmiTimeout):
            await link.client.set_variable("x", "A", "1")
        with pytest.raises(AmiTimeout):
            await link.client.action("Setvar", deadline_s=0.01, Channel="x")
        await link.client.action("Ping", deadline_s=5)
        assert link.ami.connections == 1


@in_loop
async def test_a_late_or_doubled_answer_is_nobodys() -> None:
    async with linked(HASTY) as link:
        link.ami.silent_to.add("DBGet")
        with pytest.raises(AmiTimeout):
            await link.client.database_get("f", "k")
        late = (await link.ami.seen("DBGet"))["ActionID"]
        link.ami.push_raw(
            message(("Response", "Success"), ("EventList", "start"), ("ActionID", late), ("Message", "x"))
        )
        link.ami.push_raw(message(("Event", "DBGetResponse"), ("Val", "1"), ("ActionID", late)))
        link.ami.push_raw(message(("Event", "DBGetComplete"), ("EventList", "Complete"), ("ActionID", late)))
        link.ami.raw_answers["Ping"] = message(("Response", "Success"), ("ActionID", "{id}")) * 2
        assert len(await link.client.action("Ping", deadline_s=5)) == 1
        link.ami.push("Hangup", Channel="x")
        event = await link.next()
        assert isinstance(event, Event)
        assert event.name == "Hangup"


@in_loop
async def test_successfully_queued_does_not_tear_the_link() -> None:
    async with linked(HASTY) as link:
        queued = message(
            ("Response", "Success"), ("ActionID", "{id}"), ("Message", "Originate successfully queued")
        )
        link.ami.raw_answers["Originate"] = queued
        with pytest.raises(AmiTimeout):
            await link.client.action("Originate", Channel="x")
        await link.client.action("Ping", deadline_s=5)
        assert link.ami.connections == 1


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("Setvar", {"Value": "1\r\nAction: Command"}),
        ("Setvar", {"Value": "1\n"}),
        ("Setvar", {"Value": "1\r"}),
        ("Setvar", {"Value": "1\0"}),
        ("Setvar\r\nAction: Command", {}),
        ("Setvar", {"Value\r\nAction": "Command"}),
        ("Setvar", {"Value: x": "1"}),
        ("Setvar", {"": "1"}),
        ("Setvar", {"Action": "Command"}),
        ("Setvar", {"action": "Command"}),
        ("Setvar", {"Value": "x" * 1_001}),
        ("Setvar", {"Value": "é" * 600}),
    ],
)
@in_loop
async def test_an_injection_is_refused_before_anything_is_sent(name: str, headers: dict[str, str]) -> None:
    async with linked() as link:
        with pytest.raises(ValueError, match=r"an AMI header|the AMI header"):
            await link.client.action(name, **headers)  # type: ignore[arg-type]
        await link.client.action("Ping")
        assert {action["Action"] for action in link.ami.received} == {"Login", "Ping"}


@in_loop
async def test_a_user_name_with_a_line_break_is_refused() -> None:
    with pytest.raises(ValueError, match="line break"):
        AmiClient(HOST, 5038, "controller\r\nAction: Command", SECRET)


@in_loop
async def test_a_pattern_hangs_nobody_up() -> None:
    async with linked() as link:
        with pytest.raises(ValueError, match="pattern"):
            await link.client.hangup("/^PJSIP/.*$/")


@in_loop
async def test_values_go_out_as_utf_8() -> None:
    async with linked() as link:
        await link.client.set_variable("x", "NAME", "José €")
        assert (await link.ami.seen("Setvar"))["Value"] == "José €"


@in_loop
async def test_the_verbs() -> None:
    async with linked() as link:
        link.ami.channels = {"PJSIP/a-1": {"AccountCode": "c1"}, "PJSIP/b-2": {"AccountCode": ""}}
        link.ami.database = {"/talk/c1": "1.5", "/talk/c2": "1.5 2.5 16", "/talker/c3": "x"}
        channels = await link.client.channels()
        assert [(each["Channel"], each["AccountCode"]) for each in channels] == [
            ("PJSIP/a-1", "c1"),
            ("PJSIP/b-2", ""),
        ]
        assert await link.client.database_tree("talk") == {"c1": "1.5", "c2": "1.5 2.5 16"}
        assert await link.client.database_tree("none") == {}
        assert await link.client.database_get("talk", "c1") == "1.5"
        assert await link.client.database_get("talk", "c9") is None
        await link.client.hangup("PJSIP/a-1", cause=17)
        assert (await link.ami.seen("Hangup"))["Cause"] == "17"
        await link.client.stop_mix_monitor("PJSIP/a-1")
        await link.client.set_variable("PJSIP/a-1", "X", "1")
        link.ami.channels = {}
        assert await link.client.channels() == []
