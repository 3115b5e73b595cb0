"""A real SIP phone (baresip) that a program drives and that keeps what it hears."""

import json
import socket
import struct
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from math import pi, sin
from pathlib import Path
from types import TracebackType
from typing import Any

from dialplan.dtmf import Dtmf
from dialplan.install import Installation
from dialplan.ports import free_ports
from dialplan.sandbox import Program, SandboxError
from dialplan.template import HOST, fill, require, require_port

RATE = 8000  # samples a second, of everything said and heard
LONGEST_SPEECH_SECONDS = 420  # baresip ends the call when its source ends, so each is filled up to this
SECONDS_BETWEEN_KEYS = 0.3  # as a person does, so that a busy machine which reads two at once loses none
REGISTER_SECONDS = 60
RTP_PORTS = (
    30000,
    32767,
)  # shared by all phones: each takes free ones; below Linux's own range of free ports
MODULE_FOLDERS = ("/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules", "/usr/lib64/baresip/modules")
RECORDING_BEGINS = frozenset({"CALL_PROGRESS", "CALL_ANSWERED", "CALL_ESTABLISHED"})
WAV_HEADER_BYTES = 44
KEYS = frozenset("0123456789*#ABCD")


class PhoneError(Exception):
    """The phone did not do what it was told, or did not report in time; the message tells what it reported."""


class Answers(StrEnum):
    """What a phone does when it is called."""

    MANUAL = "manual"  # rings until `answer` or `hang_up`
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Line:
    """Where a phone belongs: its user and secret, and the SIP server on this machine or network."""

    user: str
    secret: str = field(repr=False)
    port: int
    host: str = "127.0.0.1"
    registers: bool = False  # a phone that is called must; a station that only calls need not


@dataclass(frozen=True, slots=True)
class PhoneEvent:
    """One thing that happened, in baresip's words (`CALL_ESTABLISHED`), or done here (`KEY_PRESSED`)."""

    type: str
    parameter: str
    at: datetime
    monotonic_seconds: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What the phone heard in one call; the file's first sample was heard at `began_at` (within 20 ms).

    `path` has the call's own time, with the gaps that a busy machine tears into it. `stream` has every packet as it
    came in, one after the other: nothing is torn or lost there, and the pauses in which nothing was sent are missing.
    """

    path: Path
    stream: Path
    began_at: datetime
    seconds: float


class Phone:
    """One telephone; used as a context manager it is switched on inside.

    `start` belongs on a thread that lives as long as the phone shall: the process ends with that thread.
    """

    def __init__(
        self,
        installation: Installation,
        folder: Path,
        line: Line,
        *,
        answers: Answers = Answers.MANUAL,
        rtp_ports: tuple[int, int] = RTP_PORTS,
        dtmf: Dtmf = Dtmf.RFC4733,
    ) -> None:
        require(HOST, "a phone's server", line.host)
        require_port("the server's port", line.port)
        self.line = line
        self.folder = folder
        self._installation = installation
        self._answers = answers
        self._rtp_ports = rtp_ports
        self._dtmf = dtmf
        self._program: Program | None = None
        self._socket: socket.socket | None = None
        self._listener: threading.Thread | None = None
        self._reported = threading.Condition()
        self._events: list[PhoneEvent] = []
        self._waited = 0  # events before this one were waited for
        self._replies: dict[str, dict[str, Any]] = {}
        self._commands = 0
        self._speeches = 0
        self._heard: list[Heard] = []

    @property
    def events(self) -> list[PhoneEvent]:
        """All that happened since the phone was made, in order."""
        with self._reported:
            return list(self._events)

    @property
    def heard(self) -> list[Heard]:
        """What it heard, one entry for each call that ended."""
        with self._reported:
            return list(self._heard)

    @property
    def is_running(self) -> bool:
        """Whether the phone is switched on."""
        return self._program is not None and self._program.is_running

    def start(self, deadline_seconds: float = 5.0) -> None:
        """Switch the phone on; returns when it can be used (registered, if it registers)."""
        deadline = time.monotonic() + deadline_seconds
        [control_port] = free_ports(1)
        self._write(control_port)
        try:
            self._program = self._installation.sandbox.start(
                "baresip",
                *("-f", str(self.folder)),
                writable=(self.folder,),
                output=self.folder / "output",
                environment={"HOME": str(self.folder)},
            )
        except SandboxError as fault:
            raise PhoneError(str(fault)) from fault
        self._socket = self._connected(control_port, deadline)
        self._listener = threading.Thread(target=self._listen, args=(self._socket,), daemon=True)
        self._listener.start()
        # Not by a file of accounts: what baresip reports before the control connection stands is lost.
        self._command("uanew", self._account())
        if self.line.registers:
            self.wait_for("REGISTER_OK", deadline_seconds=max(0.1, deadline - time.monotonic()))

    def stop(self, deadline_seconds: float = 3.0) -> None:
        """Switch the phone off; a call is hung up and its recording kept."""
        if self.is_running:
            self._end_call()
            with suppress(PhoneError):  # then it is ended by force
                self._command("quit")
        if self._program is not None and not self._program.wait(deadline_seconds):
            self._program.kill()
        if self._listener is not None:
            self._listener.join()  # the last recording is kept by it
            self._listener = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def dial(self, number: str) -> None:
        """Call a number (or name) at the phone's server; returns before it is answered."""
        if not number.replace("+", "").isalnum():
            raise PhoneError(f"{number!r} cannot be dialled")
        self._command("dial", f"sip:{number}@{self.line.host}:{self.line.port}")

    def answer(self) -> None:
        """Take the call that rings."""
        self._command("accept")

    def hang_up(self) -> None:
        """End the call, or refuse the one that rings."""
        self._command("hangup")

    def send_elsewhere(self, number: str) -> None:
        """Ask the other side to call a number in place of this phone: REFER (RFC 3515)."""
        self._command("transfer", f"sip:{number}@{self.line.host}:{self.line.port}")

    def press(self, keys: str) -> None:
        """Press keys one after the other, in this phone's way; returns when the last was sent."""
        for key in keys:
            if key not in KEYS:
                raise PhoneError(f"{key!r} is not a key")
        if self._dtmf is Dtmf.INBAND:
            self._press_by_tones(keys)
            return
        for key in keys:
            self._command("sndcode", key)
            self._note(_happened("KEY_PRESSED", key))
            time.sleep(SECONDS_BETWEEN_KEYS)

    def _press_by_tones(self, keys: str) -> None:
        """The keys as tones in the audio, in place of whatever is spoken."""
        tones = self.folder / f"keys-{self._speeches}.wav"
        sound = key_tones(keys)
        write_speech(tones, sound)
        self.say(tones)
        for key in keys:
            self._note(_happened("KEY_PRESSED", key))
        time.sleep(len(sound) / 2 / RATE)

    def say(self, speech: Path | None, *, repeat: bool = False) -> None:
        """Speak a wav (8 kHz, mono, 16 bit) from now on, once or again and again; None is silence.

        Without a call it is what the next call begins with.
        """
        self._speeches += 1
        path = self._write_speech(self._speeches, speech, repeat)
        self._command("ausrc", f"aufile,{path}")
        self._note(_happened("SPEECH", str(speech or "")))

    def incoming(self, after: int = 0) -> bytes:
        """What came in so far in the running call, as in `Heard.stream`, but for the first `after` samples."""
        kept = b""
        skip = after * 2
        for dump in sorted(self.folder.glob("dump-*-dec.wav")):  # named by the second in which it begins
            size = max(0, dump.stat().st_size - WAV_HEADER_BYTES)
            if size > skip:
                with dump.open("rb") as file:
                    file.seek(WAV_HEADER_BYTES + skip)
                    kept += file.read(size - skip)
            skip = max(0, skip - size)
        return kept[: len(kept) // 2 * 2]

    def wait_for(self, *types: str, deadline_seconds: float = 10.0) -> PhoneEvent:
        """The next event of one of these types, counted from the last that was waited for."""
        deadline = time.monotonic() + deadline_seconds
        with self._reported:
            while True:
                for number in range(self._waited, len(self._events)):
                    if self._events[number].type in types:
                        self._waited = number + 1
                        return self._events[number]
                left = deadline - time.monotonic()
                if left <= 0 or not self._reported.wait(left):
                    seen = ", ".join(event.type for event in self._events) or "nothing"
                    raise PhoneError(f"{self.line.user} waited for {' or '.join(types)}, but saw: {seen}")

    def __enter__(self) -> "Phone":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _end_call(self) -> None:
        """Hang up if there is a call; else its recording would be left without an end."""
        ended = self._count_of("CALL_CLOSED")
        with suppress(PhoneError):  # there is no call
            self.hang_up()
            with self._reported:
                self._reported.wait_for(lambda: self._count_of("CALL_CLOSED") > ended, timeout=2)

    def _count_of(self, kind: str) -> int:
        with self._reported:
            return sum(event.type == kind for event in self._events)

    def _write(self, control_port: int) -> None:
        (self.folder / "no-tones").mkdir(mode=0o700, parents=True, exist_ok=True)
        outside = self._installation.sandbox.outside
        modules = next((place for place in MODULE_FOLDERS if outside(place).is_dir()), MODULE_FOLDERS[0])
        config = fill(
            "phone_config",
            modules=modules,
            folder=str(self.folder.absolute()),
            control_port=control_port,
            rtp_first=self._rtp_ports[0],
            rtp_last=self._rtp_ports[1],
        )
        (self.folder / "config").write_text(config)
        self._write_speech(0, None, repeat=False)

    def _account(self) -> str:
        return fill(
            "phone_account",
            user=self.line.user,
            secret=self.line.secret,
            host=self.line.host,
            port=self.line.port,
            register_seconds=REGISTER_SECONDS if self.line.registers else 0,
            answers=self._answers.value,
            dtmf="info" if self._dtmf is Dtmf.INFO else "rtpevent",
        ).strip()

    def _write_speech(self, number: int, speech: Path | None, repeat: bool) -> Path:
        spoken = _samples(speech) if speech else b""
        length = LONGEST_SPEECH_SECONDS * RATE * 2
        if repeat and spoken:
            spoken *= length // len(spoken) + 1
        path = self.folder.absolute() / f"speech-{number}.wav"
        write_speech(path, spoken[:length], length)
        return path

    def _connected(self, port: int, deadline: float) -> socket.socket:
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port))
            except OSError:
                if not self.is_running or time.monotonic() > deadline:
                    raise PhoneError(f"baresip did not start; see {self.folder / 'output'}") from None
                time.sleep(0.01)

    def _command(self, name: str, parameters: str = "", deadline_seconds: float = 5.0) -> None:
        if self._socket is None:
            raise PhoneError(f"{self.line.user} is not switched on")
        with self._reported:
            self._commands += 1
            token = str(self._commands)
        text = json.dumps({"command": name, "params": parameters, "token": token}).encode()
        try:
            self._socket.sendall(b"%d:%s," % (len(text), text))
        except OSError as fault:
            raise PhoneError(f"{self.line.user} is gone: {fault}") from fault
        with self._reported:
            if not self._reported.wait_for(lambda: token in self._replies, deadline_seconds):
                raise PhoneError(f"{self.line.user} did not answer the command {name}")
            reply = self._replies.pop(token)
        if not reply.get("ok"):
            raise PhoneError(f"{self.line.user} could not {name}: {str(reply.get('data')).strip()}")

    def _listen(self, connection: socket.socket) -> None:
        for message in _messages(connection):
            if "token" in message:
                with self._reported:
                    self._replies[str(message["token"])] = message
                    self._reported.notify_all()
            elif message.get("event"):
                event = _happened(str(message.get("type")), str(message.get("param", "")))
                if event.type == "CALL_CLOSED":
                    self._keep_recording(event)
                self._note(event)

    def _note(self, event: PhoneEvent) -> None:
        with self._reported:
            self._events.append(event)
            self._reported.notify_all()

    def _keep_recording(self, end: PhoneEvent) -> None:
        """Put the recording of the call that ended aside, before the next call writes over it."""
        written = self.folder / "heard.wav"
        if not _is_closed(written):
            return
        number = len(self._heard) + 1
        kept = self.folder / f"heard-{number}.wav"
        written.rename(kept)
        stream = self.folder / f"stream-{number}.wav"
        write_speech(stream, self.incoming())
        for dump in self.folder.glob("dump-*.wav"):
            dump.unlink()
        with wave.open(str(kept)) as file:
            seconds = file.getnframes() / file.getframerate()
        began = end.at
        for event in reversed(self.events):
            if event.type == "CALL_CLOSED":
                break
            if event.type in RECORDING_BEGINS:
                began = event.at
        with self._reported:
            self._heard.append(Heard(kept, stream, began, seconds))


def key_tones(keys: str, seconds: float = 0.1) -> bytes:
    """Keys as pairs of tones (ITU-T Q.23), so long each and a tenth of a second apart, at 8 kHz."""
    steps = [2 * pi * step / RATE for step in range(round(RATE * seconds))]
    pause = [0.0] * (RATE // 10)
    sound = list(pause)
    for key in keys:
        row, column = divmod("123A456B789C*0#D".index(key), 4)
        low, high = (697, 770, 852, 941)[row], (1209, 1336, 1477, 1633)[column]
        sound += [*(8_000 * (sin(low * step) + sin(high * step)) for step in steps), *pause]
    return struct.pack(f"<{len(sound)}h", *map(int, sound))


def _happened(kind: str, parameter: str) -> PhoneEvent:
    return PhoneEvent(kind, parameter, datetime.now(UTC), time.monotonic())


def _messages(connection: socket.socket) -> Iterator[dict[str, Any]]:
    """What baresip tells, as netstrings of JSON (its module ctrl_tcp), until the connection ends."""
    kept = b""
    while True:
        length, colon, rest = kept.partition(b":")
        if colon and len(rest) > int(length):
            message, kept = rest[: int(length)], rest[int(length) + 1 :]
            yield json.loads(message)
            continue
        try:
            received = connection.recv(65536)
        except OSError:
            return
        if not received:
            return
        kept += received


def write_speech(path: Path, samples: bytes, length: int | None = None) -> None:
    """Write a recording, silent from the end of the samples up to `length` bytes; silence takes no room on the disk."""
    length = len(samples) if length is None else length
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16)
    header = struct.pack("<4sI4s", b"RIFF", WAV_HEADER_BYTES - 8 + length, b"WAVE") + form
    with path.open("wb") as file:
        file.write(header + struct.pack("<4sI", b"data", length) + samples)
        file.truncate(WAV_HEADER_BYTES + length)


def _is_closed(path: Path, deadline_seconds: float = 1.0) -> bool:
    """Whether a recording's header tells its true length; baresip writes it just after it reports the end."""
    deadline = time.monotonic() + deadline_seconds
    while path.exists():
        told = int.from_bytes(path.read_bytes()[40:44], "little")
        if 0 < told == path.stat().st_size - 44:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return False


def _samples(speech: Path) -> bytes:
    with wave.open(str(speech)) as file:
        if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, RATE):
            raise PhoneError(f"{speech} must have {RATE} samples a second, one channel and 16 bits")
        samples: bytes = file.readframes(file.getnframes())
        return samples
