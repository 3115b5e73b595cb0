"""A person's recordings replace the machine's, file by file, and stay until their words change."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from prompts.build import check
from prompts.catalogue import Catalogue
from prompts.clips import AUDIO, inventory
from prompts.listen import loudness, read_audio
from prompts.manifest import read_manifest, stale
from prompts.recorded import Unfit, take
from prompts.saying import sentence, told
from prompts.sound import PROCESSING, write_wave
from prompts.speak import PromptError

CATALOGUE = Catalogue.load()
SECOND = (8_000 * np.sin(np.arange(8_000) / 8_000 * 2 * np.pi * 440)).astype("<i2")


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    """A copy of all audio."""
    return Path(shutil.copytree(AUDIO, tmp_path / "audio"))


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    """A folder with two recordings, one of them below another folder."""
    folder = tmp_path / "brought"
    for name in ("goodbye", "money/cents.6"):
        write_wave(folder / f"{name}.wav", SECOND)
    return folder


def test_recordings_take_the_machines_place_at_its_level(audio: Path, brought: Path) -> None:
    assert take(brought, "es", audio) == 2
    assert check(audio) == []
    taken = read_audio(audio / "es/goodbye.wav")
    assert loudness(taken).max() == pytest.approx(-19, abs=0.5)
    assert (audio / "en/goodbye.wav").read_bytes() == (AUDIO / "en/goodbye.wav").read_bytes()


def test_a_recording_whose_words_change_is_out_of_date(audio: Path, brought: Path) -> None:
    take(brought, "en", audio)
    [clip] = [each for each in inventory(CATALOGUE) if each.path == "en/goodbye.wav"]
    manifest = read_manifest(audio)
    assert stale(clip, PROCESSING, audio, manifest) == ""
    assert "other words" in stale(replace(clip, words="See you."), PROCESSING, audio, manifest)


@pytest.mark.parametrize(
    ("name", "samples", "expected"),
    [
        ("hello.wav", SECOND, "hello.wav: no clip has this name"),
        ("goodbye.wav", np.zeros(8_000, "<i2"), "goodbye.wav: nobody speaks in it"),
        ("goodbye.wav", np.tile(SECOND, 61), "61 s long; 60 at most"),
        ("goodbye.wav", b"not a sound", "a WAV file of 16-bit samples is expected"),
    ],
    ids=["unknown", "silent", "long", "no sound"],
)
def test_of_a_folder_with_one_that_does_not_fit_none_is_taken(
    audio: Path, brought: Path, name: str, samples: object, expected: str
) -> None:
    if isinstance(samples, bytes):
        (brought / name).write_bytes(samples)
    else:
        write_wave(brought / name, samples)  # type: ignore[arg-type]
    with pytest.raises(Unfit, match=expected):
        take(brought, "en", audio)
    assert (audio / "en/money/cents.6.wav").read_bytes() == (AUDIO / "en/money/cents.6.wav").read_bytes()
    with pytest.raises(Unfit, match="no WAV file is there"):
        take(brought / "nowhere", "en", audio)


def test_a_prompt_is_said_as_its_caller_hears_it() -> None:
    said = told(CATALOGUE, "price_and_time", ["price=0.06", "time=15"])
    assert said == {"price": 60_000, "time": 15}
    clips = CATALOGUE.clips("price_and_time", "en", said)
    lengths = [len(read_audio(AUDIO / "en" / f"{clip}.wav")) for clip in clips]
    assert len(sentence([AUDIO / "en" / f"{clip}.wav" for clip in clips])) == sum(lengths)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("nothing", "there is no prompt nothing"),
        ("price_and_time", "has the variables price, time"),
        ("price_and_time price=much time=15", "price=much: dollars, such as 4.10 expected"),
        ("price_and_time price=1 time=x", "time=x: whole minutes expected"),
    ],
)
def test_what_can_not_be_said_is_told_with_what_was_expected(words: str, expected: str) -> None:
    prompt_id, *values = words.split()
    with pytest.raises(PromptError, match=expected):
        told(CATALOGUE, prompt_id, values)
