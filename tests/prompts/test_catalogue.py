from datetime import date
from pathlib import Path

import pytest

from prompts.catalogue import LANGUAGES, Catalogue, read_entry
from prompts.speak import Kind, PromptError, phrases

CATALOGUE = Catalogue.load()

# A value for each kind of variable, to speak every prompt with.
EXAMPLES = {
    Kind.MONEY: 12_340_000,
    Kind.MINUTES: 15,
    Kind.CALLS_REMAINING: 56,
    Kind.CALLS: 100,
    Kind.DATE: date(2026, 10, 22),
    Kind.FULL_DATE: date(2026, 10, 22),
    Kind.DIGITS: "16175550142",
    Kind.FACILITY: "example-county-jail",
    Kind.RECORDING: Path("/var/spool/names/one"),
}


def test_a_prompt_without_variables_is_one_clip_of_its_own_name() -> None:
    assert CATALOGUE.clips("ending.busy", "es", {}) == ["ending.busy"]


def test_a_prompt_with_variables_is_fixed_words_and_spoken_values_in_turn() -> None:
    told = {"minute": 60_000, "time": 15, "total": 900_000}
    assert CATALOGUE.clips("cost_by_prepaid", "en", told) == [
        "cost_by_prepaid.1",
        "money/cents.6",
        "cost_by_prepaid.2",
        "minutes/15",
        "cost_by_prepaid.3",
        "money/cents.90",
        "cost_by_prepaid.4",
    ]


def test_a_name_that_was_recorded_stands_between_the_words() -> None:
    told = {"name": "/var/spool/names/one", "facility": "example-state-prison"}
    assert CATALOGUE.clips("call_from", "en", told) == [
        "call_from.1",
        "/var/spool/names/one",
        "call_from.2",
        "facility.example-state-prison",
    ]


def test_a_facility_without_a_name_is_spoken_as_a_correctional_facility() -> None:
    assert CATALOGUE.clips("welcome", "es", {"facility": "elsewhere"}) == ["welcome.1", "facility.unnamed"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("prompt_id", CATALOGUE.prompts)
def test_every_prompt_can_be_spoken_with_clips_that_have_words(prompt_id: str, language: str) -> None:
    prompt = CATALOGUE.prompts[prompt_id]
    told = {name: EXAMPLES[kind] for name, kind in prompt.variables.items()}
    fixed = {part.clip_id for one in CATALOGUE.prompts.values() for _, part in one.segments}
    clips = CATALOGUE.clips(prompt_id, language, told)
    assert clips
    assert set(clips) <= fixed | phrases(language).keys() | {"/var/spool/names/one"}


@pytest.mark.parametrize("prompt_id", [p for p in CATALOGUE.prompts if p.startswith(("warning.", "ended."))])
def test_what_asterisk_plays_by_name_is_one_file(prompt_id: str) -> None:
    assert CATALOGUE.prompts[prompt_id].variables == {}


@pytest.mark.parametrize(
    ("prompt_id", "language", "told"),
    [
        ("no_such_prompt", "en", {}),
        ("goodbye", "fr", {}),
        ("goodbye", "en", {"price": 1}),
        ("price_each_minute", "en", {}),
        ("price_each_minute", "en", {"price": 1, "time": 2}),
        ("price_each_minute", "en", {"price": "six cents"}),
        ("call_from", "en", {"name": "relative/path", "facility": "x"}),
        ("last_call", "en", {"until": "2026-10-22"}),
    ],
)
def test_a_prompt_asked_for_wrongly_is_refused(
    prompt_id: str, language: str, told: dict[str, object]
) -> None:
    with pytest.raises(PromptError):
        CATALOGUE.clips(prompt_id, language, told)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"en": "Hello."}, "no words in es"),
        ({"en": "Hello.", "es": "  "}, "no words in es"),
        ({"en": "Hello.", "es": "Hola.", "fr": "Bonjour."}, "unknown"),
        ({"en": "You owe {sum}.", "es": "Debe {sum}."}, "names"),
        ({"variables": {"sum": "money"}, "en": "You owe {sum}.", "es": "Debe."}, "names"),
        ({"variables": {"sum": "money"}, "en": "You owe.", "es": "Debe."}, "names"),
        ({"variables": {"sum": "euros"}, "en": "You owe {sum}.", "es": "Debe {sum}."}, "euros"),
        ({"variables": ["sum"], "en": "You owe {sum}.", "es": "Debe {sum}."}, "a table"),
        ({"spoken_in": {"en": "fr"}, "en": "Hello.", "es": "Hola."}, "spoken in"),
    ],
)
def test_a_text_that_breaks_a_rule_is_refused(entry: dict[str, object], why: str) -> None:
    with pytest.raises(PromptError, match=f"some_prompt: .*{why}"):
        read_entry("some_prompt", entry)


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text('[goodbye]\nen = "Goodbye."\nes = "Hasta luego."\n', "utf-8")
    with pytest.raises(PromptError, match="two entries"):
        Catalogue.load(tmp_path)


def test_a_folder_without_a_word_for_an_unnamed_facility_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match=r"facility\.unnamed"):
        Catalogue.load(tmp_path)


def test_a_sentence_after_a_variable_follows_a_pause() -> None:
    prompt = read_entry(
        "cost",
        {"variables": {"sum": "money"}, "en": "It costs {sum}. It is paid.", "es": "Cuesta {sum} en total."},
    )
    pauses = [(language, part.words, part.after_pause) for language, part in prompt.segments]
    assert pauses == [
        ("en", "It costs", False),
        ("en", "It is paid.", True),
        ("es", "Cuesta", False),
        ("es", "en total.", False),
    ]


def test_the_offer_of_the_other_language_is_spoken_in_that_language() -> None:
    assert CATALOGUE.prompts["accept_menu_language"].spoken_in == {"en": "es", "es": "en"}
