"""Twenty thousand decisions by chance: none lets a privileged call be recorded; and this would be seen."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from accounts.db import Database
from ivr.controls.authorisation import gather
from ivr.facility import privileged
from ivr.policy.request import CallRequest, Payer
from tests.database import only_sqlite
from tests.privilege import generated
from tests.privilege.generated import Chance, Recorded, small_world

DECISIONS = 20_000


@pytest.mark.timeout(600)  # 20,000 decisions, beside other tests
@only_sqlite
def test_no_privileged_call_is_recorded_and_others_are(database: Database, tmp_path: Path) -> None:
    seen = Chance(small_world(database, tmp_path), seed=2).run(DECISIONS)
    assert seen["recorded"] > DECISIONS // 20
    assert seen["privileged"] > DECISIONS // 20
    assert seen["in doubt"] > 100
    assert seen["not recorded for nothing"] == 0
    happened = {each.__name__.strip("_") for each in generated.HAPPENINGS}
    assert happened <= set(seen)
    assert set(Payer) <= set(seen)


def _forgets(*given: Any, **known: Any) -> CallRequest:
    """A fact that is lost on one of its ways."""
    return replace(gather(*given, **known), privileged=False)


@only_sqlite
@pytest.mark.parametrize(
    "fault",
    [
        mock.patch.object(privileged, "intact", return_value=True),
        mock.patch.object(generated, "gather", _forgets),
    ],
    ids=["a broken list is believed", "a number is forgotten"],
)
def test_a_fault_would_be_seen(database: Database, tmp_path: Path, fault: Any) -> None:
    chance = Chance(small_world(database, tmp_path), seed=1)
    with fault, pytest.raises(Recorded):
        chance.run(DECISIONS)
