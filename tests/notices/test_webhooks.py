"""What Twilio calls: believed if signed for our address, harmless if repeated, and in any order."""

import asyncio
import itertools
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from sqlalchemy import select

from accounts.db import Database, DatabaseError
from accounts.payment_tables import opted_out
from dialplan.ports import free_ports
from ivr import web
from ivr.live import LiveCalls
from ivr.notices.outcomes import Sender
from ivr.notices.sms import TwilioSms
from ivr.notices.webhooks import MOST_BYTES, Carrier, routes, wish
from tests.fakes.twilio import ACCOUNT, TOKEN, FakeTwilio, signature
from tests.notices.conftest import FAMILY, PUBLIC, Outbox

OLD_TOKEN = "fedcba9876543210" * 2
STATUS, SMS = "/webhooks/twilio/status", "/webhooks/twilio/sms"
CARRIER = Carrier(ACCOUNT, (TOKEN, OLD_TOKEN), PUBLIC)


class Listener:
    """The controller's listener; requests come as through a proxy: signed for the public address."""

    def __init__(self, database: Database, box: Outbox) -> None:
        self._database = database
        self._box = box
        self.port = free_ports(1)[0]

    def post(self, *requested: tuple[str, Mapping[str, str], Mapping[str, str]]) -> list[int]:
        """What it answers to each of these, one after another."""
        return asyncio.run(self._post(requested))

    async def _post(self, requested: Any) -> list[int]:
        status = web.Status(self._database, LiveCalls(), lambda: True)
        pages = routes(CARRIER, self._database, self._box.now)
        async with web.listening(status, "127.0.0.1", self.port, pages):
            return [await asyncio.to_thread(self._one, *each) for each in requested]

    def _one(self, path: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> int:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        url, body = f"http://127.0.0.1:{self.port}{path}", urlencode(fields)
        return int(requests.post(url, data=body, headers={**form, **headers}, timeout=5).status_code)


@pytest.fixture
def listener(box: Outbox, database: Database) -> Listener:
    return Listener(database, box)


Asked = tuple[str, Mapping[str, str], Mapping[str, str]]


def signed(path: str, fields: Mapping[str, str], token: str = TOKEN, public: str = PUBLIC) -> Asked:
    whole = {"AccountSid": ACCOUNT, **fields}
    return path, whole, {"X-Twilio-Signature": signature(public + path, whole, token)}


def status_of(notice: int, sid: str, status: str, **more: str) -> Asked:
    told = {"MessageSid": sid, "MessageStatus": status, "To": FAMILY, **more}
    return signed(f"{STATUS}?notice={notice}", told)


def answer(body: str, sid: str = "SM1", number: str = FAMILY, **more: str) -> Asked:
    return signed(SMS, {"MessageSid": sid, "From": number, "Body": body, **more})


def silent(box: Outbox) -> list[str]:
    return box.database.read_now(lambda conn: list(conn.scalars(select(opted_out.c.number))))


def sent(box: Outbox, twilio: FakeTwilio, sms: Sender) -> tuple[int, str]:
    notice = box.write()
    box.send(sms)
    return notice, str(twilio.messages[-1]["sid"])


def test_the_signature_is_that_of_twilios_own_example() -> None:
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signature(url, fields, "12345") == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_callbacks_take_a_notice_forward_whatever_their_order_and_number(
    box: Outbox, twilio: FakeTwilio, sms: TwilioSms, listener: Listener
) -> None:
    asked, expected = [], {}
    random.seed(1)
    for order in itertools.permutations(("queued", "sent", "delivered")):
        notice, sid = sent(box, twilio, sms)
        told = [*order, *random.choices(order, k=2)]
        asked += [status_of(notice, sid, each) for each in told]
        expected[notice] = sid
    assert set(listener.post(*asked)) == {204}
    for notice, sid in expected.items():
        row = box.row(notice)
        assert (row.state, row.provider_id, row.failure, row.next_try_at) == ("delivered", sid, None, None)


def test_an_end_stands_whatever_comes_after(
    box: Outbox, twilio: FakeTwilio, sms: TwilioSms, listener: Listener
) -> None:
    notice, sid = sent(box, twilio, sms)
    ends = [
        status_of(notice, sid, "undelivered", ErrorCode="30003"),
        status_of(notice, sid, "sent"),
        status_of(notice, sid, "delivered"),
        status_of(notice, sid, "no such status"),
    ]
    assert listener.post(*ends) == [204] * 4
    assert (box.row(notice).state, box.row(notice).failure) == ("failed", "30003: undelivered")
    box.later(days=1)
    assert box.send(sms) == 0


def test_a_callback_is_the_answer_where_the_request_got_none(
    box: Outbox, twilio: FakeTwilio, sms: TwilioSms, listener: Listener
) -> None:
    notice = box.write()
    twilio.faults.append("taken, then 500")
    box.send(sms)
    sid = str(twilio.messages[0]["sid"])
    assert listener.post(status_of(notice, sid, "sent")) == [204]
    assert (box.row(notice).state, box.row(notice).provider_id) == ("sent", sid)
    box.later(minutes=5)
    assert box.send(sms) == 0
    assert (len(twilio.messages), twilio.lists) == (1, 0)


def test_a_callback_of_another_message_or_of_no_notice_changes_nothing(
    box: Outbox, twilio: FakeTwilio, sms: TwilioSms, listener: Listener
) -> None:
    notice, _ = sent(box, twilio, sms)
    waiting = box.write()
    asked = [
        status_of(notice, "SMother", "delivered"),
        status_of(waiting, "SMother", "delivered"),  # no try of it has begun
        status_of(10**8, "SMother", "delivered"),
        signed(f"{STATUS}?notice={'9' * 40}", {"MessageSid": "SMother", "MessageStatus": "sent"}),
        signed(f"{STATUS}?notice=x", {"MessageSid": "SMother", "MessageStatus": "sent"}),
        signed(STATUS, {"MessageStatus": "sent"}),
    ]
    assert listener.post(*asked) == [204] * len(asked)
    assert [box.row(each).state for each in (notice, waiting)] == ["sent", "waiting"]


def test_a_carrier_that_tells_of_a_stop_ends_sms(
    box: Outbox, twilio: FakeTwilio, sms: TwilioSms, listener: Listener
) -> None:
    notice, sid = sent(box, twilio, sms)
    listener.post(status_of(notice, sid, "failed", ErrorCode="21610"))
    assert box.row(notice).state == "opted_out"
    assert silent(box) == [FAMILY]


@pytest.mark.parametrize(
    "forged",
    [
        lambda: (SMS, {"AccountSid": ACCOUNT, "From": FAMILY, "Body": "STOP", "MessageSid": "SM1"}, {}),
        lambda: signed(SMS, {"From": FAMILY, "Body": "STOP", "MessageSid": "SM1"}, token="0" * 32),
        lambda: signed(SMS, {"From": FAMILY, "Body": "STOP", "MessageSid": "SM1"}, public="http://127.0.0.1"),
        lambda: signed(SMS, {"From": FAMILY, "Body": "STOP", "MessageSid": "SM1", "AccountSid": "AC0"}),
        lambda: (SMS, {**answer("hello")[1], "Body": "STOP"}, answer("hello")[2]),
        lambda: (SMS, answer("STOP")[1], {"X-Twilio-Signature": "ñ".encode().decode("latin-1")}),
        lambda: (f"{SMS}?more=1", *answer("STOP")[1:]),
    ],
    ids=["none", "other token", "other address", "other account", "changed", "no ASCII", "other query"],
)
def test_what_our_account_has_not_signed_is_refused(box: Outbox, listener: Listener, forged: Any) -> None:
    assert listener.post(forged()) == [403]
    assert silent(box) == []


def test_the_old_token_is_believed_while_it_is_renewed(box: Outbox, listener: Listener) -> None:
    fields = {"From": FAMILY, "Body": "STOP", "MessageSid": "SM1"}
    assert listener.post(signed(SMS, fields, token=OLD_TOKEN)) == [200]
    assert silent(box) == [FAMILY]


def test_stop_ends_sms_and_start_begins_them_again(
    box: Outbox, twilio: FakeTwilio, sms: TwilioSms, listener: Listener
) -> None:
    before = box.write()
    assert listener.post(answer("Stop.", "SM1")) == [200]
    while_silent = box.write()
    mail = box.write("family@example.com", channel="email")
    assert box.send(sms) == 0
    assert [box.row(each).state for each in (before, while_silent, mail)] == [
        "opted_out",
        "opted_out",
        "waiting",
    ]
    assert listener.post(answer("START", "SM2"), answer("Stop.", "SM1")) == [200, 200]  # the first once more
    assert silent(box) == []
    after = box.write()
    assert box.send(sms) == 1
    assert box.row(after).state == "sent"


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("STOP", True),
        (" stop! ", True),
        ("Alto", True),
        ("opt out", True),
        ("BAJA", True),
        ("start", False),
        ("Alta", False),
        ("please stop calling me", None),
        ("", None),
        ("¿Quién es?", None),
    ],
)
def test_a_word_alone_is_a_wish(body: str, wanted: bool | None) -> None:
    assert wish(body) is wanted


def test_what_twilio_has_taken_for_a_stop_is_one(box: Outbox, listener: Listener) -> None:
    assert listener.post(answer("no more of this", OptOutType="STOP")) == [200]
    assert silent(box) == [FAMILY]


def test_any_other_answer_is_ignored(box: Outbox, listener: Listener) -> None:
    assert listener.post(answer("Who is this?"), answer("STOP", number="client:anna")) == [200, 200]
    assert silent(box) == []


def test_too_much_and_nonsense_are_refused(listener: Listener) -> None:
    large = answer("x" * MOST_BYTES)
    many = signed(SMS, {f"f{n}": "" for n in range(300)})
    assert listener.post(large, many) == [413, 400]


def test_other_methods_are_refused(listener: Listener, box: Outbox, database: Database) -> None:
    async def get() -> int:
        status = web.Status(database, LiveCalls(), lambda: True)
        async with web.listening(status, "127.0.0.1", listener.port, routes(CARRIER, database, box.now)):
            url = f"http://127.0.0.1:{listener.port}{SMS}"
            return int((await asyncio.to_thread(requests.get, url, timeout=5)).status_code)

    assert asyncio.run(get()) == 405


def test_twilio_is_told_to_call_again_while_the_database_is_away(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _away(monkeypatch):
        assert listener.post(answer("STOP")) == [503]


@contextmanager
def _away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    async def transact(*_what: object, **_more: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(Database, "transact", transact)
    yield
    monkeypatch.undo()
