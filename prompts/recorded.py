"""A person's recordings in place of the machine's, file by file."""

import wave
from pathlib import Path

from prompts.catalogue import Catalogue
from prompts.clips import AUDIO, Clip, inventory
from prompts.listen.audio import SILENCE_DBFS, loudness, read_audio
from prompts.manifest import Made, hash_of, read_manifest, write_manifest
from prompts.sound import PROCESSING, RATE, Samples, for_telephone, write_wave

LONGEST_SECONDS = 60
QUIETEST_DBFS = -50.0
_SHOWN = 10


class Unfit(Exception):  # noqa: N818 - what was brought can't be taken
    """Some of the recordings can't be taken, so none was; the message names each with what was expected."""


def take(folder: Path, language: str, audio: Path = AUDIO, catalogue: Catalogue | None = None) -> int:
    """Take every WAV file below a folder as the recording of the clip of its name; how many there were.

    `catalogue` has the words, if not those of all. Raises Unfit, and takes none, where one is not a recording of a
    clip of this language.
    """
    words = catalogue or Catalogue.load()
    clips = {f"{clip.id}.wav": clip for clip in inventory(words) if clip.language == language}
    brought = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*.wav"))}
    if not brought:
        raise Unfit(f"{folder}: no WAV file is there")
    faults = [f"{name}: {fault}" for name, path in brought.items() if (fault := _fault(name, path, clips))]
    if faults:
        more = [f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        raise Unfit("; ".join([*faults[:_SHOWN], *more]))
    manifest = read_manifest(audio)
    for name, path in brought.items():
        clip = clips[name]
        samples = for_telephone(_samples(path), RATE, clip.lead_ms, clip.tail_ms)
        write_wave(audio / clip.path, samples)
        seconds = round(len(samples) / RATE, 2)
        made_from = clip.recorded_fingerprint(PROCESSING)
        manifest[clip.path] = Made(clip.words, made_from, hash_of(audio / clip.path), seconds)
    write_manifest(audio, manifest)
    return len(brought)


def _fault(name: str, path: Path, clips: dict[str, Clip]) -> str:
    if name not in clips:
        return "no clip has this name; `ivr prompts script` prints those there are"
    try:
        with wave.open(str(path)) as file:
            rate, seconds = file.getframerate(), file.getnframes() / file.getframerate()
        samples = _samples(path)
    except (wave.Error, EOFError, ValueError) as error:
        return f"a WAV file of 16-bit samples is expected ({error})"
    if rate < RATE:
        return f"recorded at {rate} Hz; {RATE} or more is expected"
    if seconds > LONGEST_SECONDS:
        return f"{seconds:.0f} s long; {LONGEST_SECONDS} at most"
    if loudness(samples.astype("f4")).max(initial=SILENCE_DBFS) < QUIETEST_DBFS:
        return "nobody speaks in it"
    return ""


def _samples(path: Path) -> Samples:
    return read_audio(path).astype(float)
