"""The dialogues are drawn as they are."""

from tests.drift.dialogues import DRAWN, drawn


def test_the_drawn_dialogues_are_those_of_the_code() -> None:
    assert DRAWN.read_text("utf-8") == drawn(), "python -m tests.drift.dialogues > docs/dialogues.md"
