"""`make test-build`: a whole build from the machine's own mirror, where the first suite is not to be had."""

from pathlib import Path

import pytest

from dialplan import install
from dialplan.install import provide

pytestmark = pytest.mark.timeout(900)


def test_the_next_suite_is_taken_where_the_first_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(install, "_on_this_machine", lambda: None)
    monkeypatch.setattr(install, "SUITES", ("nosuchsuite", install.SUITES[-1]))
    said: list[str] = []
    found = provide({"IVR_CACHE": str(tmp_path)}, said.append)
    assert any(line.startswith("  nosuchsuite cannot be used: ") for line in said)
    root = tmp_path / f"asterisk-{install.SUITES[-1]}-{found.version_text}"
    assert found.sandbox.root == root
    assert found.version >= install.MINIMUM_VERSION
    assert found.sandbox.has("baresip")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", root.name]
