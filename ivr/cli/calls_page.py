"""The page of `ivr calls --watch`: what it shows, and what each key does; no terminal and no database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ivr.cdr import talk_time
from ivr.now import Now, State

#: The rest of the page's lines: its heading, that of the table, the chosen call in three, keys, what was told.
AROUND = 8
COLOURS = {
    State.IDLE: "dim",
    State.IDENTIFYING: "cyan",
    State.RINGING: "yellow",
    State.ACCEPTING: "magenta",
    State.TALKING: "green",
}
#: Each column with its width: eighty with the spaces between them.
COLUMNS = {
    "call": 6,
    "state": 11,
    "for": 6,
    "left": 6,
    "phone": 9,
    "inmate": 6,
    "number": 12,
    "payer": 8,
    "rec": 3,
    "!": 4,
}
KEYS = "up/down choose   c cut   l listen   n note   i idle telephones   q quit"


class Deed(StrEnum):
    """What may be done with a call, by the key for it, and what is asked for it."""

    CUT = "cut"
    LISTEN = "listen"
    NOTE = "note"


ASKED = {Deed.CUT: "Cut off: why?", Deed.LISTEN: "Listen: why?", Deed.NOTE: "Note:"}
DEEDS = {"c": Deed.CUT, "l": Deed.LISTEN, "n": Deed.NOTE}


@dataclass(frozen=True, slots=True)
class Order:
    """Somebody wants this done."""

    deed: Deed
    call_id: str
    text: str


@dataclass(slots=True)
class Page:
    """What somebody looks at, and is about to say."""

    lines: Sequence[Now] = ()
    chosen: str | None = None  # a call
    shows_idle: bool = False
    asking: Deed | None = None
    about: str | None = None  # the call that was chosen when it was asked
    typed: str = ""
    told: str = ""
    ended: bool = field(default=False)

    @property
    def shown(self) -> list[Now]:
        """The lines that are wanted."""
        return [line for line in self.lines if self.shows_idle or line.state is not State.IDLE]

    @property
    def calls(self) -> list[str]:
        """The calls that may be chosen."""
        return [line.call for line in self.lines if line.call is not None]

    def take(self, lines: Sequence[Now]) -> None:
        """This is how it stands now; a chosen call that is over is chosen no longer."""
        self.lines = lines
        if self.chosen not in self.calls:
            self.chosen = next(iter(self.calls), None)

    def press(self, key: str) -> Order | None:
        """What a key does; an order where it completes one."""
        if self.asking is not None:
            return self._type(key)
        self.told = ""
        match key:
            case "q":
                self.ended = True
            case "i":
                self.shows_idle = not self.shows_idle
            case "up" | "k":
                self._choose(-1)
            case "down" | "j":
                self._choose(1)
            case "c" | "l" | "n" if self.chosen is not None:
                self.asking, self.about, self.typed = DEEDS[key], self.chosen, ""
            case "c" | "l" | "n":
                self.told = "there is no call"
        return None

    def _type(self, key: str) -> Order | None:
        assert self.asking is not None
        assert self.about is not None
        if key == "escape":
            self.asking = None
        elif key == "backspace":
            self.typed = self.typed[:-1]
        elif key == "enter":
            order = Order(self.asking, self.about, self.typed)
            self.asking = None
            return order
        elif len(key) == 1 and key.isprintable():
            self.typed += key
        return None

    def _choose(self, step: int) -> None:
        if self.chosen is not None:
            place = self.calls.index(self.chosen) + step
            self.chosen = self.calls[max(0, min(place, len(self.calls) - 1))]


def rendered(page: Page, at: datetime, height: int) -> RenderableType:
    """The whole page, on so many lines of eighty columns."""
    rows = max(1, height - AROUND)
    return Group(
        Text(_heading(page.lines), style="bold"),
        table(_window(page, rows), at, page.chosen),
        Text(""),
        *_details(page),
        Text(KEYS, style="dim"),
        Text(
            f"{ASKED[page.asking]} {page.typed}_" if page.asking else page.told, style="bold", overflow="crop"
        ),
    )


def table(lines: Sequence[Now], at: datetime, chosen: str | None = None) -> Table:
    """A line for each; what is longer than its column is cut off there."""
    found = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name, width in COLUMNS.items():
        found.add_column(name, width=width, no_wrap=True, overflow="crop")
    for line in lines:
        is_chosen = chosen is not None and line.call == chosen
        cells = (
            (line.call or "")[:6],
            Text(line.state, style=COLOURS[line.state]),
            _span(line.elapsed(at)),
            _span(line.left(at)),
            *(line.station, line.inmate or "", line.number or "", line.payer or ""),
            {"yes": "yes", None: ""}.get(line.recorded, "no"),
            "".join(flag[0].upper() for flag in line.flags),
        )
        found.add_row(*cells, style="reverse" if is_chosen else None)
    return found


def _window(page: Page, rows: int) -> list[Now]:
    """So many lines, the chosen one among them."""
    shown = page.shown
    place = next((n for n, line in enumerate(shown) if line.call and line.call == page.chosen), 0)
    first = max(0, min(place - rows // 2, len(shown) - rows))
    return shown[first : first + rows]


def _heading(lines: Sequence[Now]) -> str:
    counts = [f"{sum(line.state is state for line in lines)} {state}" for state in reversed(State)]
    return f"Calls: {', '.join(counts)}"


def _details(page: Page) -> list[Text]:
    """All of the chosen call, in three lines."""
    line = next((each for each in page.lines if each.call and each.call == page.chosen), None)
    if line is None:
        return [Text("No calls in progress."), Text(""), Text("")]
    limit = f"limit {talk_time(line.limit_seconds * 1000)}" if line.limit_seconds else "no limit yet"
    recorded = {"yes": "recorded", None: "not recorded yet"}.get(
        line.recorded, f"not recorded: {line.recorded}"
    )
    said = (
        f"{line.call} at {line.station}, {line.facility}, node {line.node or 'main'}",
        f"inmate {line.inmate or 'not known'} to {line.number or 'no number'}; {line.payer or 'nobody'} pays; {limit}",
        "; ".join((recorded, *line.flags)),
    )
    return [Text(each, overflow="crop", no_wrap=True) for each in said]


def _span(seconds: int | None) -> str:
    return "" if seconds is None else talk_time(seconds * 1000)
