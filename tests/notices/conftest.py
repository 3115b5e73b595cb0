"""Fixtures of these tests: a clock that is set, an outbox, and what sends from it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, select

from accounts import outbox
from accounts.db import Database
from accounts.outbox import NoticeKind
from accounts.payment_tables import notice
from ivr.notices.delivery import Delivery
from ivr.notices.outcomes import Sender
from ivr.notices.sms import TwilioSms
from ivr.notices.texts import Texts
from tests.controller.conftest import ivr, on_database  # noqa: F401 - pytest finds fixtures by their names
from tests.fakes.twilio import ACCOUNT, FROM, TOKEN, FakeTwilio, twilio_server
from tests.transcripts.play import World

FAMILY = "+12175550101"
MAIL = "family@example.com"
PUBLIC = "https://calls.example.com"
NAME = "Example Phone Service"
TEXTS = Texts.load()


@dataclass(slots=True)
class Outbox:
    """The notices of a database, at a time that tests set."""

    database: Database
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    written: int = 0

    def now(self) -> datetime:
        return self.at

    def later(self, **by: float) -> None:
        self.at += timedelta(**by)

    def write(
        self,
        recipient: str = FAMILY,
        *,
        key: str = "",
        channel: str = "sms",
        language: str = "en",
        **told: object,
    ) -> int:
        """A notice of a low balance waits; its id."""
        self.written += 1
        told = told or {"balance": "1.50"}
        key = key or f"low_balance/{self.written}"
        self.database.transact_now(
            outbox.write,
            channel=channel,
            recipient=recipient,
            language=language,
            kind=NoticeKind.LOW_BALANCE,
            key=key,
            told=told,
            at=self.at,
        )
        return int(self.rows()[-1].id)

    def rows(self) -> list[Row[Any]]:
        return self.database.read_now(lambda conn: list(conn.execute(select(notice).order_by(notice.c.id))))

    def row(self, notice_id: int) -> Row[Any]:
        return next(row for row in self.rows() if row.id == notice_id)

    def send(self, sender: Sender, channel: str = "sms") -> int:
        """Everything that is due is tried once; how many tries that were."""
        return asyncio.run(Delivery(self.database, channel, sender, self.now).send_due())


@pytest.fixture
def box(database: Database) -> Outbox:
    return Outbox(database)


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with twilio_server() as server:
        yield server


def sms_by(
    twilio: FakeTwilio, *, sender: str = FROM, token: str = TOKEN, public_url: str = PUBLIC
) -> TwilioSms:
    """The real library, led to the local server."""
    return TwilioSms(
        TEXTS,
        account=ACCOUNT,
        token=token,
        sender=sender,
        name=NAME,
        public_url=public_url,
        http=twilio.client(),
    )


@pytest.fixture
def sms(twilio: FakeTwilio) -> TwilioSms:
    return sms_by(twilio)


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """The demonstration facility, and a clock that stands at noon."""
    return World(database, tmp_path)
