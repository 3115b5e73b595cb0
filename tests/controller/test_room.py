"""Starting where the disk is full: one sentence with the cure."""

import errno
from pathlib import Path

import pytest

from ivr.cli.room import no_room
from ivr.demonstration.ports import free_ports
from tests.small_disk import on_a_small_disk


@pytest.mark.timeout(20)
def test_errors_that_are_each_others_causes_are_looked_at_once() -> None:
    first, second = ValueError("integer overflow"), OSError(errno.ENOSPC, "No space left on device")
    first.__cause__ = first
    assert no_room(first) is None
    first.__cause__, second.__cause__ = second, first
    assert "No space left on device" in str(no_room(first))
    second.errno = errno.EACCES
    assert no_room(first) is None


@pytest.mark.parametrize("size", ["16k", "256k", "512k"])
@pytest.mark.parametrize("verb", ["run", "demo"])
def test_a_start_on_a_full_disk_is_told_with_the_cure(tmp_path: Path, verb: str, size: str) -> None:
    """The sizes end it in the database's files, in its contents, and in a file beside it."""
    environment = {f"IVR_{name.upper()}": str(port) for name, port in free_ports().items()}
    environment |= {"IVR_STATE_DIR": str(tmp_path / "state"), "TMPDIR": str(tmp_path)}
    done = on_a_small_disk(tmp_path, size, "-m", "ivr.cli", verb, environment=environment)
    assert done.stderr.startswith("ivr: nothing more can be written (")
    assert done.stderr.endswith("IVR_STATE_DIR (for `ivr demo`: TMPDIR)\n")
    assert done.stderr.count("\n") == 1
    assert done.returncode == 1
