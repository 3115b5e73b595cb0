"""`ivr number`: what staff set for one number."""

import typer

from ivr.cli import privileged


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    numbers = typer.Typer(no_args_is_help=True, help="What staff set for one number.")
    app.add_typer(numbers, name="number")

    @numbers.callback()
    def _group() -> None:
        """What staff set for one number."""

    privileged.register(numbers)
