"""Who somebody is to the system: the user who logged in, whatever user they have become since (sudo, su)."""

import os
import pwd
from pathlib import Path
from typing import Final

#: What the kernel keeps for a process that no login began.
NOBODY: Final = 2**32 - 1


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
