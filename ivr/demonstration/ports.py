"""Ports that nobody uses, for stacks beside others on one machine."""

import socket
from contextlib import ExitStack


def free_ports() -> dict[str, int]:
    """A value for each of the settings' ports."""
    with ExitStack() as held:
        ports = {
            name: _free(held, kind)
            for name, kind in (
                ("sip_port", socket.SOCK_DGRAM),
                ("carrier_port", socket.SOCK_DGRAM),
                ("agi_port", socket.SOCK_STREAM),
                ("ami_port", socket.SOCK_STREAM),
                ("web_port", socket.SOCK_STREAM),
            )
        }
    # Media ports are a range that must not overlap another stack's: derived from a port that is surely ours.
    first = 10_000 + ports["agi_port"] % 9 * 2_000
    return {**ports, "rtp_first_port": first, "rtp_last_port": first + 999}


def _free(held: ExitStack, kind: int) -> int:
    sock = held.enter_context(socket.socket(socket.AF_INET, kind))
    sock.bind(("127.0.0.1", 0))
    port: int = sock.getsockname()[1]
    return port
