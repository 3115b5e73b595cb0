"""Calls in which something breaks: nobody is connected unaccepted, no call is too long, each is settled once."""

import importlib
from collections.abc import Mapping

import pytest

from tests.telephony.conftest import Told
from tests.telephony.registry import FAULTS, FAULTS_ON_POSTGRESQL, on_postgresql

for module in (
    "two_nodes",
    "paying",
    "switches",
    "closing",
    "broken",
    "carriers",
    "unwalled",
):  # the longest begin first
    importlib.import_module(f"tests.telephony.stories.{module}")

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("name", [*FAULTS, *on_postgresql(FAULTS_ON_POSTGRESQL)])
def test_fault(name: str, told: Mapping[str, Told]) -> None:
    told[name].hear()
