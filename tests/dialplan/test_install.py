"""Finding and building an Asterisk, without building one: the build itself is what every other test runs on."""

import fcntl
import os
import shutil
import threading
from collections import namedtuple
from pathlib import Path

import pytest

from dialplan import install
from dialplan.__main__ import main
from dialplan.install import Installation, InstallError, cache_folder, parse_version, provide
from dialplan.mirror import debian_mirrors

DEB822 = """\
# written by the installer
Types: deb deb-src
# a comment inside a stanza
URIs: http://mirror.example/debian/
  http://second.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 URIs

Types: deb
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
Enabled: no
URIs: http://disabled.example/debian
Suites: sid
Components: main

Types: deb
URIs: https://vendor.example/node
Suites: nodistro
Components: main
"""
ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] https://third.example/debian trixie main non-free
deb cdrom:[Debian 12]/ bookworm main
deb http://vendor.example/apt stable-release main
deb http://mirror.example/debian bookworm main # again
"""


def apt_folder(folder: Path, deb822: str = "", one_line: str = "") -> Path:
    (folder / "sources.list.d").mkdir(parents=True)
    (folder / "sources.list.d" / "debian.sources").write_text(deb822)
    (folder / "sources.list").write_text(one_line)
    return folder


def test_mirrors_are_read_from_both_forms_of_apts_configuration(tmp_path: Path) -> None:
    assert debian_mirrors(apt_folder(tmp_path, DEB822, ONE_LINE)) == [
        "https://third.example/debian",
        "http://mirror.example/debian",
        "http://second.example/debian",
    ]


def test_a_machine_without_debian_in_its_apt_configuration_has_no_mirror(tmp_path: Path) -> None:
    assert debian_mirrors(apt_folder(tmp_path)) == []
    assert debian_mirrors(tmp_path / "absent") == []


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Asterisk 22.10.1+dfsg+~cs6.17.60671434-1\n", (22, 10, 1)),
        ("Asterisk 22.11.0-rc1", (22, 11, 0)),
        ("Asterisk 23.2.3", (23, 2, 3)),
        ("Asterisk GIT-master-1234", None),
        ("command not found", None),
        ("", None),
    ],
)
def test_the_version_is_read_from_what_asterisk_says(text: str, version: install.Version | None) -> None:
    assert parse_version(text) == version


def test_the_cache_is_outside_the_clone_and_can_be_moved() -> None:
    assert cache_folder({"IVR_CACHE": "/srv/cache"}) == Path("/srv/cache")
    assert cache_folder({"XDG_CACHE_HOME": "/srv/xdg"}) == Path("/srv/xdg/ivr")
    assert cache_folder({}) == Path("~/.cache/ivr").expanduser()


def fake_asterisk(path: Path, version: str) -> Path:
    """A program that only says its version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho Asterisk {version}\n")
    path.chmod(0o700)
    return path


def test_an_asterisk_named_in_the_settings_is_used(tmp_path: Path) -> None:
    program = fake_asterisk(tmp_path / "asterisk", "22.12.0")
    found = provide({"IVR_ASTERISK": str(program)})
    assert (found.version, found.asterisk, found.sandbox.root) == ((22, 12, 0), str(program), None)


def test_a_root_folder_named_in_the_settings_is_used(installation: Installation) -> None:
    assert installation.sandbox.root is not None
    assert provide({"IVR_ASTERISK": str(installation.sandbox.root)}) == installation


@pytest.mark.parametrize(
    ("version", "complaint"),
    [("22.10.0", "Asterisk 22.10.0, but 22.10.1 or newer"), ("what?", "no Asterisk answers there")],
)
def test_a_named_asterisk_that_cannot_be_used_is_refused(
    tmp_path: Path, version: str, complaint: str
) -> None:
    program = fake_asterisk(tmp_path / "asterisk", version)
    with pytest.raises(InstallError, match=complaint):
        provide({"IVR_ASTERISK": str(program)})


def test_a_named_asterisk_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="neither a program nor a root folder"):
        provide({"IVR_ASTERISK": str(tmp_path / "absent")})


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it but what the test puts there, on a machine without an Asterisk."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(install, "_on_this_machine", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return folder


def provide_tool(folder: Path, *names: str) -> None:
    for name in names:
        found = shutil.which(name, path="/usr/bin:/bin:/usr/sbin")
        assert found is not None
        (folder / name).symlink_to(found)


def test_missing_tools_are_named_in_one_command(programs: Path, tmp_path: Path) -> None:
    provide_tool(programs, "apt-get", "fakeroot")
    with pytest.raises(InstallError) as refusal:
        provide({"IVR_CACHE": str(tmp_path)})
    assert str(refusal.value) == (
        "To build Asterisk, first run: sudo apt-get install --yes mmdebstrap bubblewrap"
    )


def test_a_machine_without_debians_tools_is_told_what_remains(programs: Path, tmp_path: Path) -> None:
    assert list(programs.iterdir()) == []
    with pytest.raises(InstallError, match="no apt-get to install them; name an Asterisk"):
        provide({"IVR_CACHE": str(tmp_path)})


def test_forbidden_user_namespaces_are_told_with_a_cure(programs: Path, tmp_path: Path) -> None:
    provide_tool(programs, "apt-get", "fakeroot", "mmdebstrap")
    (programs / "bwrap").write_text("#!/bin/sh\nexit 1\n")
    (programs / "bwrap").chmod(0o700)
    with pytest.raises(InstallError, match="may not make user namespaces"):
        provide({"IVR_CACHE": str(tmp_path)})


def test_no_mirror_is_told_with_a_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(install, "_on_this_machine", lambda: None)
    monkeypatch.setattr(install, "debian_mirrors", list)
    with pytest.raises(InstallError, match="names no mirror of Debian; name one with IVR_DEBIAN_MIRROR"):
        provide({"IVR_CACHE": str(tmp_path / "cache")})


def test_too_little_space_is_told_before_anything_is_fetched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(install, "_on_this_machine", lambda: None)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2**30, 2**30 - 2**20, 2**20))
    with pytest.raises(InstallError, match=r"needs 700 MiB in .*, but only 1 MiB are free"):
        provide({"IVR_CACHE": str(tmp_path), "IVR_DEBIAN_MIRROR": "http://mirror.invalid/debian"})


def test_suites_that_cannot_be_fetched_are_told_in_one_sentence_and_leave_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(install, "_on_this_machine", lambda: None)
    said: list[str] = []
    empty = tmp_path / "mirror"
    empty.mkdir()
    environment = {"IVR_CACHE": str(tmp_path / "cache"), "IVR_DEBIAN_MIRROR": f"copy:{empty}"}
    with pytest.raises(InstallError) as refusal:
        provide(environment, said.append)
    assert "forky: " in str(refusal.value)
    assert "sid: " in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [".lock"]


def test_two_builders_do_not_collide(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The second waits for the first, and then uses what the first has built."""
    monkeypatch.setattr(install, "_on_this_machine", lambda: None)
    assert installation.sandbox.root is not None
    waits = threading.Event()
    found: list[Installation] = []

    def build() -> None:
        found.append(provide({"IVR_CACHE": str(tmp_path)}, lambda _: waits.set()))

    second = threading.Thread(target=build)
    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second.start()
        assert waits.wait(10)
        (tmp_path / "asterisk-forky-22.10.1").symlink_to(installation.sandbox.root)
    second.join()
    assert found[0].sandbox.root == tmp_path / "asterisk-forky-22.10.1"


def test_the_command_tells_a_failure_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["dialplan", "install"])
    monkeypatch.setenv("IVR_ASTERISK", "/nowhere")
    assert main() == 1
    assert (
        capsys.readouterr().err
        == "IVR_ASTERISK names /nowhere, which is neither a program nor a root folder.\n"
    )


def test_the_command_tells_what_it_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    program = fake_asterisk(tmp_path / "asterisk", "22.12.0")
    monkeypatch.setattr("sys.argv", ["dialplan", "install"])
    monkeypatch.setenv("IVR_ASTERISK", str(program))
    assert main() == 0
    assert capsys.readouterr().out == f"Asterisk 22.12.0 {program}\n"
