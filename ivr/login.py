"""Who asks: the user who logged in, whatever user they have become since (sudo, su), or who they say they are."""

import getpass
import os
import pwd
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

#: What the kernel keeps for a process that no login began.
NOBODY: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Who:
    """The user who runs a command, and whom they say they are."""

    login: str
    operator: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def sent(self) -> dict[str, object]:
        """What goes over the control socket; the controller sees the user for itself."""
        signed = {"operator": self.operator, "password": self.password}
        return {"signed": signed} if self.operator is not None else {}


def who_asks() -> Who:
    """Who runs this command: IVR_OPERATOR names an operator, whose password is asked for, or read from a pipe."""
    name = os.environ.get("IVR_OPERATOR")
    return Who(own_login(), name, _password(name)) if name else Who(own_login())


def own_login() -> str:
    """The login of this process."""
    return login_of(os.getpid(), os.getuid())


def login_of(pid: int, uid: int, processes: Path = Path("/proc")) -> str:
    """The user who logged in and began the process, as the kernel keeps it; where nobody logged in, the process's user.

    Only a login itself sets it (`pam_loginuid`), so no variable, sudo or su changes it.
    """
    try:
        logged_in = int((processes / str(pid) / "loginuid").read_text("ascii"))
    except (OSError, ValueError):
        logged_in = NOBODY
    return _name(uid if logged_in == NOBODY else logged_in)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


@cache
def _password(name: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(f"Password of {name}: ")
    return sys.stdin.readline().rstrip("\n")
