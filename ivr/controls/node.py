"""What the controls of every call share: one Asterisk and its controller on one host."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from accounts.db import Database
from ivr.facility.pins import PinKey
from ivr.live import LiveCalls
from ivr.paying import Paying
from ivr.records.nodes import FIRST


@dataclass(frozen=True, slots=True)
class Node:
    """The database, the clock, the secrets, the calls in progress and the spool of one node."""

    database: Database
    now: Callable[[], datetime]
    pin_key: PinKey
    live: LiveCalls
    names: Path  # recorded names, written here while they are needed
    recordings: Path
    new_id: Callable[[], str]
    version: str
    name: str = FIRST  # of those that share the database
    carriers: Mapping[str, str] = field(default_factory=dict)  # what records call them, by their endpoints
    list_key: bytes = field(default=b"", repr=False)  # of signed lists; without one none is taken
    paying: Paying | None = None  # by card; none: no card processor is set up
    sends_sms: bool = False  # so that a called party can be sent a link to pay
    settled: asyncio.Event = field(default_factory=asyncio.Event)  # there may be a recording to finish
    told: Callable[[str, str], object] = lambda _call_id, _what: None  # to whoever watches Asterisk's console
    changed: asyncio.Event = field(default_factory=asyncio.Event)  # by staff: see `ivr.enforcing`
    call_backs: asyncio.Event = field(default_factory=asyncio.Event)  # somebody is to be called back

    @property
    def own(self) -> str | None:
        """By what its records are found: its name; none: all are, since an SQLite database has one node."""
        return None if self.database.backend == "sqlite" else self.name
