"""What a program in the sandbox can and cannot do; sipp and baresip stand for any program of the root."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dialplan.install import Installation
from dialplan.sandbox import Program, Sandbox, SandboxError


def perl(
    installation: Installation,
    script: str,
    *,
    writable: tuple[Path, ...] = (),
    readable: tuple[Path, ...] = (),
) -> str:
    """Run a few lines inside; Perl comes with Debian's base and so is in every root."""
    done = installation.sandbox.run("perl", "-e", script, writable=writable, readable=readable)
    return (done.stdout + done.stderr).strip()


def test_a_given_folder_is_writable_at_its_own_path(installation: Installation, tmp_path: Path) -> None:
    perl(
        installation, f"open(F, '>', '{tmp_path}/note') or die $!; print F 'x'; close F", writable=(tmp_path,)
    )
    assert (tmp_path / "note").read_text() == "x"
    assert (tmp_path / "note").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "note").stat().st_uid == os.getuid()


@pytest.mark.parametrize("place", ["/usr/x", "/etc/x", "/x"])
def test_the_system_is_read_only(installation: Installation, place: str) -> None:
    assert "Read-only" in perl(installation, f"open(F, '>', '{place}') or print $!")


def test_a_readable_folder_is_not_writable(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "prompt").write_text("hello")
    script = f"open(F, '<', '{tmp_path}/prompt'); print <F>; open(F, '>', '{tmp_path}/prompt') or print $!"
    assert perl(installation, script, readable=(tmp_path,)) == "helloRead-only file system"


def test_a_writable_folder_may_lie_in_a_readable_one(installation: Installation, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    script = f"open(F, '>', '{inner}/x') or print $!; open(F, '>', '{tmp_path}/x') or print $!"
    assert perl(installation, script, writable=(inner,), readable=(tmp_path,)) == "Read-only file system"
    assert (inner / "x").exists()


def test_other_folders_and_processes_do_not_exist(installation: Installation, tmp_path: Path) -> None:
    folders = f"grep(-e, '{tmp_path}', '/home', '/root', '/work')"
    assert perl(installation, f"print scalar({folders})") == "0"
    assert (
        perl(installation, "print scalar(grep(/\\d$/, glob '/proc/[0-9]*'))") <= "2"
    )  # itself and its first


def test_its_own_host_name_is_resolved_without_a_name_server(installation: Installation) -> None:
    script = "use Socket; use Sys::Hostname; print inet_ntoa(inet_aton(hostname()))"
    assert perl(installation, script) == "127.0.0.1"


def test_a_folder_that_is_not_there_is_named(installation: Installation, tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="absent does not exist"):
        installation.sandbox.command("perl", readable=(tmp_path / "absent",))


def test_a_folder_of_the_system_is_refused(installation: Installation) -> None:
    with pytest.raises(SandboxError, match="folder of the system"):
        installation.sandbox.command("perl", writable=(Path("/etc/ssl"),))


@pytest.mark.parametrize("program", ["asterisk", "baresip", "sipp"])
def test_the_programs_of_tests_are_there(installation: Installation, program: str) -> None:
    assert installation.sandbox.has(program)


def test_a_program_that_is_not_there_is_named(installation: Installation) -> None:
    assert not installation.sandbox.has("no-such-program")
    with pytest.raises(SandboxError, match="no-such-program"):
        installation.sandbox.run("no-such-program")


def sleeper(sandbox: Sandbox) -> Program:
    return sandbox.start("perl", "-e", "$SIG{TERM} = sub { exit 7 }; sleep 60 while 1")


@pytest.fixture(params=["walls", "no walls"])
def sandbox(request: pytest.FixtureRequest, installation: Installation) -> Sandbox:
    return installation.sandbox if request.param == "walls" else Sandbox(None)


def test_a_program_is_asked_to_end_and_ends_in_order(sandbox: Sandbox) -> None:
    with sleeper(sandbox) as program:
        time.sleep(0.2)  # until its handler stands
        assert program.is_running
    assert program.exit_status == 7


def test_a_frozen_program_is_ended_by_force(sandbox: Sandbox) -> None:
    program = sleeper(sandbox)
    program.send(signal.SIGSTOP)
    program.stop(deadline_seconds=0.2)
    assert not program.is_running
    program.send(signal.SIGTERM)  # harmless


def test_a_short_program_that_hangs_is_given_up(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match=r"did not end within 0\.2 s"):
        sandbox.run("perl", "-e", "sleep 60", deadline_seconds=0.2)


def test_a_program_ends_with_the_process_that_started_it(sandbox: Sandbox, tmp_path: Path) -> None:
    output = tmp_path / "output"
    root = f"Path({str(sandbox.root)!r})" if sandbox.root else "None"
    script = (
        "import time; from pathlib import Path; from dialplan.sandbox import Sandbox\n"
        f"output = Path({str(output)!r})\n"
        f"p = Sandbox({root}).start('perl', '-e', '$| = 1; print 1; sleep 60', output=output)\n"
        "while not output.read_text(): time.sleep(0.01)\n"
        "print(p.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert _is_alive(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 5
    while _is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
