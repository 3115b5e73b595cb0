"""How this node fares: each part is asked for itself, all at the same time, and given up after a moment."""

import http.client
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from accounts.db import Database
from ivr.clock import utc_now
from ivr.config import Settings
from ivr.counted import counted
from ivr.instance import carrier_names, keyring_of, switchboard
from ivr.records.state_of_node import Known, known

#: A part that has not answered by then is told as one that does not answer.
MOMENT_S = 0.6
LEAST_FREE = 0.05  # of a disk
#: A node that was not seen for so long is told as one.
SILENT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Line:
    """One part and how it fares."""

    part: str
    name: str
    is_well: bool
    told: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """What Asterisk says of telephones and carriers."""

    registered: frozenset[str]
    answers: Mapping[str, bool | None]  # by what records call the carrier


def status(settings: Settings) -> list[Line]:
    """Every part of the node with its state, whatever of it is down."""
    answers = _ask_all(
        {
            "asterisk": lambda: _asterisk(settings),
            "controller": lambda: _controller(settings),
            "database": lambda: _database(settings),
            "disk": lambda: _disk(settings),
            **({"redis": lambda: _redis(settings)} if settings.redis_url else {}),
        }
    )
    seen, held = answers["asterisk"], answers["database"]
    lines = [
        _line("asterisk", seen, lambda _: "up"),
        _controller_line(answers["controller"]),
        _line("database", held, lambda of: f"up; {counted(of.calls, 'call')} in progress"),
        _disk_line(answers["disk"]),
    ]
    if settings.redis_url:
        lines.append(_line("redis", answers["redis"], lambda _: "up"))
    if isinstance(seen, _Seen):
        lines += _carriers(seen)
    if isinstance(held, Known):
        lines += _of_database(held, seen.registered if isinstance(seen, _Seen) else None)
    return lines


def _ask_all(questions: Mapping[str, Callable[[], object]]) -> dict[str, Any]:
    """The answer to each question, or the exception in place of it."""
    answers: dict[str, Any] = {name: TimeoutError("no answer") for name in questions}

    def put(name: str, question: Callable[[], object]) -> None:
        try:
            answers[name] = question()
        except Exception as failure:  # told in its line
            answers[name] = failure

    threads = [threading.Thread(target=put, args=each, daemon=True) for each in questions.items()]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + MOMENT_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(answers)


def _asterisk(settings: Settings) -> _Seen:
    board = replace(switchboard(settings, keyring_of(settings)), deadline_s=MOMENT_S)
    names = carrier_names(settings)
    return _Seen(board.registered(), {name: board.answers(endpoint) for endpoint, name in names.items()})


def _controller(settings: Settings) -> Mapping[str, bool]:
    with closing(http.client.HTTPConnection(settings.host, settings.web_port, timeout=MOMENT_S)) as asked:
        asked.request("GET", "/healthz")
        told: Mapping[str, bool] = json.loads(asked.getresponse().read())
        return told


def _database(settings: Settings) -> Known:
    try:
        with Database.open(settings.url) as database:
            return database.read_now(known, utc_now())
    except Exception:
        from accounts import schema  # noqa: PLC0415 - slow to load, and only needed to tell why

        schema.require_head(settings.url)
        raise


def _redis(settings: Settings) -> None:
    from ivr.sharing import in_redis  # noqa: PLC0415 - slow to load, and most have none

    in_redis.answers(settings.redis_url)


def _disk(settings: Settings) -> float:
    used = shutil.disk_usage(settings.state_dir.absolute())
    return used.free / used.total


def _line(part: str, answer: Any, told: Callable[[Any], str]) -> Line:
    if isinstance(answer, Exception):
        return Line(part, "", is_well=False, told=f"down: {_why(answer)}")
    return Line(part, "", is_well=True, told=told(answer))


def _why(failure: Exception) -> str:
    """In words, without the number of an error."""
    return (isinstance(failure, OSError) and failure.strerror) or str(failure)


def _controller_line(answer: Any) -> Line:
    if isinstance(answer, Exception):
        return Line("controller", "", is_well=False, told=f"down: {_why(answer)}")
    lost = [part for part, is_there in answer.items() if not is_there]
    return Line("controller", "", not lost, f"up; does not reach {', '.join(lost)}" if lost else "up")


def _disk_line(answer: Any) -> Line:
    if isinstance(answer, Exception):
        return Line("disk", "", is_well=False, told=f"{answer}")
    return Line("disk", "", answer >= LEAST_FREE, f"{answer:.0%} free")


def _carriers(seen: _Seen) -> Iterator[Line]:
    words = {True: "answers", False: "does not answer", None: "not asked yet"}
    for name, answers in seen.answers.items():
        yield Line("carrier", name, answers is not False, words[answers])


def _of_database(held: Known, registered: frozenset[str] | None) -> Iterator[Line]:
    for row in held.nodes:
        is_silent = row.stopped_at is None and utc_now() - row.seen_at >= SILENT
        state = "stopped" if row.stopped_at else "not seen" if is_silent else "seen"
        yield Line(
            "node", row.name, not is_silent, f"{state} {row.stopped_at or row.seen_at:%Y-%m-%d %H:%M:%S}Z"
        )
    yield Line("recordings", "", not held.missing, f"{held.missing} missing, of the last 7 days")
    alerts = f"{held.alerts} open: `ivr alerts`" if held.alerts else "none"
    yield Line("alerts", "", not held.alerts, f"{alerts}; on call: {', '.join(held.on_call) or 'nobody'}")
    for row in held.switches:
        since = f"{row.thrown_at:%Y-%m-%d %H:%M}Z"
        yield Line("switch", row.scope, is_well=True, told=f"off since {since} by {row.author}: {row.note}")
    for row in held.stations:
        at = row.last_used_at and row.last_used_at.astimezone(ZoneInfo(row.time_zone))
        used = f"last used {at:%Y-%m-%d %H:%M}" if at else "never used"
        is_known = (
            "" if registered is None else "registered; " if row.id in registered else "not registered; "
        )
        yield Line("telephone", row.id, is_well=True, told=is_known + used)
