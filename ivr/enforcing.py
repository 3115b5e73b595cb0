"""What staff have changed holds for calls in progress too: whatever may not go on is ended."""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from ivr.ami import AmiClient, AmiError
from ivr.controls.node import Node

log = structlog.get_logger(__name__)

Enforcement = Callable[[Node, AmiClient], Awaitable[None]]
#: Each looks at what is set and at what goes on, and ends what may not; doing it again does no harm.
ENFORCEMENTS: Sequence[Enforcement] = ()


async def enforce(node: Node, ami: AmiClient) -> None:
    """Until cancelled: whenever staff have changed something, have it hold."""
    while True:
        await node.changed.wait()
        node.changed.clear()
        for enforcement in ENFORCEMENTS:
            try:
                await enforcement(node, ami)
            except AmiError as error:
                log.warning("not enforced in Asterisk", why=str(error))
            except Exception:
                log.exception("not enforced")
