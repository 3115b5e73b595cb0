"""A second node on the same database and clock."""

import asyncio
import copy
from dataclasses import replace

from ivr.live import LiveCalls
from tests.transcripts.play import World


def beside(world: World, name: str = "second") -> World:
    """The other node, with calls of its own; time passes in the first world for both."""
    other = copy.copy(world)
    own = {"live": LiveCalls(), "settled": asyncio.Event(), "changed": asyncio.Event()}
    other.node = replace(world.node, name=name, call_backs=asyncio.Event(), **own)  # type: ignore[arg-type]
    return other
