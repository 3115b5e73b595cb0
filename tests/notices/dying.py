"""A process that dies while it sends: `python -m tests.notices.dying DATABASE_URL TWILIO_URL AT MOMENT`."""

import os
import signal
import sys
from datetime import datetime

from accounts.db import Database
from ivr.notices.outcomes import Notice, Outcome
from tests.fakes.twilio import FakeTwilio
from tests.notices.conftest import Outbox, sms_by


class Dying:
    """Sends, and dies before or after it."""

    def __init__(self, twilio: FakeTwilio, moment: str) -> None:
        self._sms = sms_by(twilio)
        self._moment = moment

    def send(self, notice: Notice) -> Outcome:
        if self._moment == "after the request":
            self._sms.send(notice)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    def find(self, notice: Notice, others: frozenset[str]) -> Outcome:
        raise AssertionError


if __name__ == "__main__":
    url, twilio_url, at, moment = sys.argv[1:]
    with Database.open(url) as database:
        Outbox(database, datetime.fromisoformat(at)).send(Dying(FakeTwilio(url=twilio_url), moment))
