"""Who lost a talk, from what is known of its end; unknown is decided in the payer's favour."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

#: The causes of the called leg by which a network says that it lost a talk (ITU-T Q.850, Table 1). All others are a
#: party's own end (16 normal clearing, 31 normal, unspecified), belong to calls that nobody took (17, 19), or end none.
NETWORK_FAILURES: Mapping[int, str] = {
    8: "preemption",
    9: "preemption, circuit reserved for reuse",
    20: "subscriber absent: no radio contact",
    25: "exchange routing error",
    27: "destination out of order",
    34: "no circuit or channel available",
    38: "network out of order",
    39: "permanent frame mode connection out of service",
    41: "temporary failure",
    42: "switching equipment congestion",
    44: "requested circuit or channel not available",
    46: "precedence call blocked",
    47: "resource unavailable, unspecified",
    49: "quality of service unavailable",
    58: "bearer capability not presently available",
    63: "service or option not available, unspecified",
    81: "invalid call reference value",
    96: "mandatory information element is missing",
    97: "message type non-existent or not implemented",
    98: "message not compatible with call state, or not implemented",
    99: "information element non-existent or not implemented",
    100: "invalid information element contents",
    101: "message not compatible with call state",
    102: "recovery on timer expiry",
    110: "message with unrecognized parameter, discarded",
    111: "protocol error, unspecified",
    127: "interworking, unspecified",
}
#: What Asterisk itself gives to a leg that has sent no audio for `SILENT_LEG_SECONDS`.
SILENT_LEG = 44
#: After so long without audio Asterisk gives a leg up: `rtp_timeout` in dialplan/templates/pjsip.conf.
SILENT_LEG_SECONDS = 60
#: The length of a packet of audio: what our offer asks for, and what RFC 3551 sets for mu-law and A-law.
PACKET_MS = 20
#: Less audio than that may be missing: late packets, a pause, a key that was held.
MISSED_MS = 5_000


class DroppedBy(StrEnum):
    """Whose failure ended a talk, as the CDR has it."""

    NETWORK = "network"
    MEDIA = "media"  # the audio stopped before the call did
    US = "us"


class Fault(StrEnum):
    """What is known of an end that neither party asked for."""

    SILENT_LEG = "silent_leg"  # `rtp_timeout`
    SHUTDOWN = "shutdown"
    UNRECORDED = "unrecorded"  # we ended what had to be recorded and was not


@dataclass(frozen=True, slots=True)
class TalkEnd:
    """What is known of how a talk ended."""

    seen: bool  # an event or the dialplan's note told of it
    by_rule: bool  # a limit, an hour or a switch ended it
    hung_up: bool  # it is known which party ended it
    by_inmate: bool  # it was the inmate
    cause: int | None  # Q.850, of the called leg
    fault: Fault | None = None
    missed_ms: int = 0  # how much audio of the called party never came


def missed_ms(call_ms: int, packets_received: int, packets_lost: int) -> int:
    """How much audio a leg did not send in a call; packets that were lost on the way it has sent."""
    return max(0, call_ms - (packets_received + packets_lost) * PACKET_MS)


def dropped_by(end: TalkEnd) -> DroppedBy | None:
    """Whose failure ended a talk; None where one of the two, or a rule, has ended it.

    A called leg that the inmate's hang-up ended has the cause of that, so there it tells nothing. An end that nobody
    saw, or that nobody asked for and no cause explains, is ours.
    """
    if end.by_rule:
        return None
    if not end.seen or end.fault in (Fault.SHUTDOWN, Fault.UNRECORDED):
        return DroppedBy.US
    timed_out = end.cause == SILENT_LEG and not end.hung_up
    if timed_out or end.fault is Fault.SILENT_LEG or end.missed_ms >= MISSED_MS:
        return DroppedBy.MEDIA
    if end.cause in NETWORK_FAILURES and not end.by_inmate:
        return DroppedBy.NETWORK
    return None if end.cause or end.hung_up else DroppedBy.US


def heard_ms(talk_ms: int, end: TalkEnd) -> int:
    """How much of the talk the two could hear each other."""
    silent_ms = SILENT_LEG_SECONDS * 1000 if end.fault is Fault.SILENT_LEG else 0
    missed = end.missed_ms if end.missed_ms >= MISSED_MS else 0
    return max(0, talk_ms - max(silent_ms, missed))
