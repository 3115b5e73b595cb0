"""Building where the disk is too small: one sentence with the cure, and nothing left behind."""

from pathlib import Path

import pytest

from tests.small_disk import on_a_small_disk

INSTALL = """
import sys
from dialplan import __main__, install
install._on_this_machine = lambda: None
{change}
sys.argv = ["dialplan", "install"]
sys.exit(__main__.main())
"""
TOO_SMALL_A_NUMBER = "install.NEEDED_MIB = 1"  # so that the room seems to be enough
# What mmdebstrap says then, and its status; that it writes until the disk is full needs no mirror of Debian.
FILLS_THE_DISK = """\
#!/bin/sh
for word; do case $word in */.building-*) root=$word ;; esac; done
mkdir "$root"
echo "I: running apt-get update..."
cat /dev/zero > "$root/packages" && exit 0
echo "E: Failed to fetch Packages  Write error - write (28: No space left on device)"
exit 25
"""


@pytest.mark.parametrize(
    ("change", "but"), [("", "only 8 MiB are free"), (TOO_SMALL_A_NUMBER, "no room is left")]
)
def test_a_disk_too_small_for_the_build_is_told_with_the_cure(tmp_path: Path, change: str, but: str) -> None:
    tools, cache = tmp_path / "tools", tmp_path / "cache"
    tools.mkdir()
    cache.mkdir()
    (tools / "mmdebstrap").write_text(FILLS_THE_DISK)
    (tools / "mmdebstrap").chmod(0o700)
    environment = {
        "PATH": f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin",
        "IVR_CACHE": str(cache),
        "IVR_DEBIAN_MIRROR": "http://mirror.invalid/debian",
    }
    done = on_a_small_disk(cache, "8m", "-c", INSTALL.format(change=change), environment=environment)
    needed = 1 if change else 700
    assert done.stderr == (
        f"Building Asterisk needs {needed} MiB in {cache}, but {but}; "
        "make room there or set IVR_CACHE to another folder.\n"
    )
    assert done.returncode == 1
    assert "sid" not in done.stdout  # another suite needs as much
