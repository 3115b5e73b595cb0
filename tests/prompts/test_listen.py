import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from prompts.catalogue import LANGUAGES, Catalogue
from prompts.listen import Heard, Listener
from prompts.listen.audio import RATE, Samples, read_audio
from tests.prompts.recordings import (
    FOLDERS,
    played,
    silence,
    through_mulaw,
    tone,
    with_noise,
    with_packet_loss,
    write_recording,
)

CATALOGUE = Catalogue.load()

# What a called person might hear: long and short clips, numbers next to each other, and words that occur in several.
CALL = [
    "provider_greeting",
    "call_from.1",
    "call_from.2",
    "facility.example-county-jail",
    "notice_recorded",
    "paid_by_prepaid",
    "cost_by_prepaid.1",
    "money/cents.6",
    "cost_by_prepaid.2",
    "minutes/15",
    "cost_by_prepaid.3",
    "money/cents.90",
    "cost_by_prepaid.4",
    "accept_key.1",
    "connecting",
    "calls_remaining/56",
    "last_call.1",
    "date/day.22",
    "date/month.10",
    "balance.1",
    "money/thousand.1",
    "money/hundred.2",
    "money/dollars.34",
    "money/and_cents.56",
    *(f"digits/{digit}" for digit in "16175550142"),
]


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener(FOLDERS)


def whole(heard: list[Heard], language: str) -> list[str]:
    """The ids that were heard from beginning to end in a language, and a remark where it was another."""
    return [
        one.clip_id if one.language == language else f"{one.clip_id} in {one.language}"
        for one in heard
        if one.whole
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_heard_as_itself_where_packets_are_lost_too(
    listener: Listener, language: str
) -> None:
    """A third of them each with 0, 2 and 5 % of the packets lost."""
    clips = [
        part.clip_id for one in CATALOGUE.prompts.values() for told, part in one.segments if told == language
    ]
    lines = [
        with_packet_loss(through_mulaw(played(language, [clip])), share=(0, 0.02, 0.05)[seed % 3], seed=seed)
        for seed, clip in enumerate(clips)
    ]
    heard = listener.hear(np.concatenate(lines))
    assert len(heard) == len(clips)
    for seed, (one, clip) in enumerate(zip(heard, clips, strict=True)):
        assert clip in {one.clip_id, *one.also}
        assert one.language == language
        assert one.whole or seed % 3  # of those that lost packets some seem cut off


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "line",
    [
        pytest.param(through_mulaw, id="mu-law"),
        pytest.param(lambda sound: through_mulaw(0.3 * sound), id="mu-law, quiet"),
        pytest.param(
            lambda sound: with_packet_loss(through_mulaw(sound), 0.05, seed=4), id="5 % of packets lost"
        ),
        pytest.param(lambda sound: with_noise(sound, -39, seed=2), id="noise 20 dB below the speech"),
    ],
)
def test_a_call_is_heard_clip_by_clip(
    listener: Listener, language: str, line: Callable[[Samples], Samples]
) -> None:
    assert whole(listener.hear(line(played(language, CALL))), language) == CALL


@pytest.mark.parametrize("language", LANGUAGES)
def test_clips_without_a_gap_are_told_apart(listener: Listener, language: str) -> None:
    assert whole(listener.hear(played(language, CALL, gap_s=0)), language) == CALL


def test_the_times_are_those_of_the_speech(listener: Listener) -> None:
    clip = read_audio(FOLDERS["en"] / "goodbye.wav")
    sounding = np.flatnonzero(np.abs(clip) > 0.01) / RATE
    [heard] = listener.hear(np.concatenate([silence(1.234), clip, silence(1)]))
    assert heard.start_s == pytest.approx(1.234 + sounding[0], abs=0.05)
    assert heard.end_s == pytest.approx(1.234 + sounding[-1], abs=0.1)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.85])
def test_an_interrupted_clip_is_heard_in_part_and_the_next_one_whole(
    listener: Listener, language: str, share: float
) -> None:
    menu = read_audio(FOLDERS[language] / "accept_key.1.wav")
    cut = menu[: round(len(menu) * share)]
    heard = listener.hear(np.concatenate([silence(0.5), cut, played(language, ["connecting"])]))
    assert [(one.clip_id, one.whole) for one in heard] == [("accept_key.1", False), ("connecting", True)]
    assert heard[0].score == pytest.approx(share, abs=0.1)
    assert heard[0].end_s == pytest.approx(0.5 + len(cut) / RATE, abs=0.2)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_long_clip_that_is_cut_short_is_named_although_others_follow_at_once(
    listener: Listener, language: str
) -> None:
    before, menu, after = (
        played(language, [clip], gap_s=0) for clip in ("paid_by_prepaid", "accept_key.1", "cost_by_prepaid.1")
    )
    for cut_s in np.arange(2.3, 3.5, 0.1):  # 0.7 s of it are the silence before the words
        told = listener.hear(np.concatenate([before, menu[: int(cut_s * RATE)], after[RATE // 2 :]]))
        assert [one.clip_id for one in told] == ["paid_by_prepaid", "accept_key.1", "cost_by_prepaid.1"]
        assert [one.whole for one in told] == [True, False, True]


def test_a_clip_is_followed_through_a_slip_of_the_jitter_buffer(listener: Listener) -> None:
    sound = played("en", ["accept_key.1"])
    slipped = np.concatenate([sound[:24_000], silence(0.04), sound[24_000:48_000], sound[48_480:]])
    [heard] = listener.hear(slipped)
    assert (heard.clip_id, heard.whole) == ("accept_key.1", True)
    assert heard.score > 0.9


def test_a_clip_is_heard_through_a_tone(listener: Listener) -> None:
    warning = played("en", ["warning.balance"])
    assert whole(listener.hear(warning + tone(440, len(warning) / RATE, level=0.03)), "en") == [
        "warning.balance"
    ]


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(silence(20), id="silence"),
        pytest.param(silence(0), id="nothing"),
        pytest.param(tone(440, 10) + tone(620, 10), id="tones"),
        pytest.param(with_noise(silence(20), -25, seed=9), id="noise"),
    ],
)
def test_nothing_is_heard_where_nothing_was_said(listener: Listener, sound: Samples) -> None:
    assert listener.hear(sound) == []


def test_another_voice_is_not_taken_for_a_prompt(listener: Listener) -> None:
    english_only = Listener({"en": FOLDERS["en"]})
    assert english_only.hear(played("es", CALL)) == []


def test_clips_with_the_same_audio_are_heard_as_one(listener: Listener) -> None:
    [heard] = listener.hear(played("es", ["price_each_minute.1"]))
    assert {heard.clip_id, *heard.also} == {"price_and_time.1", "price_each_minute.1"}


def test_a_listener_for_some_clips_hears_no_others(listener: Listener) -> None:
    some = listener.only(["goodbye", "money/"])
    sound = played("en", ["welcome.1", "money/cents.6", "goodbye", "minutes/15"])
    assert whole(some.hear(sound), "en") == ["money/cents.6", "goodbye"]
    assert listener.only([]).hear(sound) == []


def test_each_channel_of_a_recording_is_heard_by_itself(listener: Listener, tmp_path: Path) -> None:
    sides = [played("en", ["goodbye"]), played("es", ["please_hold"])]
    length = max(map(len, sides))
    path = write_recording(tmp_path / "call.wav", [np.pad(side, (0, length - len(side))) for side in sides])
    assert whole(listener.hear(path, channel=0), "en") == ["goodbye"]
    assert whole(listener.hear(path, channel=1), "es") == ["please_hold"]


def test_a_recording_at_another_rate_is_heard(listener: Listener, tmp_path: Path) -> None:
    sound = played("en", ["accept_key.1", "minutes/21"])
    at_48_khz = np.interp(np.arange(len(sound) * 6) / 6, np.arange(len(sound)), sound).astype(np.float32)
    path = write_recording(tmp_path / "phone.wav", [at_48_khz], rate=48_000)
    assert whole(listener.hear(path), "en") == ["accept_key.1", "minutes/21"]


def test_recordings_without_a_header_are_read(tmp_path: Path) -> None:
    (tmp_path / "name.ulaw").write_bytes(bytes([0xFF, 0x80, 0x00]))
    assert read_audio(tmp_path / "name.ulaw") * 32768 == pytest.approx([0, 32124, -32124])
    (tmp_path / "name.sln").write_bytes(struct.pack("<3h", 0, 16384, -16384))
    assert read_audio(tmp_path / "name.sln") == pytest.approx([0, 0.5, -0.5])


def test_a_wave_file_that_was_never_closed_is_read_to_its_end(tmp_path: Path) -> None:
    path = write_recording(tmp_path / "killed.wav", [tone(440, 1)])
    content = bytearray(path.read_bytes())
    content[40:44] = struct.pack("<I", 0)
    path.write_bytes(content)
    assert len(read_audio(path)) == RATE


def test_a_file_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "broken.wav").write_text("hello")
    for name in ("notes.txt", "broken.wav"):
        with pytest.raises(ValueError, match="not"):
            read_audio(tmp_path / name)
