from pathlib import Path

import numpy as np
import pytest

from prompts.listen import STEP_S, loudness, tone_share, tone_steps
from tests.prompts.recordings import played, silence, through_mulaw, tone, with_noise, write_recording


def test_the_loudness_of_every_twentieth_of_a_second_is_told() -> None:
    levels = loudness(np.concatenate([silence(1), tone(440, 1, level=0.1), silence(0.5)]))
    assert len(levels) == 2.5 / STEP_S
    assert levels[:20] == pytest.approx(-100)
    assert levels[20:40] == pytest.approx(-23, abs=0.2)
    assert levels[40:] == pytest.approx(-100)


def test_a_tone_is_found_where_it_sounds_and_no_other() -> None:
    sound = through_mulaw(np.concatenate([silence(1), tone(440, 2), tone(660, 1)]))
    assert tone_share(sound, 440) == pytest.approx(0.5, abs=0.02)
    assert tone_share(sound, 660) == pytest.approx(0.25, abs=0.02)
    assert tone_share(sound, 550) == 0
    assert tone_steps(sound, 440).tolist() == [False] * 20 + [True] * 40 + [False] * 20


def test_two_tones_at_once_are_both_found() -> None:
    sound = tone(440, 2) + tone(700, 2)
    assert (tone_share(sound, 440), tone_share(sound, 700)) == (1, 1)


def test_neither_speech_nor_noise_is_taken_for_a_tone() -> None:
    assert tone_share(played("en", ["accept_key.1"]), 1000) < 0.05
    assert tone_share(with_noise(silence(5), -30, seed=1), 1000) < 0.05


def test_a_channel_is_measured_by_itself(tmp_path: Path) -> None:
    path = write_recording(tmp_path / "call.wav", [tone(440, 1), silence(1)])
    assert (tone_share(path, 440, channel=0), tone_share(path, 440, channel=1)) == (1, 0)
    assert loudness(path, channel=1).max() == -100


def test_a_recording_without_sound_has_no_loudness_and_no_tone() -> None:
    assert loudness(silence(0)).tolist() == []
    assert tone_share(silence(0), 440) == 0
