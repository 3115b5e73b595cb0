from datetime import date

import pytest

from prompts.catalogue import LANGUAGES, Catalogue
from prompts.listen import Heard, Listener, transcript
from tests.prompts.recordings import FOLDERS, played, through_mulaw

CATALOGUE = Catalogue.load()


def heard(*clips: str, language: str = "en", last_whole: bool = True) -> list[Heard]:
    return [
        Heard(clip, language, float(place), place + 0.9, 1.0, whole=last_whole or place < len(clips) - 1)
        for place, clip in enumerate(clips)
    ]


def spoken(prompt_id: str, told: dict[str, object], language: str = "en") -> list[Heard]:
    clips = CATALOGUE.clips(prompt_id, language, told)
    return heard(*(clip for clip in clips if not clip.startswith("/")), language=language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("prompt_id", "told", "line"),
    [
        ("goodbye", {}, "goodbye"),
        ("price_and_time", {"price": 60_000, "time": 15}, "price_and_time price=0.06 time=15"),
        ("calls_remaining", {"calls": 56}, "calls_remaining calls=56"),
        ("balance", {"balance": 1_201_050_000}, "balance balance=1201.05"),
        ("balance", {"balance": 101_000_000}, "balance balance=101.00"),
        ("balance", {"balance": 0}, "balance balance=0.00"),
        ("free_call", {"time": 185}, "free_call time=185"),
        ("last_call", {"until": date(2026, 3, 1)}, "last_call until=03-01"),
        ("call_from", {"name": "/names/1", "facility": "elsewhere"}, "call_from facility=unnamed"),
        ("welcome", {"facility": "example-state-prison"}, "welcome facility=example-state-prison"),
    ],
)
def test_the_clips_of_a_prompt_are_folded_back(
    prompt_id: str, told: dict[str, object], line: str, language: str
) -> None:
    assert transcript(spoken(prompt_id, told, language), CATALOGUE) == [line]


def test_prompts_that_follow_each_other_are_told_apart() -> None:
    told = [
        *spoken("price_each_minute", {"price": 50_000}),
        *spoken("free_call", {"time": 15}),
        *spoken("goodbye", {}, "es"),
    ]
    assert transcript(told, CATALOGUE) == ["price_each_minute price=0.05", "free_call time=15", "goodbye"]


def test_a_prompt_that_was_cut_off_is_marked() -> None:
    assert transcript(heard("accept_key.1", last_whole=False), CATALOGUE) == ["accept_key.1 (interrupted)"]
    clips = heard("cost_by_prepaid.1", "money/cents.6", "cost_by_prepaid.2", last_whole=False)
    assert transcript([*clips, *heard("goodbye")], CATALOGUE) == [
        "cost_by_prepaid minute=0.06 (interrupted)",
        "goodbye",
    ]


def test_a_clip_that_belongs_to_no_prompt_stands_for_itself() -> None:
    assert transcript(heard("money/cents.6", "goodbye"), CATALOGUE) == ["money/cents.6", "goodbye"]


def test_clips_with_the_same_audio_are_any_of_their_prompts() -> None:
    start = Heard("price_and_time.1", "en", 0, 1, 1.0, whole=True, also=("price_each_minute.1",))
    assert transcript([start, *heard("money/cents.6")], CATALOGUE) == ["price_each_minute price=0.06"]
    assert transcript([start, *heard("money/cents.6", "price_and_time.2", "minutes/9")], CATALOGUE) == [
        "price_and_time price=0.06 time=9"
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_recording_is_written_down_as_prompts(language: str) -> None:
    asked: list[tuple[str, dict[str, object]]] = [
        ("welcome", {"facility": "example-county-jail"}),
        ("price_and_time", {"price": 60_000, "time": 20}),
        ("please_hold", {}),
        ("calls_remaining", {"calls": 31}),
        ("ending.funds_too_low", {"needed": 250_000}),
    ]
    clips = [clip for prompt_id, told in asked for clip in CATALOGUE.clips(prompt_id, language, told)]
    sound = through_mulaw(played(language, clips))
    assert transcript(Listener(FOLDERS).hear(sound), CATALOGUE) == [
        "welcome facility=example-county-jail",
        "price_and_time price=0.06 time=20",
        "please_hold",
        "calls_remaining calls=31",
        "ending.funds_too_low needed=0.25",
    ]
