"""The proof that a call may be recorded, and the file that is only given for it."""

from enum import StrEnum
from typing import Final, NewType, final

from ivr.policy.reasons import NotRecorded

#: Where a permitted recording goes; given out by `ivr.records.recordings.begin` for a permit, and by nobody else.
RecordingFile = NewType("RecordingFile", str)

_PROOF: Final = object()


class Unrecorded(StrEnum):
    """What becomes of a talk that must be recorded and is not."""

    END = "end"  # both hear why
    ALERT = "alert"  # it goes on


@final
class RecordingPermit:
    """That the call `call_id` may be recorded; made only by `recording_permit`."""

    __slots__ = ("call_id",)

    def __init__(self, call_id: str, *, proof: object) -> None:
        if proof is not _PROOF:
            raise TypeError("a RecordingPermit is made only by recording_permit()")
        self.call_id = call_id


def recording_permit(
    call_id: str, *, privileged: bool | None, not_recorded: NotRecorded | None, list_intact: bool | None
) -> RecordingPermit | None:
    """A permit if it is known that nobody forbids the recording; None on any doubt.

    `list_intact`: the facility's list of privileged numbers is what was written to it.
    """
    if privileged is False and not_recorded is None and list_intact is True:
        return RecordingPermit(call_id, proof=_PROOF)
    return None
