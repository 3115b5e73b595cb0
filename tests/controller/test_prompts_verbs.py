"""`ivr prompts` teaches, tells and recognises; it needs no database and no speech engine."""

import csv
import io
from pathlib import Path

import pytest

from tests.controller.conftest import Ivr
from tests.controller.test_cli import is_one_line


def test_texts_and_audio_are_checked(ivr: Ivr) -> None:
    said = ivr("prompts", "check")
    assert (said.status, said.out) == (0, "texts and audio agree\n")


def test_the_script_names_each_file_and_its_words(ivr: Ivr) -> None:
    rows = list(csv.DictReader(io.StringIO(ivr("prompts", "script", "es", "--csv").out)))
    [goodbye] = [row for row in rows if row["file"] == "goodbye.wav"]
    assert goodbye["words"] == "Hasta luego."
    assert float(goodbye["seconds"]) > 0.5
    assert "goodbye.wav" in ivr("prompts", "script", "en").out


def test_what_a_caller_hears_is_written_and_recognised_again(ivr: Ivr, tmp_path: Path) -> None:
    file = tmp_path / "said.wav"
    said = ivr("prompts", "play", "price_and_time", "price=0.06", "time=15", "--output", str(file))
    assert said.status == 0
    assert "six cents" in said.out
    heard = ivr("prompts", "listen", str(file)).out.splitlines()
    assert heard[1:] == ["price_and_time price=0.06 time=15"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("play nothing", "there is no prompt nothing"),
        ("listen nowhere.wav", "nowhere.wav: No such file"),
        ("record nowhere --language en", "nowhere: no WAV file is there"),
    ],
)
def test_mistakes_are_one_line(ivr: Ivr, words: str, expected: str) -> None:
    assert is_one_line(ivr("prompts", *words.split()), expected)


def test_a_language_that_there_is_not_is_refused(ivr: Ivr) -> None:
    assert ivr("prompts", "script", "fr").status == 2
