"""Whole calls: what each side heard, what was written, what was paid, what was recorded."""

import importlib
from collections.abc import Mapping

import pytest

from tests.telephony.conftest import Told
from tests.telephony.registry import STORIES

for module in ("limits", "refused", "accepted", "dialogues", "hangups", "denied", "network"):
    importlib.import_module(f"tests.telephony.stories.{module}")

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("name", STORIES)
def test_story(name: str, told: Mapping[str, Told]) -> None:
    story = told[name]
    try:
        story.end.result()
    except BaseException:
        print(story.scene.account())
        raise
