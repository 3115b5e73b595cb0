"""Seconds of speech that nobody who knows the keys can cut short, in the common call, in each language."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from accounts.db import Database
from prompts.clips import AUDIO
from prompts.manifest import read_manifest
from tests.transcripts.play import ScriptedLine, World

SPOKEN = {path: made.seconds for path, made in read_manifest(AUDIO).items()}
MOST_UNTIL_IT_RINGS = 12.0
MOST_UNTIL_THEY_TALK = 4.0
NOTICE = "notice_recorded"
KEYS = {"en": "1", "es": "2"}


@pytest.mark.parametrize("language", KEYS)
def test_who_knows_the_keys_soon_rings_and_soon_talks(
    database: Database, tmp_path: Path, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[tuple[ScriptedLine, str]] = []
    play = ScriptedLine.playback

    async def playback(line: ScriptedLine, files: Sequence[str]) -> None:
        played.extend((line, file) for file in files if not file.startswith("/"))
        await play(line, files)

    monkeypatch.setattr(ScriptedLine, "playback", playback)
    keyed = f"""accept_menu_language
        provider_greeting
        > {"8" if language == "es" else "silence"}""" + ("\n        provider_greeting" * (language == "es"))
    World(database, tmp_path).plays(f"""
    inmate:
        welcome facility=example-county-jail
        choose_language
        choose_language
        > {KEYS[language]}
        enter_id_and_pin
        > 10012468
        enter_number
        > 1
        covered_by_subscription time=15
        call_recorded
        please_hold
    called party:
        {keyed}
        call_from facility=example-county-jail
        notice_recorded
        paid_by_subscription
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 1
        calls_remaining calls=56
        connecting
    talks 83 s
    inmate:
        ending.completed
        another_call
        > silence
        goodbye
    record:
        completed subscription 83 s 1 call
    """)
    inmate, family, _ = dict.fromkeys(id(line) for line, _ in played)
    until_it_rings = seconds([file for line, file in played if id(line) == inmate])
    of_family = [file for line, file in played if id(line) == family]
    notice = next(place for place, file in enumerate(of_family) if file.endswith(f"/{NOTICE}"))
    until_they_talk = seconds(of_family[notice + 1 :])
    print(f"{language}: rings after {until_it_rings:.1f} s, talks {until_they_talk:.1f} s after the notices")
    assert 0 < until_it_rings <= MOST_UNTIL_IT_RINGS
    assert 0 < until_they_talk <= MOST_UNTIL_THEY_TALK


def seconds(files: Sequence[str]) -> float:
    """How long these files of Asterisk are, one after the other."""
    return sum(SPOKEN[file.replace("/ivr/", "/", 1) + ".wav"] for file in files)
