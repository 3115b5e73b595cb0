"""A real Asterisk: the one named in the settings, one on the machine, one built before, or one built now."""

import errno
import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dialplan.mirror import debian_mirrors
from dialplan.sandbox import HOST_NAME, Sandbox, SandboxError

Version = tuple[int, int, int]
Progress = Callable[[str], None]

MINIMUM_VERSION: Version = (22, 10, 1)  # twenty security advisories were closed in it
SUITES = (
    "forky",
    "sid",
)  # forky is the first Debian suite with Asterisk 22; it moves, so sid stands behind it
PACKAGES = (
    "asterisk",
    "asterisk-core-sounds-en",
    "asterisk-core-sounds-en-wav",
    "sip-tester",
    "baresip-core",
)
TOOLS = {"mmdebstrap": "mmdebstrap", "fakeroot": "fakeroot", "bwrap": "bubblewrap"}  # program → package
NEEDED_MIB = 700  # 331 MiB when done, and the packages beside it while they are unpacked
BARESIP_MODULES = ("account", "aufile", "ctrl_tcp", "g711", "menu")
DISK_IS_FULL = "No space left on device"
HOSTS = f"127.0.0.1 localhost {HOST_NAME}\n::1 localhost\n"


class InstallError(Exception):
    """No usable Asterisk could be provided; the message is one sentence that names the cure."""


@dataclass(frozen=True, slots=True)
class Installation:
    """An Asterisk that is recent enough, and the programs beside it."""

    sandbox: Sandbox
    asterisk: str  # the program, as seen inside the sandbox
    version: Version

    @property
    def version_text(self) -> str:
        """The version as people write it: 22.10.1."""
        return ".".join(str(part) for part in self.version)


def provide(environment: Mapping[str, str] = os.environ, say: Progress = print) -> Installation:
    """Find a recent Asterisk or build one; raises InstallError when neither is possible.

    `IVR_ASTERISK` names a program or a root folder and is then the only one tried; `IVR_CACHE` moves the
    folder in which built roots are kept.
    """
    if named := environment.get("IVR_ASTERISK"):
        return _named(Path(named).expanduser())
    cache = cache_folder(environment)
    return _on_this_machine() or _built_before(cache) or _build(cache, environment, say)


def provide_telephones(
    beside: Installation, environment: Mapping[str, str] = os.environ, say: Progress = print
) -> Installation:
    """An installation whose baresip is a telephone of ours: this one if it is a whole root, else a built one.

    A machine with an Asterisk of its own may have no baresip, and Debian 12's (1.0) keeps no recording of a call.
    """
    if beside.sandbox.root is not None and beside.sandbox.has("baresip"):
        return beside
    cache = cache_folder(environment)
    return _built_before(cache) or _build(cache, environment, say)


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder outside any clone in which built roots are kept."""
    if chosen := environment.get("IVR_CACHE"):
        return Path(chosen).expanduser().absolute()
    base = environment.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "ivr"


def parse_version(text: str) -> Version | None:
    """The version in what `asterisk -V` prints, or None when there is none."""
    found = re.match(r"Asterisk (\d+)\.(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def _named(path: Path) -> Installation:
    if path.is_dir():
        sandbox, program = Sandbox(path.absolute()), "asterisk"
    elif path.is_file() and os.access(path, os.X_OK):
        sandbox, program = Sandbox(None), str(path.absolute())
    else:
        raise InstallError(f"IVR_ASTERISK names {path}, which is neither a program nor a root folder.")
    found = _inspect(sandbox, program)
    if found is None:
        raise InstallError(f"IVR_ASTERISK names {path}, but no Asterisk answers there.")
    if found.version < MINIMUM_VERSION:
        raise InstallError(
            f"IVR_ASTERISK names Asterisk {found.version_text}, "
            f"but {_dotted(MINIMUM_VERSION)} or newer is needed."
        )
    return found


def _on_this_machine() -> Installation | None:
    found = _inspect(Sandbox(None), "asterisk")
    return found if found and found.version >= MINIMUM_VERSION else None


def _built_before(cache: Path) -> Installation | None:
    roots = [_inspect(Sandbox(root), "asterisk") for root in cache.glob("asterisk-*") if root.is_dir()]
    usable = [found for found in roots if found and found.version >= MINIMUM_VERSION]
    return max(usable, key=lambda found: found.version, default=None)


def _inspect(sandbox: Sandbox, program: str) -> Installation | None:
    found = sandbox.path_of(program)
    if found is None:
        return None
    if sandbox.root is not None:
        _check_walls()
    try:
        version = parse_version(sandbox.run(found, "-V").stdout)
    except SandboxError as fault:
        raise InstallError(str(fault)) from fault
    return Installation(sandbox, found, version) if version else None


def _build(cache: Path, environment: Mapping[str, str], say: Progress) -> Installation:
    _provide_tools(say)
    _check_walls()
    mirrors = _mirrors(environment)
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise InstallError(
            f"The cache folder {cache} cannot be made ({fault.strerror}); set IVR_CACHE."
        ) from fault
    try:
        with _only_builder(cache, say):
            # Another builder may have finished while we waited.
            return _built_before(cache) or _build_from_suites(cache, mirrors, say)
    except OSError as fault:
        if fault.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise InstallError(_no_room(cache, "no room is left")) from fault


def _build_from_suites(cache: Path, mirrors: list[str], say: Progress) -> Installation:
    _check_space(cache)
    faults: list[str] = []
    for suite in SUITES:
        for mirror in mirrors:
            say(f"Building Asterisk from Debian's suite {suite} (about {NEEDED_MIB // 2} MiB, once) …")
            try:
                return _build_root(cache, suite, mirror, say)
            except _SuiteError as fault:
                faults.append(f"{suite}: {fault}")
                say(f"  {suite} cannot be used: {fault}")
    raise InstallError(
        f"No Asterisk {_dotted(MINIMUM_VERSION)} or newer could be built ({'; '.join(faults)}); check the "
        "network and this machine's apt configuration, or name an Asterisk of your own with IVR_ASTERISK."
    )


class _SuiteError(Exception):
    """This suite of this mirror gave no usable root; another may."""


def _build_root(cache: Path, suite: str, mirror: str, say: Progress) -> Installation:
    building = cache / f".building-{suite}-{os.getpid()}"
    try:
        _unpack(suite, mirror, building, say)
        _complete(building)
        found = _inspect(Sandbox(building), "asterisk")
        if found is None:
            raise _SuiteError("its Asterisk does not start")
        if found.version < MINIMUM_VERSION:
            raise _SuiteError(f"it has only Asterisk {found.version_text}")
        root = cache / f"asterisk-{suite}-{found.version_text}"
        if root.exists():  # it was looked at before and did not answer
            shutil.rmtree(root)
        building.rename(root)
        say(f"  Asterisk {found.version_text} is ready in {root}")
        return Installation(Sandbox(root), found.asterisk, found.version)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _unpack(suite: str, mirror: str, root: Path, say: Progress) -> None:
    """Fetch and unpack the packages; no maintainer script runs, so no rights are needed."""
    command = [
        *("mmdebstrap", "--variant=extract", "--mode=fakeroot"),
        # A mirror's copy of a moving suite may be older than its own expiry date.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        '--aptopt=APT::Install-Recommends "false"',
        *_proxy_options(),
        f"--include={','.join(PACKAGES)}",
        *(suite, str(root), mirror),
    ]
    last = ""
    is_full = False
    try:
        with subprocess.Popen(  # noqa: S603 — an argument vector of our own, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "LC_ALL": "C"},  # what it says is read
        ) as process:
            for line in process.stdout or ():
                is_full = is_full or DISK_IS_FULL in line
                last = line.strip() if line.startswith("E: ") and not last else last
                if line.startswith("I: "):
                    say(f"  {line[3:].strip()}")
    except OSError as fault:
        raise InstallError(f"mmdebstrap could not be started: {fault.strerror}.") from fault
    if process.returncode != 0 and is_full:
        raise OSError(errno.ENOSPC, DISK_IS_FULL)  # another suite would not fit either
    if process.returncode != 0:
        raise _SuiteError(last.removeprefix("E: ") or f"mmdebstrap ended with status {process.returncode}")


def _proxy_options() -> list[str]:
    """mmdebstrap reads none of the machine's apt configuration, so a proxy in it is handed on."""
    if not shutil.which("apt-config"):
        return []
    names = ("Acquire::http::Proxy", "Acquire::https::Proxy")
    options = []
    for name in names:
        shown = subprocess.run(  # noqa: S603 — fixed words
            ["apt-config", "shell", "proxy", name],  # noqa: S607 — wherever Debian keeps it
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        if found := re.match(r"proxy='([^']+)'", shown):
            options.append(f'--aptopt={name} "{found[1]}"')
    return options


def _complete(root: Path) -> None:
    """Make what the packages' maintainer scripts would have made and the sandbox needs."""
    sounds = root / "usr/share/asterisk/sounds"
    voices = sorted(path.name for path in sounds.glob("en_*") if path.is_dir())
    if voices and not (sounds / "en").exists():
        (sounds / "en").symlink_to(voices[0])
    (root / "etc/hosts").write_text(HOSTS)
    (root / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")
    resolver = root / "etc/resolv.conf"
    resolver.unlink(missing_ok=True)
    resolver.touch()  # the machine's own is laid over it
    absent = [name for name in BARESIP_MODULES if not (root / f"usr/lib/baresip/modules/{name}.so").is_file()]
    if absent:
        raise _SuiteError(f"its baresip lacks {', '.join(absent)}")


def _provide_tools(say: Progress) -> None:
    """Be sure that the building tools are there; as root they are installed, else the command is named."""
    packages = [package for program, package in TOOLS.items() if not shutil.which(program)]
    if not packages:
        return
    if not shutil.which("apt-get"):
        raise InstallError(
            f"{_listed(packages)} are needed to build Asterisk, and this machine has no apt-get to install "
            "them; name an Asterisk of your own with IVR_ASTERISK."
        )
    install = ["apt-get", "install", "--yes", *packages]
    if os.geteuid() != 0:
        raise InstallError(f"To build Asterisk, first run: sudo {' '.join(install)}")
    say(f"Installing {_listed(packages)} …")
    for command in (["apt-get", "update"], install):
        done = subprocess.run(  # noqa: S603 — package names of our own
            command,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
        if done.returncode != 0:
            raise InstallError(f"{' '.join(command)} failed; run it by hand to see why.")


def _check_walls() -> None:
    """Be sure that this user may make a sandbox."""
    if not shutil.which("bwrap"):
        raise InstallError("To run the built Asterisk, first run: sudo apt-get install --yes bubblewrap")
    walls = ("--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "--proc", "/proc", "--", "true")
    tried = subprocess.run(  # noqa: S603 — fixed words
        ["bwrap", *walls],  # noqa: S607 — wherever Debian keeps it
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode != 0:
        raise InstallError(
            f"This user may not make user namespaces, which keep Asterisk apart; {_namespace_cure()}."
        )


def _namespace_cure() -> str:
    settings = {
        "kernel/apparmor_restrict_unprivileged_userns": ("1", "0"),
        "kernel/unprivileged_userns_clone": ("0", "1"),
        "user/max_user_namespaces": ("0", "15000"),
    }
    for name, (forbids, allows) in settings.items():
        file = Path("/proc/sys") / name
        if file.is_file() and file.read_text().strip() == forbids:
            return f"allow them with: sudo sysctl -w {name.replace('/', '.')}={allows}"
    return "in a container, start it with rights for user namespaces, or name an Asterisk with IVR_ASTERISK"


def _mirrors(environment: Mapping[str, str]) -> list[str]:
    if chosen := environment.get("IVR_DEBIAN_MIRROR"):
        return [chosen]
    mirrors = debian_mirrors()
    if not mirrors:
        raise InstallError(
            "This machine's apt configuration names no mirror of Debian; name one with IVR_DEBIAN_MIRROR, "
            "or an Asterisk of your own with IVR_ASTERISK."
        )
    return mirrors


def _check_space(cache: Path) -> None:
    free_mib = shutil.disk_usage(cache).free // 2**20
    if free_mib < NEEDED_MIB:
        raise InstallError(_no_room(cache, f"only {free_mib} MiB are free"))


def _no_room(cache: Path, but: str) -> str:
    return (
        f"Building Asterisk needs {NEEDED_MIB} MiB in {cache}, but {but}; "
        "make room there or set IVR_CACHE to another folder."
    )


@contextmanager
def _only_builder(cache: Path, say: Progress) -> Iterator[None]:
    """Hold the cache's lock, so that two builders never work at once; the lock ends with the process."""
    with (cache / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another process is building Asterisk; waiting for it …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for abandoned in cache.glob(".building-*"):  # only a builder that was killed leaves one
            shutil.rmtree(abandoned, ignore_errors=True)
        yield


def _dotted(version: Version) -> str:
    return ".".join(str(part) for part in version)


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
