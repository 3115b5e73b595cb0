"""Starting where the disk is full: one sentence with the cure."""

from pathlib import Path

import pytest

from ivr.demonstration.ports import free_ports
from tests.small_disk import on_a_small_disk


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
