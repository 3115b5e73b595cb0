"""A recording needs a permit, and a permit needs certainty."""

from itertools import product

import pytest

from ivr.policy.reasons import NotRecorded
from ivr.policy.recording import RecordingPermit, recording_permit


def test_a_permit_needs_a_number_that_is_surely_not_privileged_and_nobody_against_it() -> None:
    for privileged, objection, intact in product(
        (True, False, None), (None, *NotRecorded), (True, False, None)
    ):
        permit = recording_permit("c", privileged=privileged, not_recorded=objection, list_intact=intact)
        assert (permit is not None) == (privileged is False and objection is None and intact is True)


def test_nobody_else_can_make_a_permit() -> None:
    with pytest.raises(TypeError):
        RecordingPermit("c", proof=object())
