"""What a process has used, as Linux counts it (proc(5))."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor time of all its threads, in user and system mode, and memory in bytes."""

    cpu_ms: float
    resident: int
    most_resident: int


def usage(pid: int) -> Usage:
    """What the process has used until now; processor time is counted in steps of some 10 ms."""
    process = Path("/proc", str(pid))
    after_name = (process / "stat").read_text().rpartition(")")[2].split()
    user, system = int(after_name[11]), int(after_name[12])
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return Usage(
        cpu_ms=(user + system) * 1000 / _TICKS_A_SECOND,
        resident=_bytes(status["VmRSS"]),
        most_resident=_bytes(status["VmHWM"]),
    )


def _bytes(value: str) -> int:
    amount, unit = value.split()
    assert unit == "kB"
    return int(amount) * 1024
