"""Programs of an installation, run as an ordinary user that can write nothing but the folders it is given."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

# The host name inside: the root's /etc/hosts resolves it, so that Asterisk never waits for a name server.
HOST_NAME = "asterisk"
UMASK = 0o077
LINKS_TO_USR = ("bin", "sbin", "lib", "lib64")
PLACES_OF_THE_SYSTEM = ("/usr", "/etc", "/proc", "/dev", *(f"/{link}" for link in LINKS_TO_USR))


class SandboxError(Exception):
    """A program could not be started; the message is one sentence for the person who started it."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The programs of one root folder, or with no root those of the machine itself (then without walls).

    Inside, the given folders have the same absolute paths as outside, the network is the machine's own, all
    else is read-only, and a program ends when the thread that started it ends (`PR_SET_PDEATHSIG` counts
    threads, not processes: start long-lived programs from a long-lived thread).
    """

    root: Path | None

    def has(self, program: str) -> bool:
        """Whether the installation holds a program, given by name or absolute path."""
        return self.path_of(program) is not None

    def path_of(self, program: str) -> str | None:
        """The absolute path of a program as it is seen inside."""
        if self.root is None:
            return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin")
        if program.startswith("/"):
            return program if (self.root / program.lstrip("/")).exists() else None
        places = ("/usr/bin", "/usr/sbin")
        return next((f"{p}/{program}" for p in places if (self.root / p[1:] / program).exists()), None)

    def outside(self, path: str) -> Path:
        """Where a file of the system (`/usr/…`) lies outside the sandbox."""
        return Path(path) if self.root is None else self.root / path.lstrip("/")

    def command(
        self, program: str, *arguments: str, writable: Sequence[Path] = (), readable: Sequence[Path] = ()
    ) -> list[str]:
        """The argument vector that runs a program with the given folders and nothing else to write to."""
        found = self.path_of(program)
        if found is None:
            raise SandboxError(f"The program {program} is not in {self.root or 'the PATH'}.")
        if self.root is None:
            return ["setpriv", "--pdeathsig", "KILL", found, *arguments]
        return [*_walls(self.root, writable, readable), found, *arguments]

    def run(
        self,
        program: str,
        *arguments: str,
        writable: Sequence[Path] = (),
        readable: Sequence[Path] = (),
        deadline_seconds: float = 10.0,
    ) -> subprocess.CompletedProcess[str]:
        """Run a short program to its end; raises SandboxError when it is still running at the deadline."""
        command = self.command(program, *arguments, writable=writable, readable=readable)
        try:
            return subprocess.run(  # noqa: S603 — an argument vector of our own, no shell
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=deadline_seconds,
                env=_environment({}),
                umask=UMASK,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            raise SandboxError(f"{program} did not end within {deadline_seconds:g} s.") from None
        except OSError as fault:
            raise SandboxError(f"{command[0]} could not be started: {fault.strerror}.") from fault

    def start(
        self,
        program: str,
        *arguments: str,
        writable: Sequence[Path] = (),
        readable: Sequence[Path] = (),
        output: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> "Program":
        """Start a long-lived program; what it prints is added to the file `output`."""
        command = self.command(program, *arguments, writable=writable, readable=readable)
        env = _environment(environment or {})
        with _appended(output) as out:
            if self.root is None:
                process = _popen(command, out, env)
                return Program(process, process.pid)
            told, tells = os.pipe()
            with os.fdopen(told) as reader:
                try:
                    # Asterisk is process 1 inside: no reaper stands between it and the signals we send.
                    inner = command.index("--") + 1
                    command[inner - 1 : inner - 1] = ["--as-pid-1", "--info-fd", str(tells)]
                    process = _popen(command, out, env, pass_fds=(tells,))
                finally:
                    os.close(tells)
                answer = reader.read()
        if not answer:
            process.wait()
            raise SandboxError(f"The sandbox for {program} could not be made; see {output or 'its output'}.")
        return Program(process, int(json.loads(answer)["child-pid"]))


class Program:
    """One running program; signals go to the program itself, not to the sandbox around it."""

    def __init__(self, process: subprocess.Popen[bytes], pid: int) -> None:
        self._process = process
        self.pid = pid

    @property
    def is_running(self) -> bool:
        """Whether the program has not ended yet."""
        return self._process.poll() is None

    @property
    def exit_status(self) -> int | None:
        """The exit status, or None while the program runs."""
        return self._process.poll()

    def send(self, number: signal.Signals) -> None:
        """Send one signal; harmless after the program's end."""
        # While the sandbox's outer process is not reaped, the inner number cannot be another process's.
        if self.is_running:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return

    def wait(self, deadline_seconds: float) -> bool:
        """Wait for the program's end; False when it still runs at the deadline."""
        try:
            self._process.wait(deadline_seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, deadline_seconds: float = 5.0) -> None:
        """Ask the program to end, and end it by force at the deadline."""
        self.send(signal.SIGTERM)
        if not self.wait(deadline_seconds):
            self.kill()

    def kill(self) -> None:
        """End the program at once, as a crash would."""
        self.send(signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> "Program":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _walls(root: Path, writable: Sequence[Path], readable: Sequence[Path]) -> list[str]:
    bound = [("--bind", path) for path in writable] + [("--ro-bind", path) for path in readable]
    for _, path in bound:
        _refuse_unusable(path)
    bound.sort(key=lambda how_path: len(how_path[1].absolute().parts))  # else a folder would hide one in it
    return [
        "bwrap",
        *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", HOST_NAME),
        *("--cap-drop", "ALL", "--die-with-parent"),
        *("--ro-bind", str(root / "usr"), "/usr", "--ro-bind", str(root / "etc"), "/etc"),
        *("--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf"),
        *(word for link in LINKS_TO_USR for word in ("--symlink", f"usr/{link}", f"/{link}")),
        *("--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"),  # noqa: S108 — the sandbox's own, empty
        *(word for how, path in bound for word in (how, str(path.resolve()), str(path.absolute()))),
        *("--remount-ro", "/"),
        "--",
    ]


def _refuse_unusable(path: Path) -> None:
    if not path.exists():
        raise SandboxError(f"{path} does not exist.")
    if any(path.absolute().is_relative_to(place) for place in PLACES_OF_THE_SYSTEM):
        raise SandboxError(
            f"{path} lies in a folder of the system; choose one under /home, /srv, /var or /opt."
        )


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """Nothing of ours leaks into the program but what it needs."""
    return {"PATH": "/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin:/sbin:/bin", "LC_ALL": "C", **more}


@contextmanager
def _appended(output: Path | None) -> Iterator[IO[bytes] | int]:
    if output is None:
        yield subprocess.DEVNULL
        return
    with output.open("ab") as file:
        yield file


def _popen(
    command: list[str], output: IO[bytes] | int, environment: dict[str, str], pass_fds: tuple[int, ...] = ()
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 — an argument vector of our own, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            umask=UMASK,
            pass_fds=pass_fds,
            start_new_session=True,  # Ctrl-C in a terminal is the supervisor's, which ends things in order
        )
    except OSError as fault:
        raise SandboxError(f"{command[0]} could not be started: {fault.strerror}.") from fault
