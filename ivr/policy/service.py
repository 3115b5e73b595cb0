"""What people who call in may ask for, how often they are called back, and what they are told of calls they missed."""

from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from ivr.policy.reasons import Denial, Outcome, Reason


class RequestKind(StrEnum):
    """What somebody who called in wants of people."""

    PERSON = "person"  # to be called by one
    REFUND = "refund"  # of money that no card takes back
    PRIVILEGED = "privileged"  # their number is an attorney's, and is to be listed as such


class RequestState(StrEnum):
    """What has become of it."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


#: So many business days after they asked they are answered.
ANSWERED_WITHIN: Final = {RequestKind.PERSON: 1, RequestKind.REFUND: 3, RequestKind.PRIVILEGED: 3}

#: A number is rung so often for one call-back, and so long after the one before.
TRIES: Final = 3
AGAIN_AFTER: Final = timedelta(seconds=45)
#: A line takes so long to be free again after the receiver was put back.
FREE_AFTER: Final = timedelta(seconds=3)
#: Who has not answered by then calls in again.
WAITS: Final = timedelta(minutes=5)
#: A number gets so many call-backs in a day that nobody there wanted enough to press the key.
UNVERIFIED_A_DAY: Final = 3
ONE_DAY: Final = timedelta(days=1)
#: All numbers together get so many: whoever shows one after the other can't have us ring a whole country.
UNVERIFIED_AN_HOUR: Final = 100
ONE_HOUR: Final = timedelta(hours=1)
#: Where somebody has said that they did not ask for it, the number gets none for so long.
UNWANTED_FOR: Final = timedelta(days=30)

#: So many calls are told of, no older than that.
TOLD_CALLS: Final = 5
TOLD_SINCE: Final = timedelta(days=30)


class Missed(StrEnum):
    """Why a call did not reach a number, as the person there is told: the prompt `missed.<value>`."""

    NO_ANSWER = "no_answer"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    NOT_ACCEPTED = "not_accepted"
    GIVEN_UP = "given_up"
    NOT_PAID = "not_paid"
    BLOCKED_BY_YOU = "blocked_by_you"
    FACILITY = "facility"


_MISSED: Final = {
    Outcome.NO_ANSWER: Missed.NO_ANSWER,
    Outcome.BUSY: Missed.BUSY,
    Denial.NUMBER_ON_A_CALL: Missed.BUSY,
    Outcome.CONGESTION: Missed.UNREACHABLE,
    Outcome.UNAVAILABLE: Missed.UNREACHABLE,
    Outcome.SYSTEM_FAULT: Missed.UNREACHABLE,
    Outcome.REFUSED: Missed.NOT_ACCEPTED,
    Outcome.NOT_ACCEPTED: Missed.NOT_ACCEPTED,
    Outcome.CALLER_HUNG_UP: Missed.GIVEN_UP,
    Denial.FUNDS_TOO_LOW: Missed.NOT_PAID,
    Outcome.PAYMENT_OFFERED: Missed.NOT_PAID,
    Outcome.CARD_DECLINED: Missed.NOT_PAID,
    Outcome.BLOCKED_BY_KEY: Missed.BLOCKED_BY_YOU,
    Denial.BLOCKED_BY_CALLED_PARTY: Missed.BLOCKED_BY_YOU,
}


def missed(reason: Reason) -> Missed:
    """Why a call did not reach a number; whatever is the caller's own affair is the facility's rules."""
    return _MISSED.get(reason, Missed.FACILITY)


def due_on(asked_on: date, kind: RequestKind) -> date:
    """The day by which somebody is answered: so many business days on; holidays are not known here."""
    left, day = ANSWERED_WITHIN[kind], asked_on
    while left:
        day += ONE_DAY
        left -= day.weekday() < 5
    return day
