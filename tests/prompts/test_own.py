"""A facility's own words and recordings are heard in place of those of all, where they are there and right."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ivr.call import Call
from prompts import build as building
from prompts.build import catalogue_of
from prompts.catalogue import Catalogue
from prompts.clips import AUDIO, Clip
from prompts.manifest import read_manifest
from prompts.own import WORDS, Own, Voices
from prompts.recorded import take
from prompts.sound import Samples
from prompts.speak import PromptError
from prompts.verbs import app
from tests.fakes.loop import in_loop
from tests.transcripts.play import ScriptedLine

COMMON = Catalogue.load()
WORDED = """
[terms.en]
"an incarcerated individual" = "a resident"

["facility.riverside"]
en = "Riverside Jail"
es = "la Cárcel de Riverside"
"""
FROM = {"name": "/names/1", "facility": "riverside"}
COMMON_CALL = ["en/ivr/call_from.1", "/names/1", "en/ivr/call_from.2", "en/ivr/facility.unnamed"]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The folder of a facility with words of its own, and no audio of them yet."""
    folder = tmp_path / "prompts" / "riverside"
    folder.mkdir(parents=True)
    (folder / WORDS).write_text(WORDED, "utf-8")
    return folder


def bring(own: Path, language: str, *names: str) -> None:
    """Somebody records these clips; of what the sound is matters nothing here."""
    brought = own.parent.parent / "brought"
    brought.mkdir()
    for name in names:
        shutil.copy(AUDIO / language / "goodbye.wav", brought / f"{name}.wav")
    assert take(brought, language, own, catalogue_of(own)) == len(names)
    shutil.rmtree(brought)


def call_from(own: Path) -> list[str]:
    return Own.read(own, COMMON).voice().files("call_from", "en", FROM)


def test_words_without_audio_are_not_heard_and_are_named(own: Path) -> None:
    assert {clip.path: clip.words for clip in Own.read(own, COMMON).clips} == {
        "en/call_from.2.wav": "a resident at.",
        "en/passive_notice.wav": "This is a free call from a resident. It is not recorded.",
        "en/facility.riverside.wav": "Riverside Jail.",
        "es/facility.riverside.wav": "la Cárcel de Riverside.",
    }
    assert call_from(own) == COMMON_CALL
    assert Own.read(own, COMMON).faults()[0] == "en/call_from.2.wav: missing"
    assert len(Own.read(own, COMMON).faults()) == 4


def test_own_words_and_recordings_are_heard_once_their_audio_is_there(own: Path) -> None:
    bring(own, "en", "call_from.2", "facility.riverside", "goodbye")
    assert call_from(own) == [
        "en/ivr/call_from.1",
        "/names/1",
        f"{own}/en/call_from.2",
        "en/ivr/facility.unnamed",  # since its name is missing in Spanish, it has none
    ]
    bring(own, "es", "facility.riverside")
    assert call_from(own)[2:] == [f"{own}/en/call_from.2", f"{own}/en/facility.riverside"]
    spanish = Own.read(own, COMMON).voice().files("call_from", "es", FROM)
    assert spanish[2:] == ["es/ivr/call_from.2", f"{own}/es/facility.riverside"]
    assert Own.read(own, COMMON).voice().files("goodbye", "en", {}) == [f"{own}/en/goodbye"]
    assert Own.read(own, COMMON).faults() == ["en/passive_notice.wav: missing"]


def test_a_file_that_is_gone_or_changed_or_says_other_words_is_not_heard(own: Path) -> None:
    bring(own, "en", "call_from.2", "goodbye")
    voice = Own.read(own, COMMON).voice()
    (own / "en/goodbye.wav").unlink()
    assert voice.files("goodbye", "en", {}) == ["en/ivr/goodbye"]
    (own / "en/call_from.2.wav").write_bytes(b"RIFF")
    assert call_from(own) == COMMON_CALL
    assert "en/call_from.2.wav: the file is not the one that was made" in Own.read(own, COMMON).faults()
    bring(own, "en", "call_from.2")
    (own / WORDS).write_text(WORDED.replace("a resident", "a patient"), "utf-8")
    assert call_from(own) == COMMON_CALL
    assert any("was made from other words" in line for line in Own.read(own, COMMON).faults())


@in_loop
async def test_each_facility_speaks_as_it_wants_and_all_others_as_all_do(own: Path) -> None:
    bring(own, "en", "goodbye")
    broken = own.with_name("broken")
    broken.mkdir()
    (broken / WORDS).write_text("[terms", "utf-8")
    voices = Voices.load(own.parent)
    broken_is, riverside_is = voices.faults
    assert broken_is.startswith(f"broken: {broken / WORDS}: ")
    assert riverside_is == "riverside: en/call_from.2.wav: missing, and 3 more: `ivr prompts check --own`"
    played: list[str] = []

    class Line(ScriptedLine):
        def _play(self, files: object) -> None:
            played.extend(files)  # type: ignore[arg-type]

    for facility_id in ("riverside", "broken", "elsewhere"):
        call = Call(Line(keys=[]), voices)  # type: ignore[arg-type]
        call.speak_for(facility_id)
        await call.say("goodbye")
    assert played == [f"{own}/en/goodbye", "en/ivr/goodbye", "en/ivr/goodbye"]


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ('[terms]\nen = "x"', "a table for each language is expected, such as [terms.en]"),
        ('[terms.fr]\n"x" = "y"', "terms.fr: one of en, es is expected"),
        ('[terms.en]\n"incarcerated individual" = 5', '"incarcerated individual": the words in its place'),
        ('[terms.en]\n"incarcerated person" = "resident"', 'terms.en: no text says "incarcerated person"'),
        ('[hello]\nen = "a"\nes = "b"', "hello: there is no such text, and it is no facility's name"),
        ('[goodbye]\nen = "Bye."', "goodbye: no words in es"),
        ('[call_from]\nen = "From {name}."\nes = "De {name}."', "call_from: its text names ['name']"),
        ("goodbye = 3", "goodbye: a table with a text for each language is expected"),
        ("\x00", "words.toml"),
    ],
)
def test_words_that_break_a_rule_are_named_with_what_was_expected(own: Path, words: str, fault: str) -> None:
    (own / WORDS).write_text(words, "utf-8")
    with pytest.raises(PromptError) as raised:
        Own.read(own, COMMON).voice()
    assert fault in str(raised.value)
    assert "words.toml" in str(raised.value)
    told = CliRunner().invoke(app, ["check", "--own", str(own)])
    assert (told.exit_code, told.output.strip()) == (1, str(raised.value))


@pytest.mark.parametrize("held", ["[", '["a"]', '{"en/goodbye.wav": {"words": "Bye."}}'])
def test_a_manifest_of_other_form_keeps_nobody_from_speaking(own: Path, held: str) -> None:
    (own / "manifest.json").write_text(held, "utf-8")
    voices = Voices.load(own.parent)
    assert voices.of("riverside") is voices.common
    [fault] = voices.faults
    assert fault.startswith(f"riverside: {own / 'manifest.json'}: not as `ivr prompts` writes it")


def test_words_that_can_not_be_read_keep_nobody_from_speaking(own: Path) -> None:
    (own / WORDS).unlink()
    (own / WORDS).mkdir()
    voices = Voices.load(own.parent)
    assert voices.of("riverside") is voices.common
    [fault] = voices.faults
    assert fault.startswith(f"riverside: {own / WORDS}: Is a directory")


def test_a_build_takes_away_what_it_made_and_no_text_has_and_nothing_else(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(own, "en", "goodbye", "facility.riverside")
    kept = own / "studio" / "goodbye.wav"
    kept.parent.mkdir()
    shutil.copy(AUDIO / "en" / "goodbye.wav", kept)
    (own / WORDS).write_text('[terms.en]\n"an incarcerated individual" = "a resident"\n', "utf-8")

    def speaker(_language: str, _voices: Path) -> Callable[[Clip], Samples]:
        return lambda clip: np.sin(np.arange(2_400 * len(clip.words.split())) / 8.0)

    monkeypatch.setattr(building, "speaker", speaker)
    assert building.build(own, ("en", "es"), of=own) == 2
    assert kept.exists()
    assert not (own / "en" / "facility.riverside.wav").exists()
    assert set(read_manifest(own)) == {
        "en/call_from.2.wav",
        "en/goodbye.wav",
        "en/passive_notice.wav",
    }
    assert "studio/goodbye.wav: no text has it" in Own.read(own, COMMON).faults()
    assert building.build(own, ("en", "es"), of=own) == 0


def test_a_term_keeps_its_capital_and_leaves_variables_and_longer_words_alone(own: Path) -> None:
    (own / WORDS).write_text('[terms.en]\nyou = "thee"\nname = "title"\n', "utf-8")
    words = catalogue_of(own).prompts
    assert words["call_from"].text["en"].startswith("Thee have a call from {name},")
    assert words["call_recorded"].text["en"] == COMMON.prompts["call_recorded"].text["en"]  # "Your"
    assert words["call_from"].text["es"] == COMMON.prompts["call_from"].text["es"]


def test_the_verbs_make_a_facilitys_own_voice(own: Path, tmp_path: Path) -> None:
    def ivr(*words: object) -> str:
        told = CliRunner().invoke(app, [*map(str, words), "--own", str(own)])
        assert told.exit_code in (0, 1), told.output
        return told.output

    assert "\ta resident at.\n" in ivr("script", "en")
    brought = tmp_path / "studio"
    brought.mkdir()
    shutil.copy(AUDIO / "en" / "goodbye.wav", brought / "passive_notice.wav")
    assert ivr("record", brought, "--language", "en") == "1 taken\n"
    assert ivr("play", "passive_notice") == "This is a free call from a resident. It is not recorded.\n"
    assert ivr("play", "provider_greeting") == "Hello. This is the Example Telephone Service.\n"
    assert "en/call_from.2.wav: missing" in ivr("check")
