"""`python -m prompts build|check|script`: make the audio, check it, print what a studio would record."""

from pathlib import Path
from typing import Annotated

import typer

from prompts import build as building
from prompts.catalogue import LANGUAGES
from prompts.engines import EngineError

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="The prompts: their texts and their audio."
)


@app.command()
def build(
    voices: Annotated[Path, typer.Option(help="The folder `voices` of the npm package kokoro-js.")],
    language: Annotated[str, typer.Option(help="Only the clips spoken in this language.")] = "",
) -> None:
    """Make the audio that is missing or was made from other words."""
    try:
        made = building.build(voices, (language,) if language else LANGUAGES)
    except EngineError as error:
        raise SystemExit(str(error)) from error
    typer.echo(f"{made} made")


@app.command()
def check() -> None:
    """Say where texts and audio differ; needs no speech engine."""
    found = building.check()
    typer.echo("\n".join(found) or "texts and audio agree")
    raise SystemExit(bool(found))


@app.command()
def script(language: str) -> None:
    """Print every clip of a language with its words, for a person to record."""
    for clip_id, words in building.script(language):
        typer.echo(f"{clip_id}\t{words}")


app()
