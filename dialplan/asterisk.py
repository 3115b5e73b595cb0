"""One running Asterisk: its files written, the process started, asked and stopped."""

import math
import os
import shutil
import socket
import struct
import time
import wave
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol

from dialplan.install import Installation
from dialplan.pulse import Pulse
from dialplan.sandbox import Program, Sandbox, SandboxError
from dialplan.template import RenderError

FOLDERS = (
    "etc",
    "lib",
    "lib/agi-bin",
    "lib/sounds",
    "log",
    "log/cdr-custom",
    "log/cel-custom",
    "prompts",
    "run",
    "spool",
    "spool/monitor",
    "spool/names",
)
LONGEST_SOCKET_PATH = 107  # of a Unix socket, sun_path without its closing NUL
START_SECONDS = 10.0
STOP_SECONDS = 5.0
FROZEN_SECONDS = 10.0  # without a sign of life
# Where an Asterisk keeps its built-in documentation; without it modules refuse their own settings.
DOCUMENTATION = (
    "/usr/share/asterisk",
    "/var/lib/asterisk",
    "/usr/local/share/asterisk",
    "/usr/local/var/lib/asterisk",
)
PJSIP_MODULES = (
    "res_pjsip.so",
    "res_pjsip_authenticator_digest.so",
    "res_pjsip_endpoint_identifier_ip.so",
    "res_pjsip_outbound_authenticator_digest.so",
)


class AsteriskError(Exception):
    """Asterisk did not do what it was asked; the message is one sentence."""


class Specification(Protocol):
    """What is written and read for one Asterisk: `FacilityAsterisk` or `NetworkAsterisk`."""

    @property
    def folder(self) -> Path:
        """Everything Asterisk writes is under it."""

    @property
    def readable(self) -> tuple[Path, ...]:
        """Folders and files outside it that are read."""

    @property
    def sounds(self) -> Mapping[str, Path]:
        """Links in the folder of sounds and where they lead."""

    @property
    def udp_ports(self) -> tuple[int, ...]:
        """Ports that it must be able to take for SIP."""

    @property
    def tcp_ports(self) -> tuple[int, ...]:
        """Ports that it must be able to take for AMI and, over TCP, for SIP."""

    def render(self) -> dict[str, str]:
        """The configuration files by name."""


def write(spec: Specification, installation: Installation) -> None:
    """Write the folders (0700), the configuration (0600, each file at once) and the links of one Asterisk."""
    files = spec.render()
    if len(str(_socket(spec.folder))) > LONGEST_SOCKET_PATH:
        raise RenderError(
            f"the path {spec.folder} is too long for Asterisk's control socket; choose a shorter one"
        )
    for name in ("", *FOLDERS):
        folder = spec.folder / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    for name, text in files.items():
        _replace(spec.folder / "etc" / name, text)
    lib = spec.folder / "lib"
    _link(lib / "documentation", Path(_documentation(installation)))
    for name, target in spec.sounds.items():
        _link(lib / "sounds" / name, target.absolute())
    _write_beep(lib / "sounds" / "beep.wav")


class Asterisk:
    """A process that is started, watched and stopped; used as a context manager it is running inside.

    `start` belongs on a thread that lives as long as Asterisk shall: it ends with that thread.
    """

    def __init__(self, installation: Installation, spec: Specification) -> None:
        self.spec = spec
        self._asterisk = installation.asterisk
        self._sandbox: Sandbox = installation.sandbox
        self._program: Program | None = None
        self._installation = installation
        self._pulse = Pulse(_socket(spec.folder))

    @property
    def log(self) -> Path:
        """Asterisk's own log."""
        return self.spec.folder / "log" / "messages"

    @property
    def output(self) -> Path:
        """What Asterisk printed before its log was open, and why it did not start."""
        return self.spec.folder / "log" / "output"

    @property
    def pid(self) -> int:
        """The process id, for signals in fault tests; raises AsteriskError when it was not started."""
        if self._program is None:
            raise AsteriskError("Asterisk was not started.")
        return self._program.pid

    @property
    def is_running(self) -> bool:
        """Whether the process exists (a frozen one does)."""
        return self._program is not None and self._program.is_running

    def trouble(self) -> str | None:
        """What is wrong with a started Asterisk, if anything; for whoever asks again and again."""
        if not self.is_running:
            return "ended by itself"
        silent = self._pulse.silent_seconds()
        return f"gave no sign of life for {silent:.0f} s" if silent > FROZEN_SECONDS else None

    def start(self, deadline_seconds: float = START_SECONDS) -> None:
        """Write the files, start, and return when all modules are loaded and calls can come."""
        if self.is_running:
            raise AsteriskError("Asterisk is running already.")
        _refuse_taken_ports(self.spec)
        write(self.spec, self._installation)
        _socket(self.spec.folder).unlink(missing_ok=True)
        self.output.unlink(missing_ok=True)
        deadline = time.monotonic() + deadline_seconds
        try:
            self._program = self._sandbox.start(
                self._asterisk,
                *("-f", "-C", str(self.spec.folder / "etc" / "asterisk.conf")),
                writable=(self.spec.folder,),
                readable=self.spec.readable,
                output=self.output,
                environment={"HOME": str(self.spec.folder / "lib")},
            )
            self._wait_until_ready(deadline)
            self._pulse.close()  # what it was asked before is another process's
        except (SandboxError, AsteriskError) as fault:
            self.kill()
            raise AsteriskError(
                f"Asterisk did not start: {fault} Its last words are in {self.output}."
            ) from fault

    def command(self, text: str, deadline_seconds: float = 5.0) -> str:
        """What a console command prints, e.g. `core show channels`; AsteriskError without an answer."""
        try:
            done = self._sandbox.run(
                self._asterisk,
                *("-C", str(self.spec.folder / "etc" / "asterisk.conf"), "-rx", text),
                writable=(self.spec.folder,),
                deadline_seconds=deadline_seconds,
            )
        except SandboxError as fault:
            raise AsteriskError(str(fault)) from fault
        if done.returncode != 0:
            raise AsteriskError(f"Asterisk did not answer “{text}”: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def reload_pjsip(self) -> None:
        """Write the files again and let stations and carrier take effect; calls go on."""
        write(self.spec, self._installation)
        for module in PJSIP_MODULES:
            self.command(f"module reload {module}")

    def stop(self, deadline_seconds: float = STOP_SECONDS) -> None:
        """End Asterisk in order (hangup handlers run), by force at the deadline."""
        self._pulse.close()
        if self._program is not None:
            self._program.stop(deadline_seconds)

    def kill(self) -> None:
        """End Asterisk at once, as a crash would."""
        self._pulse.close()
        if self._program is not None:
            self._program.kill()

    def __enter__(self) -> "Asterisk":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_until_ready(self, deadline: float) -> None:
        while not _socket(self.spec.folder).exists():
            if not self.is_running:
                raise AsteriskError("it ended.")
            if time.monotonic() > deadline:
                raise AsteriskError("it did not open its console in time.")
            time.sleep(0.02)
        answer = self.command("core waitfullybooted", max(0.1, deadline - time.monotonic()))
        if "fully booted" not in answer:  # the console also lets go when Asterisk gives up
            raise AsteriskError("it gave up while loading its modules.")


def _socket(folder: Path) -> Path:
    return folder / "run" / "asterisk.ctl"


def _refuse_taken_ports(spec: Specification) -> None:
    """Asterisk itself would start without the port, and nobody could call."""
    wanted = [(socket.SOCK_DGRAM, port) for port in spec.udp_ports]
    wanted += [(socket.SOCK_STREAM, port) for port in spec.tcp_ports]
    for kind, port in wanted:
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(
                    socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
                )  # as Asterisk does, after a restart
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as fault:
                name = "SIP (UDP)" if kind == socket.SOCK_DGRAM else "AMI or SIP (TCP)"
                raise AsteriskError(
                    f"The port {port} for {name} is taken; end what uses it or choose another port."
                ) from fault


def _documentation(installation: Installation) -> str:
    prefix = Path(installation.asterisk).parent.parent
    places = (*DOCUMENTATION, f"{prefix}/share/asterisk", f"{prefix}/var/lib/asterisk")
    for place in places:
        if (installation.sandbox.outside(place) / "documentation" / "core-en_US.xml").is_file():
            return f"{place}/documentation"
    raise AsteriskError(
        f"The documentation of {installation.asterisk} is missing; its modules do not load without."
    )


def _replace(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old or the new text, never a part."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _link(place: Path, target: Path) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if place.is_symlink() and place.readlink() == target:
        return
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    new = place.with_name(f".{place.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(place)


def _write_beep(path: Path) -> None:
    """The tone after which callers speak: ours, since not every Asterisk has sounds of its own."""
    if path.exists():
        return
    rate, seconds, hertz = 8000, 0.25, 1000
    ramp = 80  # samples; without it the tone would begin and end with a click
    count = int(rate * seconds)
    samples = [
        int(8000 * min(1, n / ramp, (count - n) / ramp) * math.sin(2 * math.pi * hertz * n / rate))
        for n in range(count)
    ]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(struct.pack(f"<{count}h", *samples))
