"""The settings of senders, and the real controller that sends by them."""

import asyncio
import os
from pathlib import Path

import pytest

from accounts import outbox
from accounts.db import Database
from accounts.outbox import NoticeKind
from ivr import app
from ivr.clock import utc_now
from ivr.config import ConfigError, Settings, load_settings
from ivr.keyring import Keyring, KeyringError
from ivr.notices.delivery import Delivery
from ivr.notices.outcomes import Notice, Outcome, Sent
from ivr.notices.senders import senders
from ivr.notices.webhooks import Carrier
from tests.controller.serving import instance, prepare, serving
from tests.controller.test_facility_file import TEXT
from tests.fakes.loop import in_loop
from tests.fakes.twilio import ACCOUNT, FROM, TOKEN
from tests.notices.conftest import MAIL, PUBLIC, Outbox
from tests.notices.post_office import post_office

SMS = {"twilio_account": ACCOUNT, "twilio_sender": FROM, "notices_name": "Example"}
MAILING = {"smtp_host": "mail.example.com", "smtp_from": "a@example.com", "notices_name": "Example"}


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "secrets")


def put(tmp_path: Path, name: str, secret: str, mode: int = 0o600) -> None:
    path = tmp_path / "secrets" / name
    path.write_text(secret)
    path.chmod(mode)


def settings(**given: object) -> Settings:
    return Settings.model_validate(given)


def test_without_settings_nothing_is_sent_and_nobody_calls_back(keyring: Keyring, database: Database) -> None:
    assert senders(settings(), keyring) == {}
    assert app.webhooks(settings(), keyring, database) == []
    assert settings().channels == frozenset()


def test_the_secrets_lie_beside_the_settings(keyring: Keyring, tmp_path: Path, database: Database) -> None:
    both = settings(**{**SMS, **MAILING}, smtp_user="notices", public_url=PUBLIC)
    with pytest.raises(KeyringError, match="twilio_auth_token: expected a file with this secret"):
        senders(both, keyring)
    put(tmp_path, "twilio_auth_token", f"{TOKEN}\nold\n")
    with pytest.raises(KeyringError, match="smtp_password: expected a file"):
        senders(both, keyring)
    put(tmp_path, "smtp_password", "", 0o600)
    with pytest.raises(KeyringError, match="smtp_password is empty"):
        senders(both, keyring)
    put(tmp_path, "smtp_password", "correct horse", 0o644)
    with pytest.raises(KeyringError, match="can be read by others"):
        senders(both, keyring)
    put(tmp_path, "smtp_password", "correct horse\n")
    assert set(senders(both, keyring)) == both.channels == {"sms", "email"}
    assert TOKEN not in repr(Carrier(ACCOUNT, (TOKEN, "old"), PUBLIC))
    assert {page.path for page in app.webhooks(both, keyring, database)} == {
        "/webhooks/twilio/status",
        "/webhooks/twilio/sms",
    }


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"TWILIO_ACCOUNT": "AC12"}, "IVR_TWILIO_ACCOUNT: expected an account's SID"),
        ({"TWILIO_SENDER": "217 555"}, "IVR_TWILIO_SENDER: expected a number such as"),
        ({"TWILIO_ACCOUNT": ACCOUNT}, "twilio_account and twilio_sender: expected both or neither"),
        ({"SMTP_HOST": "localhost"}, "smtp_host and smtp_from: expected both or neither"),
        ({"SMTP_FROM": "nobody"}, "IVR_SMTP_FROM: expected an e-mail address"),
        ({"TWILIO_ACCOUNT": ACCOUNT, "TWILIO_SENDER": FROM}, "notices_name: expected who notices are from"),
        ({"PUBLIC_URL": "http://calls.example.com"}, "IVR_PUBLIC_URL: expected https:// and a host"),
        ({"PUBLIC_URL": "https://calls.example.com/"}, "IVR_PUBLIC_URL: expected https:// and a host"),
        (
            {"PUBLIC_URL": "https://" + "a" * 143},
            "IVR_PUBLIC_URL: expected https:// and a host, without a slash",
        ),
        (
            {
                "SMTP_HOST": "mail.example.com",
                "SMTP_FROM": MAIL,
                "NOTICES_NAME": "E",
                "SMTP_SECURITY": "none",
            },
            "must be a loopback address",
        ),
    ],
)
def test_a_setting_that_is_wrong_is_named(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], told: str
) -> None:
    monkeypatch.delenv("IVR_CONFIG", raising=False)
    for name, value in given.items():
        monkeypatch.setenv(f"IVR_{name}", value)
    with pytest.raises(ConfigError) as refusal:
        load_settings()
    assert told in str(refusal.value)


@in_loop
async def test_the_controller_sends_what_waits(database_url: str) -> None:
    with post_office() as office:
        mailing = {
            **MAILING,
            "smtp_host": "127.0.0.1",
            "smtp_port": str(office.port),
            "smtp_security": "none",
        }
        with instance(database_url, **mailing) as of_it:
            prepare(of_it, TEXT)
            async with serving(of_it):
                with Database.open(of_it.url) as database:
                    await database.transact(
                        outbox.write,
                        channel="email",
                        recipient=MAIL,
                        language="en",
                        kind=NoticeKind.REFUNDED,
                        key="refunded/1",
                        told={"amount": "5.00"},
                        at=utc_now(),
                    )
                assert await asyncio.to_thread(office.arrived.wait, 15)
                assert office.mails[0]["Subject"] == "Refund: $5.00"
                assert office.mails[0]["From"] == "Example <a@example.com>"


class Slow:
    """Takes its time for a message, and counts them."""

    def __init__(self, began: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
        self.sent = 0
        self._began = began
        self._loop = loop
        self._pipe = os.pipe()

    def release(self) -> None:
        os.write(self._pipe[1], b"x")

    def send(self, notice: Notice) -> Outcome:
        self._loop.call_soon_threadsafe(self._began.set)
        os.read(self._pipe[0], 1)
        self.sent += 1
        return Sent(f"SM{notice.id}")

    def find(self, notice: Notice, others: frozenset[str]) -> Outcome:
        raise AssertionError

    def close(self) -> None:
        for end in self._pipe:
            os.close(end)


@in_loop
async def test_an_orderly_stop_waits_for_the_request_that_has_begun(box: Outbox) -> None:
    notice, began = box.write(), asyncio.Event()
    slow = Slow(began, asyncio.get_running_loop())
    running = asyncio.create_task(Delivery(box.database, "sms", slow, box.now).run())
    await began.wait()
    running.cancel()
    await asyncio.sleep(0)
    slow.release()
    with pytest.raises(asyncio.CancelledError):
        await running
    slow.close()
    assert (box.row(notice).state, slow.sent) == ("sent", 1)
