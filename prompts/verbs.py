"""`ivr prompts`: make, check, record, play and recognise what callers hear."""

import csv
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.progress import track

from prompts import build as building
from prompts import intelligibility, recorded
from prompts.catalogue import LANGUAGES, Catalogue
from prompts.clips import AUDIO
from prompts.engines import EngineError
from prompts.listen import Listener, read_audio, transcript
from prompts.manifest import read_manifest
from prompts.own import Own, Voice
from prompts.saying import sentence, told
from prompts.sound import RATE, write_wave
from prompts.speak import PromptError

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="What callers hear: the texts and their audio."
)
LanguageOption = Annotated[str, typer.Option("--language", help="en or es")]
Chosen = Annotated[str, typer.Argument(metavar="LANGUAGE", help="en or es")]
OwnFolder = Annotated[
    Path | None,
    typer.Option("--own", metavar="DIR", help="a facility's own folder: its words.toml and recordings"),
]


@app.command()
def build(
    voices: Annotated[Path, typer.Option(help="the folder `voices` of the npm package kokoro-js")],
    language: Annotated[str, typer.Option(help="only the clips spoken in this language")] = "",
    own: OwnFolder = None,
) -> None:
    """Make the audio that is missing or was made from other words.

    What a person has recorded stays, unless its words have changed. prompts/audio/LICENSES.md says what has to be
    installed.
    """
    try:
        made = building.build(voices, (_language(language),) if language else LANGUAGES, of=own)
    except (EngineError, PromptError) as error:
        _refuse(str(error))
    typer.echo(f"{made} made")


@app.command()
def check(own: OwnFolder = None) -> None:
    """Say where texts and audio differ; needs no speech engine. Exit status 1 where they do."""
    found = building.check_own(own) if own else building.check()
    typer.echo("\n".join(found) or "texts and audio agree")
    raise typer.Exit(bool(found))


@app.command()
def script(
    language: Chosen,
    *,
    as_csv: Annotated[bool, typer.Option("--csv", help="for a spreadsheet")] = False,
    own: OwnFolder = None,
) -> None:
    """Print every clip of a language with its file and words, for a person to record.

    One WAV file for each, by the name that stands here, in one quiet room and one mood; then `ivr prompts record`.
    """
    spoken = read_manifest(AUDIO)
    lines = csv.writer(sys.stdout, delimiter="," if as_csv else "\t", lineterminator="\n")
    if as_csv:
        lines.writerow(("file", "seconds", "words"))
    try:
        clips = list(building.script(_language(language), own))
    except PromptError as error:
        _refuse(str(error))
    for clip in clips:
        seconds = f"{spoken[clip.path].seconds:.1f}" if clip.path in spoken else ""
        lines.writerow((f"{clip.id}.wav", seconds, clip.words))


@app.command()
def record(
    folder: Annotated[Path, typer.Argument(help="holds the files by the names that `script` prints")],
    language: LanguageOption,
    own: OwnFolder = None,
) -> None:
    """Take a person's recordings in place of the machine's, file by file: all of a folder, or none.

    WAV at 8 kHz or more. They are trimmed and levelled as the others are. A recording stays until its words change.
    """
    try:
        taken = recorded.take(folder, _language(language), own or AUDIO, building.catalogue_of(own))
    except (recorded.Unfit, PromptError) as unfit:
        _refuse(str(unfit))
    differs = building.check_own(own) if own else building.check()
    typer.echo(f"{taken} taken" if differs else f"{taken} recordings taken; texts and audio agree")


@app.command()
def play(
    prompt: Annotated[str, typer.Argument(help="such as price_and_time")],
    values: Annotated[
        list[str] | None, typer.Argument(help="its variables, such as price=0.06 time=15", show_default=False)
    ] = None,
    *,
    language: LanguageOption = "en",
    output: Annotated[
        Path | None, typer.Option("--output", help="a WAV file to write; without it the words are printed")
    ] = None,
    own: OwnFolder = None,
) -> None:
    """Tell what a prompt says, with its variables, and write its sound as a caller hears it."""
    try:
        voice = Own.read(own, Catalogue.load()).voice() if own else Voice(Catalogue.load())
        said = told(voice.catalogue, prompt, values or [])
        sounds = voice.sounds(prompt, _language(language), said)
    except PromptError as error:
        _refuse(str(error))
    words = {folder: read_manifest(folder) for folder, _ in sounds}
    typer.echo(" ".join(words[folder][path].words for folder, path in sounds))
    if output is not None:
        write_wave(output, sentence([folder / path for folder, path in sounds]))


@app.command()
def listen(
    recording: Annotated[Path, typer.Argument(help="what a telephone heard: .wav, .ulaw or .sln")],
    *,
    channel: Annotated[
        int | None, typer.Option("--channel", min=0, help="one channel; else all, mixed")
    ] = None,
) -> None:
    """Name the prompts that a recording holds, in order, by their waveform; what was cut off is marked."""
    try:
        samples = read_audio(recording, channel)
    except (OSError, ValueError, IndexError) as error:
        _refuse(f"{recording}: {getattr(error, 'strerror', None) or error}")
    heard = Listener({language: AUDIO / language for language in LANGUAGES}).hear(samples)
    typer.echo(f"{len(samples) / RATE:.1f} s")
    for line in transcript(heard, Catalogue.load()):
        typer.echo(line)


@app.command()
def measure(
    model: Annotated[Path, typer.Option(help="a folder with a Whisper model as faster-whisper reads it")],
    *,
    language: Annotated[str, typer.Option(help="only this language")] = "",
    report: Annotated[Path | None, typer.Option(help="a Markdown file for the figures")] = None,
) -> None:
    """Have a recogniser listen to every sentence at telephone quality, and count the words that it mistakes.

    Needs faster-whisper (`make intelligibility` brings it). Exit status 1 where a language has more than it may.
    """
    try:
        understand = intelligibility.recogniser(model)
    except (ModuleNotFoundError, RuntimeError, ValueError) as error:
        _refuse(f"no recogniser: {error}")
    languages = (_language(language),) if language else LANGUAGES
    total = len(list(intelligibility.sentences(Catalogue.load())))
    said = {
        each: list(track(intelligibility.measured(understand, each), f"Listening ({each})", total=total))
        for each in languages
    }
    lines = list(intelligibility.table([one for each in languages for one in said[each]]))
    typer.echo("\n".join(lines))
    if report is not None:
        report.write_text("\n".join([*intelligibility.HEADING, *lines]) + "\n", "utf-8")
    raise typer.Exit(
        any(intelligibility.rate(said[each]) > intelligibility.MOST_ERRORS[each] for each in languages)
    )


def _language(given: str) -> str:
    if given not in LANGUAGES:
        raise typer.BadParameter(f"{given} is none of {', '.join(LANGUAGES)}")
    return given


def _refuse(why: str) -> NoReturn:
    typer.echo(f"ivr: {why}", err=True)
    raise typer.Exit(1)
