"""Ports on loopback that nobody uses now, for stacks that are started beside one another."""

import random
import socket
from typing import Final

#: Above the ranges of media, below those of the telephones (30000 on) and of outgoing connections (32768 on in Linux).
PORTS: Final = range(27_000, 30_000)
_given: set[int] = set()


def free_ports(count: int) -> list[int]:
    """Distinct ports that are free for TCP and UDP on 127.0.0.1 now; no port is given twice by one process.

    Raises RuntimeError where there are not so many.
    """
    found: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        if len(found) == count:
            return found
        if port not in _given and _is_free(port):
            _given.add(port)
            found.append(port)
    raise RuntimeError(f"fewer than {count} ports from {PORTS.start} to {PORTS.stop - 1} are free")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
