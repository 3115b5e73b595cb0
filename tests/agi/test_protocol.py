import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.agi import AgiError
from ivr.agi.protocol import MAX_COMMAND_BYTES, MAX_ENV_BYTES, AgiParser, Event, Hangup, Opened, Reply, encode
from tests.fakes.channel import words_of

ENV = b"agi_network: yes\nagi_network_script: outbound\nagi_callerid: 201\nagi_accountcode: \n\n"
OPENED = Opened(
    {"agi_network": "yes", "agi_network_script": "outbound", "agi_callerid": "201", "agi_accountcode": ""}
)
USAGE = b"520-Invalid command syntax.  Proper usage follows:\nUsage: X\n\n  200 result=1\n520 End of proper usage.\n"

REPLIES: list[tuple[bytes, list[Event]]] = [
    (b"200 result=0\n", [Reply(200, "0")]),
    (b"200 result=\n", [Reply(200, "")]),
    (b"200 result=-1\n", [Reply(200, "-1")]),
    (b"200 result=1 (value)\n", [Reply(200, "1", "value")]),
    (b"200 result=1 ()\n", [Reply(200, "1", "")]),
    (b"200 result=1 (a) (b=c) d)\n", [Reply(200, "1", "a) (b=c) d")]),
    (b"200 result=1 (two\nlines)\n", [Reply(200, "1", "two\nlines")]),
    (b"200 result=1 (HANGUP\nHANGUP\n\n200 result=0)\n", [Reply(200, "1", "HANGUP\nHANGUP\n\n200 result=0")]),
    (b"200 result=1 (cr\r)\n", [Reply(200, "1", "cr\r")]),
    (b"200 result=1 (Jos\xc3\xa9 \xff)\n", [Reply(200, "1", "José \N{REPLACEMENT CHARACTER}")]),
    (b"200 result=123456\n", [Reply(200, "123456")]),
    (b"200 result=12*#A\n", [Reply(200, "12*#A")]),
    (b"200 result= (timeout)\n", [Reply(200, "", "timeout")]),
    (b"200 result=12 (timeout)\n", [Reply(200, "12", "timeout")]),
    (b"200 result=0 endpos=8000\n", [Reply(200, "0", None, 8000)]),
    (b"200 result=35 (dtmf) endpos=16000\n", [Reply(200, "35", "dtmf", 16000)]),
    (b"200 result=-1 (hangup) endpos=0\n", [Reply(200, "-1", "hangup", 0)]),
    (b"200 result=-1 (writefile)\n", [Reply(200, "-1", "writefile")]),
    (b"200 result=1 something else\n", [Reply(200, "1")]),
    (b"510 Invalid or unknown command\n", [Reply(510)]),
    (b"511 Command Not Permitted on a dead channel or intercept routine\n", [Reply(511)]),
    (b"520 Invalid command syntax.  Proper usage not available.\n", [Reply(520)]),
    (USAGE, [Reply(520)]),
    (b"HANGUP\n", [Hangup()]),
    (b"200 result=0\nHANGUP\n200 result=1 (x)\n", [Reply(200, "0"), Hangup(), Reply(200, "1", "x")]),
    (b"520-Invalid\nHANGUP\nUsage\n520 End\n200 result=7\n", [Hangup(), Reply(520), Reply(200, "7")]),
    (USAGE + b"200 result=5\n", [Reply(520), Reply(200, "5")]),
]


def events_of(stream: bytes, size: int) -> list[Event]:
    parser, events = AgiParser(), []
    for start in range(0, len(stream), size):
        parser.receive_data(stream[start : start + size])
        while (event := parser.next_event()) is not None:
            events.append(event)
    return events


@pytest.mark.parametrize("size", [1, 2, 3, 7, 4096])
@pytest.mark.parametrize(("stream", "expected"), REPLIES)
def test_events_do_not_depend_on_how_the_bytes_arrive(
    stream: bytes, expected: list[Event], size: int
) -> None:
    assert events_of(ENV + stream, size) == [OPENED, *expected]


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"agi_network: yes",
        b"agi_network: yes\n",
        ENV + b"200 result=1",
        ENV + b"200 result=1 (open\nand open\n",
        ENV + b"520-Invalid\nUsage\n",
    ],
)
def test_an_unfinished_message_is_no_event(stream: bytes) -> None:
    assert [event for event in events_of(stream, 5) if not isinstance(event, Opened)] == []


@pytest.mark.parametrize(
    "stream",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"no colon\n",
        b"agi_network: yes\nagi_network: no\n",
        b"agi_network: yes\r\n\r\n",
        b"other: 1\n",
        b"\x16\x03\x01\x02\x00\x01\n",
        b"agi_x: " + b"x" * MAX_ENV_BYTES,
        b"".join(b"agi_arg_%d: %s\n" % (n, b"x" * 100) for n in range(100)),
        b"".join(b"agi_%d:\n" % n for n in range(200)),
        ENV + b"\n",
        ENV + b"hello\n",
        ENV + b"20 result=1\n",
        ENV + b"2000 result=1\n",
        ENV + b"200\n",
        ENV + b"200 resul\n",
        ENV + b"HANGUP \n",
        ENV + b"200 result=1 (" + b"x" * 40_000,
        ENV + b"200 result=1 (" + b"x\n" * 40_000,
        ENV + b"520-Invalid\n" + b"usage\n" * 10_000,
    ],
)
def test_what_is_not_agi_or_is_too_large_is_an_error(stream: bytes) -> None:
    with pytest.raises(AgiError):
        events_of(stream, 1000)


def test_an_error_does_not_repeat_what_was_sent() -> None:
    with pytest.raises(AgiError) as error:
        events_of(ENV + b"200 PIN 471100\n", 100)
    assert "471100" not in str(error.value)


def test_a_reply_does_not_show_its_values() -> None:
    assert "471100" not in repr(Reply(200, "471100", "471100"))


def test_an_endless_number_is_not_converted() -> None:
    assert events_of(ENV + b"200 result=0 endpos=" + b"9" * 5000 + b"\n", 100)[1] == Reply(200, "0")


# -- commands


def test_every_argument_is_quoted() -> None:
    assert encode("SET VARIABLE", "X", 'a"b\\c') == b'SET VARIABLE "X" "a\\"b\\\\c"\n'
    assert encode("DATABASE PUT", "family", "key", "") == b'DATABASE PUT "family" "key" ""\n'
    assert encode("ANSWER") == b"ANSWER\n"
    assert encode("GET DATA", "file", 5000, 4) == b'GET DATA "file" "5000" "4"\n'


@pytest.mark.parametrize("poison", ["\n", "\r", "\r\n", "\0"])
@pytest.mark.parametrize("place", ["{}HANGUP", "1{}EXEC System id", "1{}"])
def test_a_line_break_cannot_smuggle_a_second_command(poison: str, place: str) -> None:
    with pytest.raises(ValueError, match="line break") as error:
        encode("SET VARIABLE", "X", place.format(poison))
    assert "System" not in str(error.value)


@pytest.mark.parametrize("command", ["", "set variable", "ANSWER\n", 'ANSWER "x"', "GET  DATA", " ANSWER"])
def test_a_command_is_upper_case_words(command: str) -> None:
    with pytest.raises(ValueError, match="command"):
        encode(command)


def test_a_line_that_asterisk_would_split_is_refused() -> None:
    fits = "x" * (MAX_COMMAND_BYTES - len(b'SET VARIABLE "X" ""\n'))
    assert len(encode("SET VARIABLE", "X", fits)) == MAX_COMMAND_BYTES
    with pytest.raises(ValueError, match="too long"):
        encode("SET VARIABLE", "X", fits + "x")
    with pytest.raises(ValueError, match="too long"):
        encode("SET VARIABLE", "X", "\N{EURO SIGN}" * 500)


ARGUMENT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=60)


@given(st.lists(ARGUMENT, min_size=1, max_size=6))
def test_asterisk_reads_back_the_arguments_that_were_meant(arguments: list[str]) -> None:
    line = encode("DATABASE PUT", *arguments)
    assert line.count(b"\n") == 1
    assert words_of(line.decode().removesuffix("\n")) == ["DATABASE", "PUT", *arguments]


@given(st.text(max_size=80))
def test_no_text_makes_two_lines(argument: str) -> None:
    try:
        line = encode("VERBOSE", argument)
    except ValueError:
        return
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert not set(line[:-1]) & {0, 13}


# -- hostile bytes


@given(st.lists(st.binary(max_size=200), max_size=20), st.booleans())
@settings(max_examples=300)
def test_any_bytes_end_in_events_or_an_agi_error(chunks: list[bytes], opened: bool) -> None:
    parser = AgiParser()
    parser.receive_data(ENV if opened else b"")
    try:
        for chunk in chunks:
            parser.receive_data(chunk)
            while parser.next_event() is not None:
                pass
    except AgiError:
        pass


def test_twenty_thousand_mutated_lines_end_in_events_or_an_agi_error() -> None:
    chance = random.Random(22)
    streams = [ENV + stream for stream, _ in REPLIES]
    violations = events = 0
    for _ in range(20_000):
        stream = bytearray(chance.choice(streams))
        for _ in range(chance.randint(1, 6)):
            mutate(stream, chance)
        try:
            events += len(events_of(bytes(stream), chance.choice([1, 16, 4096])))
        except AgiError:
            violations += 1
    assert violations > 1_000
    assert events > 1_000


def mutate(stream: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(stream) + 1)
    match chance.randrange(5):
        case 0:
            stream[place:place] = chance.randbytes(chance.randint(1, 8))
        case 1:
            del stream[place : place + chance.randint(1, 8)]
        case 2:
            stream[place:place] = chance.choice(
                [b"\n", b"HANGUP\n", b"520-", b"(", b")", b"\0", b"\xff", b"200 result="]
            )
        case 3:
            stream[place : place + 1] = bytes([chance.randrange(256)])
        case _:
            stream[place:place] = stream[: chance.randint(1, 40)]
