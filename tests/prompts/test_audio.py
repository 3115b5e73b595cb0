import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from prompts.build import build, check, script
from prompts.catalogue import LANGUAGES
from prompts.clips import AUDIO, Clip
from prompts.manifest import Made, findings, hash_of, read_manifest, write_manifest
from prompts.sound import RATE, for_telephone, write_wave

PROCESSING = 7


def clip(clip_id: str, words: str) -> Clip:
    return Clip("en", clip_id, words, spoken_in="en", slow=False, lead_ms=30, tail_ms=30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Audio of two clips, as it was built."""
    manifest = {}
    for one in CLIPS:
        write_wave(tmp_path / one.path, np.zeros(800, np.int16))
        manifest[one.path] = Made(one.words, one.fingerprint(PROCESSING), hash_of(tmp_path / one.path), 0.1)
    write_manifest(tmp_path, manifest)
    return tmp_path


CLIPS = [clip("goodbye", "Goodbye."), clip("money/cents.6", "six cents.")]


def test_the_committed_audio_is_that_of_the_texts() -> None:
    assert check() == []


def test_a_folder_as_it_was_built_has_nothing_out_of_step(folder: Path) -> None:
    assert findings(CLIPS, PROCESSING, folder) == []


def test_a_changed_word_is_found(folder: Path) -> None:
    found = findings([CLIPS[0], clip("money/cents.6", "6 cents.")], PROCESSING, folder)
    assert found == ['en/money/cents.6.wav: was made from other words or settings: "six cents."']


def test_a_change_of_the_processing_is_found_in_every_file(folder: Path) -> None:
    assert len(findings(CLIPS, PROCESSING + 1, folder)) == len(CLIPS)


def test_a_file_that_was_exchanged_is_found(folder: Path) -> None:
    write_wave(folder / CLIPS[0].path, np.ones(800, np.int16))
    assert findings(CLIPS, PROCESSING, folder) == ["en/goodbye.wav: the file is not the one that was made"]


def test_a_missing_file_is_found(folder: Path) -> None:
    (folder / CLIPS[0].path).unlink()
    assert findings(CLIPS, PROCESSING, folder) == ["en/goodbye.wav: missing"]


def test_a_clip_that_was_never_made_is_found(folder: Path) -> None:
    assert findings([*CLIPS, clip("new", "New.")], PROCESSING, folder) == ["en/new.wav: missing"]


def test_a_file_without_a_text_is_found(folder: Path) -> None:
    shutil.copy(folder / CLIPS[0].path, folder / "en/old.wav")
    assert findings(CLIPS, PROCESSING, folder) == ["en/old.wav: no text has it"]


def test_a_manifest_reads_back_as_it_was_written(folder: Path) -> None:
    write_manifest(folder, before := read_manifest(folder))
    assert read_manifest(folder) == before


def test_building_what_is_complete_needs_no_speech_engine(tmp_path: Path) -> None:
    shutil.copytree(AUDIO, tmp_path / "audio")
    assert build(tmp_path / "no-voices", LANGUAGES, tmp_path / "audio") == 0
    assert check(tmp_path / "audio") == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_script_for_a_studio_has_words_for_every_file(language: str) -> None:
    lines = {clip.id: clip.words for clip in script(language)}
    files = {
        path.relative_to(AUDIO / language).with_suffix("").as_posix()
        for path in AUDIO.glob(f"{language}/**/*.wav")
    }
    assert lines.keys() == files
    assert all(words.endswith((".", "?", "!")) for words in lines.values())


def test_every_file_is_what_a_telephone_carries() -> None:
    for path in AUDIO.rglob("*.wav"):
        with wave.open(str(path)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2), path


def test_speech_is_resampled_levelled_and_framed_by_silence() -> None:
    times = np.arange(24_000) / 24_000
    tone = 0.01 * np.sin(2 * np.pi * 1000 * times)
    samples = (
        for_telephone(np.concatenate([np.zeros(12_000), tone, np.zeros(12_000)]), 24_000, 30, 250) / 32768
    )
    assert len(samples) == pytest.approx(RATE * 1.28, abs=RATE * 0.04)
    assert not samples[: RATE * 30 // 1000].any()
    assert not samples[-RATE * 250 // 1000 :].any()
    assert 20 * np.log10(np.sqrt((samples[2000:6000] ** 2).mean())) == pytest.approx(-19, abs=0.5)
    assert np.abs(np.fft.rfft(samples[1000:9000])).argmax() == 1000


def test_loud_moments_stay_below_the_ceiling() -> None:
    speech = np.random.default_rng(1).normal(0, 0.02, 24_000)
    speech[12_000:12_100] *= 40
    assert np.abs(for_telephone(speech, 24_000, 30, 30)).max() <= 32767 * 10 ** (-1.5 / 20) + 1
