"""Ports that nobody uses, for stacks beside others on one machine."""

from dialplan import ports

NAMES = ("sip_port", "carrier_port", "agi_port", "ami_port", "web_port")


def free_ports() -> dict[str, int]:
    """A value for each of the settings' ports."""
    given = dict(zip(NAMES, ports.free_ports(len(NAMES)), strict=True))
    # Media ports are a range that must not overlap another stack's: derived from a port that is surely ours.
    first = 10_000 + given["agi_port"] % 8 * 2_000
    return {**given, "rtp_first_port": first, "rtp_last_port": first + 999}
