"""A recogniser's mistakes are counted in words, whatever form it writes numbers in, and it hears every form of them."""

from pathlib import Path

import numpy as np
import pytest

from prompts.catalogue import Catalogue
from prompts.intelligibility import (
    RECOGNISER_RATE,
    SAMPLES,
    Said,
    distance,
    for_recogniser,
    measured,
    plain,
    rate,
    sentences,
    table,
)
from prompts.speak import Kind


@pytest.mark.parametrize(
    ("language", "said", "written"),
    [
        ("en", "six cents.", "$0.06"),
        ("en", "twelve dollars.", "$12.00"),
        ("en", "one dollar and one cent", "$1.01."),
        ("en", "You have twenty-one calls remaining.", "You have 21 calls remaining"),
        ("en", "the third day of March", "the 3rd day of March"),
        ("en", "two one seven five five five", "217555"),
        ("es", "Le queda una llamada.", "Le queda 1 llamada"),
        ("es", "veintiún dólares con seis centavos.", "$21.06"),
        ("es", "Para español, oprima el 8.", "para español oprima el ocho"),
        ("es", "Después, dígalo.", "despues digalo"),
    ],
)
def test_the_same_words_in_figures_are_no_mistake(language: str, said: str, written: str) -> None:
    assert plain(said, language) == plain(written, language)


def test_words_put_in_left_out_and_taken_for_others_are_counted() -> None:
    assert distance(["press", "one", "to", "accept"], ["press", "one", "to", "accept"]) == 0
    assert distance(["press", "one", "to", "accept"], ["press", "to", "except"]) == 2
    assert distance([], ["a"]) == distance(["a"], []) == 1


def test_every_sample_is_said_by_some_prompt_and_every_prompt_is_said() -> None:
    catalogue = Catalogue.load()
    said = list(sentences(catalogue))
    for kind, samples in SAMPLES.items():
        told = {
            value
            for prompt_id, values in said
            for name, value in values.items()
            if catalogue.prompts[prompt_id].variables[name] is kind
        }
        assert set(samples) <= told, kind
    named = {prompt_id for prompt_id, _ in said}
    recorded = {each.id for each in catalogue.prompts.values() if Kind.RECORDING in each.variables.values()}
    left_out = set(catalogue.prompts) - named - recorded
    assert all(each.startswith("facility.") for each in left_out)


def test_a_line_keeps_the_sound_and_doubles_its_rate() -> None:
    tone = (8_000 * np.sin(np.arange(8_000) / 8_000 * 2 * np.pi * 440)).astype("<i2")
    heard = for_recogniser(tone)
    assert len(heard) == RECOGNISER_RATE
    assert np.corrcoef(heard[::2], tone)[0, 1] > 0.999


def test_the_table_counts_each_language_and_shows_the_worst() -> None:
    said = [
        Said("en", "goodbye", "Goodbye.", "Goodbye.", 1, 0),
        Said("en", "please_hold", "Please hold.", "Please fold.", 2, 1),
        Said("es", "goodbye", "Hasta luego.", "Hasta luego.", 2, 0),
    ]
    lines = list(table(said))
    assert "| en | 2 | 3 | 1 | 33.33% | 1% |" in lines
    assert lines[-1] == "| en/please_hold | Please hold. | Please fold. |"
    assert rate(said) == pytest.approx(0.2)


def test_a_recogniser_hears_every_sentence(tmp_path: Path) -> None:
    heard: list[int] = []

    def understand(samples: np.ndarray[tuple[int], np.dtype[np.float32]], language: str) -> str:
        heard.append(len(samples))
        return "" if language == "es" else "goodbye"

    said = list(measured(understand, "es"))
    assert len(said) == len(heard) == len(list(sentences(Catalogue.load())))
    assert min(heard) > RECOGNISER_RATE // 4
    assert rate([each for each in said if each.understood == ""]) == 1
