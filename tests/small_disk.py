"""A disk with hardly any room, mounted where only one command sees it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def on_a_small_disk(
    folder: Path, size: str, *words: str, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run Python with some words where `folder` is a disk of that size, mounted for it alone."""
    mounted = f'mount -t tmpfs -o size={size} none "$0" && exec "$@"'
    return subprocess.run(
        [
            "unshare",
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            mounted,
            folder,
            sys.executable,
            *words,
        ],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
