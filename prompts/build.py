"""Make the audio of all prompts: only what is missing or was made from other words.

`check` and `script` need no speech engine.
"""

from collections.abc import Iterator
from pathlib import Path

from rich.progress import track

from prompts.catalogue import Catalogue
from prompts.clips import AUDIO, Clip, inventory
from prompts.engines import RATE, Speak, speaker
from prompts.manifest import Made, findings, hash_of, read_manifest, stale, write_manifest
from prompts.own import Own
from prompts.sound import PROCESSING, for_telephone, write_wave
from prompts.sound import RATE as TELEPHONE_RATE
from prompts.speak import PromptError

_SAVE_EVERY = 50


def check(audio: Path = AUDIO) -> list[str]:
    """Everything in which texts, variables, languages, files and hashes disagree; empty when nothing does."""
    try:
        return findings(inventory(Catalogue.load()), PROCESSING, audio)
    except PromptError as error:
        return [str(error)]


def check_own(folder: Path) -> list[str]:
    """The same of what a facility has of its own."""
    try:
        return Own.read(folder, Catalogue.load()).faults()
    except PromptError as error:
        return [str(error)]


def script(language: str, of: Path | None = None) -> Iterator[Clip]:
    """The clips of a language, as a person would read them in a studio; in the words of the facility of this folder."""
    return (clip for clip in inventory(catalogue_of(of)) if clip.language == language)


def catalogue_of(folder: Path | None) -> Catalogue:
    """All texts, in the words of the facility whose folder it is. Raises PromptError for words that break a rule."""
    return Own.read(folder, Catalogue.load()).words if folder else Catalogue.load()


def build(voices: Path, languages: tuple[str, ...], audio: Path = AUDIO, *, of: Path | None = None) -> int:
    """Make what is missing or stale of some languages, remove what no text has, and tell how many were made.

    `voices` is the folder of kokoro-js's voice vectors. A build that is stopped goes on where it was. With `of` only
    what the facility of this folder words otherwise, into it.
    Raises EngineError when a speech engine that is needed is not there, PromptError for a wrong text.
    """
    audio = of or audio
    audio.mkdir(parents=True, exist_ok=True)
    own = Own.read(of, Catalogue.load()) if of else None
    clips = list(own.inventory) if own else inventory(Catalogue.load())
    manifest = _without_strays(read_manifest(audio), clips, audio)
    wanted = own.clips if own else clips
    waiting = [
        clip for clip in wanted if clip.spoken_in in languages and stale(clip, PROCESSING, audio, manifest)
    ]
    speakers = {language: speaker(language, voices) for language in {clip.spoken_in for clip in waiting}}
    for number, clip in enumerate(track(waiting, "Speaking"), 1):
        manifest[clip.path] = _make(clip, speakers[clip.spoken_in], audio)
        if number % _SAVE_EVERY == 0:
            write_manifest(audio, manifest)
    write_manifest(audio, manifest)
    return len(waiting)


def _make(clip: Clip, speak: Speak, audio: Path) -> Made:
    samples = for_telephone(speak(clip), RATE, clip.lead_ms, clip.tail_ms)
    path = audio / clip.path
    write_wave(path, samples)
    seconds = round(len(samples) / TELEPHONE_RATE, 2)
    return Made(clip.words, clip.fingerprint(PROCESSING), hash_of(path), seconds)


def _without_strays(manifest: dict[str, Made], clips: list[Clip], audio: Path) -> dict[str, Made]:
    """Remove the files that were made here and that no text has any more, and their entries."""
    wanted = {clip.path for clip in clips}
    for name in set(manifest) - wanted:
        (audio / name).unlink(missing_ok=True)
    return {name: made for name, made in manifest.items() if name in wanted}
