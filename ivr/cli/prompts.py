"""`ivr prompts`: the verbs of the prompts, which need no database."""

import typer

from prompts.verbs import app as verbs


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.add_typer(verbs, name="prompts")
