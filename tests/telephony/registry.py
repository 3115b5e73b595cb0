"""The stories, and the people of each: a story is a function, its name is its sentence."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.telephony.cast import Cast, Role
from tests.telephony.faults import Theatre
from tests.telephony.scene import Scene

Plot = Callable[[Scene], None]


@dataclass(frozen=True, slots=True)
class Story:
    name: str
    plot: Plot
    role: Role


STORIES: dict[str, Story] = {}


def story(**cast: Any) -> Callable[[Plot], Plot]:
    """Register a story with its cast; those registered first begin first."""

    def register(plot: Plot) -> Plot:
        assert plot.__name__ not in STORIES, plot.__name__
        role = Role(Cast(**cast), len(STORIES) + 1)
        STORIES[plot.__name__] = Story(plot.__name__, plot, role)
        return plot

    return register


Fault = Callable[[Theatre], None]
FAULTS: dict[str, Fault] = {}


def fault(plot: Fault) -> Fault:
    """Register a story that breaks its stack, and so has one of its own."""
    FAULTS[plot.__name__] = plot
    return plot
