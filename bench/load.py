"""Whole calls: from every telephone at once, as fast as the server answers, or started at a steady rate."""

import asyncio
import itertools
from collections.abc import Callable, Sequence

from tests.fakes.asterisk import FakeAsterisk, FakeChannel, PhoneCall, Result

_LIFTED_PER_SECOND = 200  # the telephones, at the start; all at one instant would be no load but an attack

Plan = Callable[[int], PhoneCall]


class CallFailed(Exception):  # noqa: N818 - the name says what happened
    """A call did not go as it must; a benchmark of such calls says nothing."""


async def at_once(asterisk: FakeAsterisk, plan: Plan, *, phones: int, calls: int) -> list[Result]:
    """Every telephone makes one call after another until so many were made; raises CallFailed."""
    numbers = iter(range(calls))

    async def phone(number: int) -> list[Result]:
        await asyncio.sleep(number / _LIFTED_PER_SECOND)
        return [_checked(await asterisk.call(plan(number))) for _ in numbers]

    return list(itertools.chain.from_iterable(await asyncio.gather(*map(phone, range(phones)))))


async def at_rate(
    asterisk: FakeAsterisk, plan: Plan, *, phones: int, calls: int, per_second: float
) -> list[Result]:
    """Calls start at a steady rate, whether or not earlier ones have ended; raises CallFailed."""
    plans = (plan(number % phones) for number in range(calls))
    return [_checked(result) for result in await asterisk.calls(plans, per_second)]


def calls_per_second(results: Sequence[Result]) -> float:
    """The rate at which calls ended, without the first and the last tenth: there the telephones start and run out."""
    ends = sorted(result.ended_at for result in results)
    first, last = len(ends) // 10, len(ends) - 1 - len(ends) // 10
    return (last - first) / (ends[last] - ends[first])


def verdict_ms(result: Result) -> float:
    """From the last digit of the number, as the controller is told it, to the order to dial."""
    return _wait_ms(result.inmate, ["GET", "DATA"], ["SET", "VARIABLE", "VERDICT", "DIAL"])


def acceptance_ms(result: Result) -> float:
    """From the acceptance key to the order to connect."""
    return _wait_ms(called(result), ["EXEC", "Read"], ["SET", "VARIABLE", "ACCEPTED", "yes"])


def commands(result: Result) -> int:
    """How many AGI commands the call took."""
    return len(result.inmate.commands) + len(called(result).commands)


def called(result: Result) -> FakeChannel:
    """The called party's channel."""
    channel = result.attempts[0].called
    assert channel is not None
    return channel


def _checked(result: Result) -> Result:
    if len(result.attempts) != 1 or not result.attempts[0].accepted or result.closed:
        raise CallFailed(f"a call went wrong; the inmate heard {result.inmate.heard}")
    return result


def _wait_ms(channel: FakeChannel, keyed: Sequence[str], ordered: Sequence[str]) -> float:
    """From the last command of one kind, whose keys are there at once, to a later one."""
    end = channel.commands.index(list(ordered))
    start = max(number for number in range(end) if channel.commands[number][: len(keyed)] == keyed)
    return (channel.commands_at[end] - channel.commands_at[start]) * 1000
