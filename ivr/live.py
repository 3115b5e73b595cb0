"""Calls in progress on this node: which channels they have, and when a talk must end."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ivr.policy.dropped import Fault
from ivr.policy.reasons import Reason

SETTLED_REMEMBERED = 10_000
CARRIER = "carrier"  # the endpoint of the first; those of others have a number behind it


def endpoint_of(channel: str) -> str:
    """Whose channel it is, by its name: a telephone's or a carrier's."""
    return channel.removeprefix("PJSIP/").rpartition("-")[0]


def is_called(channel: str) -> bool:
    """Whether a channel is a called party's: it goes through a carrier, and no telephone's name begins so."""
    return endpoint_of(channel) == CARRIER or endpoint_of(channel).startswith(f"{CARRIER}-")


class Ended(Protocol):
    """How a call was settled, as far as its own dialogue asks."""

    @property
    def reason(self) -> Reason:
        """Why it ended."""

    @property
    def given_back(self) -> bool:
        """Whether it was dropped so early that it counts for nothing."""


@dataclass(slots=True)
class LiveCall:
    """One attempt, from the verdict until it is settled."""

    call_id: str
    session_id: str
    limit_ms: int
    inmate_channel: str
    dialled_at: datetime | None = None  # unknown after a restart
    ends_by: datetime | None = None  # the hour at which the talk must end, whenever it began
    called_channel: str | None = None
    carrier: str | None = None  # the endpoint of the one that was tried last
    relay: bool = False  # nothing is spoken to the called party
    anonymous: bool = False  # to a hotline that keeps no trace of who calls
    talking: bool = False
    talk_from: datetime | None = None
    is_watched: bool = False  # a telephone of staff is to be rung as they begin to talk
    hung_up_first: str | None = None  # the leg whose end asked for the hang-up
    fault: Fault | None = None  # what Asterisk told of an end that neither asked for
    inmate_heard: Sequence[str] = ()  # the prompts said to each before the talk
    called_heard: Sequence[str] = ()
    talk_ended: asyncio.Event = field(default_factory=asyncio.Event)
    hang_up_known: asyncio.Event = field(default_factory=asyncio.Event)
    acceptance_over: asyncio.Event | None = None  # once the called party has answered
    cutter: asyncio.TimerHandle | None = None
    closer: asyncio.TimerHandle | None = None
    teller: asyncio.TimerHandle | None = None  # of the warning, to the console
    switched_off_at: datetime | None = None  # when a switch ends the talk
    switcher: asyncio.TimerHandle | None = None
    announced: bool = False  # both were told of that end

    def ends_with_switch(self, at: datetime | None, timer: asyncio.TimerHandle | None) -> None:
        """A switch ends the talk then, by this timer; none: no switch does any more."""
        if self.switcher is not None:
            self.switcher.cancel()
        self.switched_off_at, self.switcher = at, timer

    def hangs_up(self, leg: str) -> None:
        """This leg's end asked for the hang-up; the first stands."""
        self.hung_up_first = self.hung_up_first or leg
        self.hang_up_known.set()


class LiveCalls:
    """The calls of this node by id and by channel. Money and rules never depend on it."""

    def __init__(self) -> None:
        #: how many calls were sealed by this process, by reason
        self.ended: Counter[str] = Counter()
        self._by_id: dict[str, LiveCall] = {}
        self._by_channel: dict[str, LiveCall] = {}
        self._session_at: dict[str, str] = {}
        #: calls that a running dialogue will settle, or hand over to the dialplan
        self.in_dialogue: set[str] = set()
        #: something could not be settled when it ended: look at all calls again
        self.look_again = False
        #: AstDB notes of settled calls, deleted by the next dialogue (only AGI may delete them)
        self.notes_done: deque[str] = deque(maxlen=10_000)
        #: how calls were settled a moment ago, for the dialogues after them
        self._settled: OrderedDict[str, Ended] = OrderedDict()

    def __iter__(self) -> Iterator[LiveCall]:
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, live: LiveCall) -> None:
        """A call is about to ring."""
        self._by_id[live.call_id] = live
        if live.inmate_channel:
            self._by_channel[live.inmate_channel] = live
            self._session_at[live.inmate_channel] = live.session_id

    def answered(self, call_id: str, channel: str) -> None:
        """The called party's channel is known now."""
        if live := self._by_id.get(call_id):
            live.called_channel, live.carrier = channel, endpoint_of(channel)
            self._by_channel[channel] = live

    def get(self, call_id: str) -> LiveCall | None:
        """The call, if it is in progress here."""
        return self._by_id.get(call_id)

    def of_channel(self, channel: str) -> LiveCall | None:
        """The call that this channel is a leg of."""
        return self._by_channel.get(channel)

    def hung_up_first(self, call_id: str) -> str | None:
        """The leg whose end asked for the hang-up, if one has."""
        live = self._by_id.get(call_id)
        return live.hung_up_first if live else None

    def session_over(self, channel: str) -> str | None:
        """The session whose inmate had this channel, which is no more; also after its last call was settled."""
        return self._session_at.pop(channel, None)

    def keep_sessions_at(self, channels: Collection[str]) -> None:
        """These are all channels there are: sessions at others are forgotten."""
        for channel in self._session_at.keys() - channels:
            del self._session_at[channel]

    def fault(self, call_id: str) -> Fault | None:
        """What Asterisk told of the end, if neither party asked for it."""
        live = self._by_id.get(call_id)
        return live.fault if live else None

    def settled(self, call_id: str) -> Ended | None:
        """How the call was settled, if that was a moment ago; asked once."""
        return self._settled.pop(call_id, None)

    def remove(self, call_id: str, settled: Ended | None = None) -> None:
        """The call is settled so."""
        if settled is not None:
            self._settled[call_id] = settled
            if len(self._settled) > SETTLED_REMEMBERED:
                self._settled.popitem(last=False)
        live = self._by_id.pop(call_id, None)
        if live is None:
            return
        for channel in (live.inmate_channel, live.called_channel):
            if channel is not None and self._by_channel.get(channel) is live:
                del self._by_channel[channel]
        live.talk_ended.set()
        for timer in (live.cutter, live.closer, live.teller, live.switcher):
            if timer is not None:
                timer.cancel()
        self.notes_done.append(call_id)


async def until(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, so long at most."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
