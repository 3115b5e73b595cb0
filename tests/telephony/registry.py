"""The stories, and the people of each: a story is a function, its name is its sentence."""

from collections.abc import Callable, Iterable
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
    """Register a story that has a stack of its own, since it breaks it or needs another one."""
    FAULTS[plot.__name__] = plot
    return plot


#: Those that are told on PostgreSQL too: each way in which money is held, charged, given back or not to be had.
ON_POSTGRESQL = (
    "a_number_blocked_by_key_can_not_be_called_again",
    "a_subscription_of_57_calls_becomes_one_of_56",
    "a_prepaid_account_pays_for_the_talk_alone",
    "a_call_refused_by_key_is_free",
    "the_inmate_hangs_up_in_the_talk",
    "the_called_party_hangs_up_in_the_talk",
    "a_number_that_nobody_pays_for",
)
FAULTS_ON_POSTGRESQL = ("a_talk_goes_on_when_the_controller_dies",)
_PREFIX = "on_postgresql_"


def on_postgresql(names: Iterable[str]) -> list[str]:
    """The names of the same stories on the other database."""
    return [f"{_PREFIX}{name}" for name in names]


def plain(name: str) -> str:
    """The story's own name, whatever it is told on."""
    return name.removeprefix(_PREFIX)
