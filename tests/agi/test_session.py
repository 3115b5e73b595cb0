import asyncio
import logging
import socket
import struct
from collections.abc import Awaitable, Callable

import pytest
import structlog

from ivr.agi import AgiError, AgiTimeout, CallerGone, Digits, PlaybackFailed, Recorded, Reply, Session
from tests.agi.dialogues import HOST, TOKEN, channel, outcome, serving
from tests.fakes.channel import HANGS_UP, FakeChannel, run_agi
from tests.fakes.loop import in_loop

Verb = Callable[[Session], Awaitable[object]]

VERBS: dict[str, tuple[str, Verb]] = {
    "answer": ("ANSWER", lambda session: session.answer()),
    "hangup": ("HANGUP", lambda session: session.hangup()),
    "set_variable": ("SET VARIABLE", lambda session: session.set_variable("X", "1")),
    "set_variables": ("EXEC", lambda session: session.set_variables({"X": "1"})),
    "get_variable": ("GET VARIABLE", lambda session: session.get_variable("X")),
    "get_full_variable": ('GET FULL VARIABLE "X"', lambda session: session.get_full_variable("X")),
    "playback": ("EXEC", lambda session: session.playback(["ivr/a"])),
    "get_data": ("GET DATA", lambda session: session.get_data("ivr/a", 5, 4)),
    "read": ("EXEC", lambda session: session.read(["ivr/a"], 1, 5)),
    "record_file": ("RECORD", lambda session: session.record_file("/tmp/a", "ulaw", "#", 8000, beep=True)),
    "mix_monitor": ("EXEC", lambda session: session.mix_monitor("/tmp/a.raw", "bD")),
    "database_put": ("DATABASE", lambda session: session.database_put("f", "k", "v")),
    "database_get": ("DATABASE", lambda session: session.database_get("f", "k")),
    "database_del": ("DATABASE", lambda session: session.database_del("f", "k")),
    "verbose": ("VERBOSE", lambda session: session.verbose("hello")),
}


def closes(caller: FakeChannel) -> None:
    assert caller.session is not None
    caller.session.transport.close()


def resets(caller: FakeChannel) -> None:
    assert caller.session is not None
    sock = caller.session.transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    caller.session.transport.abort()


HANG_UPS: dict[str, Callable[[FakeChannel], None] | bytes] = {
    "HANGUP and the end of the connection": FakeChannel.hang_up,
    "HANGUP before the reply": b"HANGUP\n200 result=0\n",
    "511": b"511 Command Not Permitted on a dead channel or intercept routine\n",
    "result -1": b"200 result=-1\n",
    "end of the connection": closes,
    "reset": resets,
}


@pytest.mark.parametrize("manner", HANG_UPS)
@pytest.mark.parametrize("verb", VERBS)
@in_loop
async def test_a_hang_up_in_any_form_is_one_exception_in_every_verb(verb: str, manner: str) -> None:
    command, run = VERBS[verb]
    caller = channel()
    leave = HANG_UPS[manner]
    if isinstance(leave, bytes):
        caller.raw_replies[command] = leave
    else:
        caller.leaves_at, caller.leave = command, leave

    assert isinstance(await outcome(caller, run), CallerGone)


@pytest.mark.parametrize("verb", VERBS)
@in_loop
async def test_every_verb_says_that_the_caller_is_gone_already(verb: str) -> None:
    async def later(session: Session) -> object:
        caller.hang_up()
        await session.gone.wait()
        return await VERBS[verb][1](session)

    caller = channel()
    assert isinstance(await outcome(caller, later), CallerGone)


@in_loop
async def test_a_hang_up_is_known_while_no_command_is_out() -> None:
    async def thinking(session: Session) -> bool:
        caller.hang_up()
        await session.gone.wait()
        return True

    caller = channel()
    assert await outcome(caller, thinking) is True


@in_loop
async def test_a_dead_channel_without_agiexitonhangup_is_gone_too() -> None:
    caller = channel()
    caller.exit_on_hangup = False
    caller.leaves_at = "ANSWER"
    assert isinstance(await outcome(caller, Session.answer), CallerGone)


# -- verbs


@in_loop
async def test_variables_are_set_and_read() -> None:
    async def both(session: Session) -> list[object]:
        await session.set_variable("CHANNEL(language)", "es")
        await session.set_variable("ODD", 'a "b" \\ ${C}, (d)')
        names = ["CHANNEL(language)", "ODD", "MISSING"]
        return [
            *[await session.get_variable(name) for name in names],
            await session.get_full_variable("<${ODD}>"),
        ]

    caller = channel()
    assert await outcome(caller, both) == ["es", 'a "b" \\ ${C}, (d)', None, '<a "b" \\ , (d)>']


@in_loop
async def test_playback_plays_files_in_one_command() -> None:
    caller = channel()
    assert await outcome(caller, lambda session: session.playback(["ivr/a", "ivr/b.c"])) is None
    assert caller.heard == ["ivr/a", "ivr/b.c"]


@in_loop
async def test_playback_of_a_missing_file_fails() -> None:
    caller = channel()
    caller.missing = frozenset({"ivr/b"})
    failed = await outcome(caller, lambda session: session.playback(["ivr/a", "ivr/b"]))
    assert isinstance(failed, PlaybackFailed)


@pytest.mark.parametrize(
    ("keyed", "expected"),
    [
        ("1234#", Digits("1234", timed_out=False)),
        ("123456", Digits("1234", timed_out=False)),
        ("12", Digits("12", timed_out=True)),
        ("", Digits("", timed_out=True)),
        ("#", Digits("", timed_out=False)),
        ("*9#", Digits("*9", timed_out=False)),
    ],
)
@in_loop
async def test_get_data_tells_silence_from_an_empty_entry(keyed: str, expected: Digits) -> None:
    assert await outcome(channel(keyed), lambda session: session.get_data("ivr/a", 5, 4)) == expected


@pytest.mark.parametrize(("keyed", "expected"), [("1", "1"), ("", ""), ("12#", "12"), ("#", "")])
@in_loop
async def test_read_returns_the_keys(keyed: str, expected: str) -> None:
    caller = channel(keyed)
    assert await outcome(caller, lambda session: session.read(["ivr/a", "ivr/b"], 3, 2.5)) == expected
    assert caller.heard == ["ivr/a", "ivr/b"]
    assert ["EXEC", "Read", "AGI_KEYS,ivr/a&ivr/b,3,,1,2.5"] in caller.commands


@in_loop
async def test_read_that_asterisk_could_not_do_is_an_error() -> None:
    caller = channel()
    caller.raw_replies['EXEC "Read"'] = b"200 result=0\n"
    caller.variables["READSTATUS"] = "ERROR"
    failed = await outcome(caller, lambda session: session.read(["ivr/a"], 1, 5))
    assert isinstance(failed, AgiError)


@in_loop
async def test_a_caller_who_leaves_at_a_menu_is_gone() -> None:
    caller = channel(HANGS_UP)
    caller.exit_on_hangup = False
    assert isinstance(await outcome(caller, lambda session: session.read(["ivr/a"], 1, 5)), CallerGone)


@pytest.mark.parametrize(("keyed", "expected"), [("#", Recorded("", 16000)), ("1", Recorded("1", 16000))])
@in_loop
async def test_a_recording_says_how_it_ended(keyed: str, expected: Recorded) -> None:
    def record(session: Session) -> Awaitable[Recorded]:
        return session.record_file("/spool/names/n1", "ulaw", "1", 8000, beep=True, silence_s=2)

    caller = channel(keyed)
    assert await outcome(caller, record) == expected
    assert ["RECORD", "FILE", "/spool/names/n1", "ulaw", "1", "8000", "beep", "s=2"] in caller.commands


@in_loop
async def test_a_recording_that_could_not_be_written_is_an_error() -> None:
    caller = channel()
    caller.raw_replies["RECORD"] = b"200 result=-1 (writefile)\n"
    assert isinstance(await outcome(caller, VERBS["record_file"][1]), AgiError)


@in_loop
async def test_a_key_during_the_beep_ends_a_recording_of_nothing() -> None:
    caller = channel()
    caller.raw_replies["RECORD"] = b"200 result=35 (randomerror) endpos=0\n"
    assert await outcome(caller, VERBS["record_file"][1]) == Recorded("#", 0)


@in_loop
async def test_astdb_entries_are_written_read_and_deleted() -> None:
    async def use(session: Session) -> list[object]:
        await session.database_put("talk", "a1", "1.5 2.5 16")
        got = await session.database_get("talk", "a1")
        for _ in range(2):
            await session.database_del("talk", "a1")
        return [got, await session.database_get("talk", "a1")]

    assert await outcome(channel(), use) == ["1.5 2.5 16", None]


@in_loop
async def test_mix_monitor_never_passes_a_shell_command() -> None:
    caller = channel()
    assert await outcome(caller, lambda session: session.mix_monitor("/spool/monitor/x.raw", "bD")) is None
    assert caller.recordings == ["/spool/monitor/x.raw"]
    for path, options in [
        ("/x.raw", "b,id"),
        ("/x.raw,b,id", "b"),
        ("/../x", "b"),
        ("/x;id", "b"),
        ("${SHELL(id)}", ""),
    ]:
        refused = await outcome(
            channel(),
            lambda session, path=path, options=options: session.mix_monitor(path, options),  # type: ignore[misc]
        )
        assert isinstance(refused, ValueError)


@pytest.mark.parametrize(
    "file",
    [
        "",
        "a&b",
        "a,b",
        "a,1,skip",
        "${EXTEN}",
        "a b",
        "a\nb",
        "../secret",
        "a|b",
        "$[1]",
        "a\\,b",
        "http://x/",
    ],
)
@in_loop
async def test_a_file_name_cannot_become_anything_else(file: str) -> None:
    verbs: list[Verb] = [
        lambda session: session.playback(["ivr/a", file]),
        lambda session: session.read([file], 1, 5),
        lambda session: session.get_data(file, 5, 4),
        lambda session: session.record_file(file, "ulaw", "#", 1000, beep=False),
        lambda session: session.record_file("/tmp/a", file, "#", 1000, beep=False),
        lambda session: session.mix_monitor(file, ""),
    ]
    for verb in verbs:
        assert isinstance(await outcome(channel(), verb), ValueError)


@pytest.mark.parametrize(("timeout_s", "digits"), [(5, 0), (5, 33), (0, 4), (-1, 4)])
@in_loop
async def test_an_entry_always_has_its_limits(timeout_s: float, digits: int) -> None:
    assert isinstance(
        await outcome(channel(), lambda session: session.get_data("a", timeout_s, digits)), ValueError
    )
    assert isinstance(
        await outcome(channel(), lambda session: session.read(["a"], digits, timeout_s)), ValueError
    )


@in_loop
async def test_nothing_to_play_is_a_mistake() -> None:
    assert isinstance(await outcome(channel(), lambda session: session.playback([])), ValueError)


@in_loop
async def test_several_variables_are_set_in_one_command() -> None:
    caller = channel()
    await outcome(
        caller, lambda session: session.set_variables({"LIMIT_MS": "900000", "ENDED": "ended.balance"})
    )
    assert (caller.variables["LIMIT_MS"], caller.variables["ENDED"]) == ("900000", "ended.balance")
    assert [words[0] for words in caller.commands] == ["GET", "EXEC"]


@pytest.mark.parametrize(
    "values", [{"A": "1,B=2"}, {"A": "${B}"}, {"A": '"'}, {"A": "a b"}, {"CHANNEL(x)": "1"}, {"A=1,B": "2"}]
)
@in_loop
async def test_what_a_list_of_variables_cannot_carry_is_refused(values: dict[str, str]) -> None:
    caller = channel()
    assert isinstance(await outcome(caller, lambda session: session.set_variables(values)), ValueError)
    assert [words[0] for words in caller.commands] == ["GET"]


@pytest.mark.parametrize("poison", ["1\nHANGUP", "1\r", "1\0"])
@in_loop
async def test_an_injection_is_refused_before_anything_is_sent(poison: str) -> None:
    async def inject(session: Session) -> object:
        with pytest.raises(ValueError, match="line break"):
            await session.set_variable("X", poison)
        return await session.get_variable("X")  # the dialogue is not harmed

    caller = channel()
    assert await outcome(caller, inject) is None
    assert [words[0] for words in caller.commands] == ["GET", "GET"]


# -- the protocol's other side


@pytest.mark.parametrize(
    "raw",
    [
        b"510 Invalid or unknown command\n",
        b"520 Invalid command syntax.  Proper usage not available.\n",
        b"520-Invalid command syntax.  Proper usage follows:\nUsage: X\n200 result=1\n520 End of proper usage.\n",
    ],
)
@in_loop
async def test_a_refused_command_leaves_the_dialogue_in_step(raw: bytes) -> None:
    async def refused(session: Session) -> object:
        with pytest.raises(AgiError):
            await session.answer()
        return await session.get_variable("X")

    caller = channel(X="still here")
    caller.raw_replies["ANSWER"] = raw
    assert await outcome(caller, refused) == "still here"


@pytest.mark.parametrize("raw", [b"junk\n", b"200 result=0\n200 result=0\n", b"200\n", b"\n", b"\xff\xfe\n"])
@in_loop
async def test_a_violation_ends_the_session_for_good(raw: bytes) -> None:
    async def violated(session: Session) -> object:
        kinds = []
        for _ in range(2):
            try:
                await session.answer()
            except AgiError:
                kinds.append("error")
            else:
                await session.gone.wait()
        return kinds

    caller = channel()
    caller.raw_replies["ANSWER"] = raw
    assert (await outcome(caller, violated))[-1:] == ["error"]  # type: ignore[index]


@in_loop
async def test_a_reply_in_single_bytes_is_a_reply() -> None:
    caller = channel(X="José\nwith a second line")
    caller.piece_bytes = 1
    assert await outcome(caller, lambda session: session.get_variable("X")) == "José\nwith a second line"


@in_loop
async def test_an_unknown_application_is_an_error() -> None:
    caller = channel()
    caller.raw_replies["EXEC"] = b"200 result=-2\n"
    assert isinstance(await outcome(caller, lambda session: session.playback(["a"])), AgiError)


@in_loop
async def test_a_command_without_an_answer_times_out_and_ends_the_session() -> None:
    async def waits(session: Session) -> object:
        with pytest.raises(AgiTimeout):
            await session.command("ANSWER", deadline_s=0.02)
        assert session.gone.is_set()
        return await session.get_variable("X")

    caller = channel()
    caller.raw_replies["ANSWER"] = b""
    assert isinstance(await outcome(caller, waits), AgiTimeout)


@in_loop
async def test_a_second_command_beside_the_first_is_refused() -> None:
    async def two(session: Session) -> object:
        first = asyncio.create_task(session.command("GET VARIABLE", "X"))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError):
            await session.answer()
        return await first

    caller = channel(X="1")
    assert await outcome(caller, two) == Reply(200, "1", "1")
    assert ["ANSWER"] not in caller.commands


@in_loop
async def test_an_abandoned_command_ends_the_session_since_its_reply_would_be_the_next_ones() -> None:
    async def abandons(session: Session) -> object:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await session.answer()
        return await session.get_variable("X")

    caller = channel(X="1")
    caller.raw_replies["ANSWER"] = b""
    assert isinstance(await outcome(caller, abandons), AgiError)


@in_loop
async def test_script_and_arguments_come_from_the_address() -> None:
    seen: list[object] = []

    async def handler(session: Session) -> None:
        seen.extend([session.script, session.args, session.env["agi_channel"], dict(session.variables)])

    expressions = {"station": "${CHANNEL(endpoint)}", "odd": "${ODD}", "empty": "${NONE}"}
    caller = channel(**{"CHANNEL(endpoint)": "demo-a1", "ODD": "a|b\x1f,\n)(${X}"})
    async with serving(handler, expressions=expressions) as server:
        await run_agi(caller, HOST, server.port, "accept?x=1", ["first", "", "third"])
        await run_agi(caller, HOST, server.port, "after_call")
    variables = {"station": "demo-a1", "odd": "a|b\x1f,\n)(", "empty": ""}
    assert seen[:4] == ["accept", ("first", "", "third"), caller.name, variables]
    assert seen[4:6] == ["after_call", ()]


@in_loop
async def test_what_is_keyed_appears_in_no_log_record(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    canary = "47110815"

    async def keyed(session: Session) -> None:
        entry = await session.get_data("ivr/pin", 5, 8)
        assert entry.value == canary
        await session.set_variable("PIN", entry.value)
        structlog.get_logger().debug("keyed", entry=entry, session=session, reply=Reply(200, entry.value))
        raise ValueError(f"no such person: {entry.value}")

    asyncio.get_running_loop().set_debug(True)
    with caplog.at_level(logging.DEBUG), structlog.testing.capture_logs() as logs:
        caller = channel(canary)
        async with serving(keyed) as server:
            await run_agi(caller, HOST, server.port, "outbound")
    assert [log["event"] for log in logs] == ["keyed", "agi_handler_failed"]
    assert logs[1]["raised"] == "ValueError"
    told = repr(logs) + caplog.text + "".join(capfd.readouterr())
    assert canary not in told
    assert TOKEN not in told
