"""SMS through the real library and a local Twilio: sent once, tried again, and looked for when in doubt."""

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from accounts.payment_tables import opted_out
from ivr.notices import queue
from ivr.notices.sms import TwilioSms
from ivr.records.alerts import open_alerts
from tests.fakes.twilio import FROM, FakeTwilio
from tests.notices.conftest import FAMILY, PUBLIC, Outbox, sms_by

TAKEN = ("taken, then dropped", "taken, then 500", "taken, then silent")


def opted(conn: Connection) -> list[str]:
    return list(conn.scalars(select(opted_out.c.number)))


def alerts(box: Outbox) -> list[str]:
    return [row.text for row in box.database.read_now(open_alerts)]


def test_a_notice_is_sent_once_in_the_holders_language_with_a_callback_of_its_own(
    box: Outbox, twilio: FakeTwilio, sms: TwilioSms
) -> None:
    english, spanish = box.write(), box.write("+12175550102", language="es")
    assert box.send(sms) == 2
    assert box.send(sms) == 0
    (first, second) = [fields for _, fields in twilio.asked]
    assert first == {
        "To": FAMILY,
        "From": FROM,
        "StatusCallback": f"{PUBLIC}/webhooks/twilio/status?notice={english}",
        "Body": "Example Phone Service: Your balance is $1.50. Add money to keep getting calls. "
        "Reply STOP to end texts.",
    }
    assert second["Body"].endswith(
        "Su saldo es de $1.50. Agregue dinero para seguir recibiendo llamadas. Responda ALTO para terminar."
    )
    rows = {row.id: row for row in box.rows()}
    assert {row.state for row in rows.values()} == {"sent"}
    assert rows[spanish].provider_id == twilio.messages[1]["sid"]


def test_a_messaging_service_sends_and_without_a_public_address_nobody_calls_back(
    box: Outbox, twilio: FakeTwilio
) -> None:
    box.write()
    assert box.send(sms_by(twilio, sender="MG" + "b" * 32, public_url="")) == 1
    ((_, fields),) = twilio.asked
    assert fields["MessagingServiceSid"] == "MG" + "b" * 32
    assert fields.keys() == {"To", "Body", "MessagingServiceSid"}


def test_what_was_certainly_not_taken_is_tried_again_later_and_later_then_dead_with_one_alert(
    box: Outbox, twilio: FakeTwilio, sms: TwilioSms
) -> None:
    ids = [box.write(), box.write("+12175550102")]
    began = box.at
    waited = []
    for _ in queue.PAUSES:
        twilio.faults += ["429", "429"]
        assert box.send(sms) == 2
        row = box.row(ids[0])
        assert (row.state, row.failure) == ("waiting", "20429: Unable to create record: as scripted")
        waited.append(row.next_try_at - box.at)
        box.later(seconds=waited[-1].total_seconds() - 1)
        assert box.send(sms) == 0
        box.later(seconds=1)
    twilio.faults += ["429", "429"]
    assert box.send(sms) == 2
    assert [box.row(each).state for each in ids] == ["dead", "dead"]
    assert waited == sorted(waited)
    assert timedelta(hours=23) < box.at - began < timedelta(hours=25)
    assert alerts(box) == [
        "notices by sms are dead: 20429: Unable to create record: as scripted; see `ivr notices dead`"
    ]
    assert twilio.lists == 0
    box.later(days=1)
    assert box.send(sms) == 0


def test_no_connection_is_certain_and_tried_again(box: Outbox, twilio: FakeTwilio) -> None:
    notice = box.write()
    nowhere = FakeTwilio(url="http://127.0.0.1:9")
    assert box.send(sms_by(nowhere)) == 1
    assert (box.row(notice).state, box.row(notice).failure) == ("waiting", "ConnectionError")
    box.later(minutes=1)
    assert box.send(sms_by(twilio)) == 1
    assert box.row(notice).state == "sent"
    assert (len(twilio.messages), twilio.lists) == (1, 0)


@pytest.mark.parametrize("fault", TAKEN)
def test_what_was_taken_without_an_answer_is_found_and_not_sent_twice(
    box: Outbox, twilio: FakeTwilio, sms: TwilioSms, fault: str
) -> None:
    notice = box.write()
    twilio.faults.append(fault)
    assert box.send(sms) == 1
    row = box.row(notice)
    assert (row.state, row.tries, row.failure, row.provider_id) == ("waiting", 1, None, None)
    assert box.send(sms) == 0
    box.later(minutes=5)
    assert box.send(sms) == 1
    assert (box.row(notice).state, box.row(notice).provider_id) == ("sent", twilio.messages[0]["sid"])
    assert (len(twilio.messages), twilio.lists) == (1, 1)


@pytest.mark.parametrize("fault", ["500", "503", "drop"])
def test_what_was_not_taken_and_got_no_clear_answer_is_looked_for_and_then_sent(
    box: Outbox, twilio: FakeTwilio, sms: TwilioSms, fault: str
) -> None:
    notice = box.write()
    twilio.faults.append(fault)
    box.send(sms)
    assert (box.row(notice).state, box.row(notice).failure) == ("waiting", None)
    box.later(minutes=5)
    assert box.send(sms) == 1
    assert box.row(notice).state == "sent"
    assert (len(twilio.messages), twilio.lists) == (1, 1)


def test_two_notices_in_the_same_words_are_both_told_and_neither_twice(
    box: Outbox, twilio: FakeTwilio, sms: TwilioSms
) -> None:
    ids = [box.write() for _ in range(3)]
    twilio.faults += ["", "taken, then 500", "500"]
    assert box.send(sms) == 3
    box.later(minutes=5)
    assert box.send(sms) == 2
    assert {box.row(each).state for each in ids} == {"sent"}
    assert len({box.row(each).provider_id for each in ids}) == len(twilio.messages) == 3


def test_what_can_not_be_looked_for_is_not_sent_again_but_dies(
    box: Outbox, twilio: FakeTwilio, sms: TwilioSms
) -> None:
    notice = box.write()
    twilio.faults.append("taken, then 500")
    box.send(sms)
    for _ in range(queue.TRIES - 1):
        twilio.list_faults.append("503")
        box.later(minutes=5)
        assert box.send(sms) == 1
    assert (box.row(notice).state, box.row(notice).failure) == ("dead", None)
    assert len(twilio.messages) == 1
    assert alerts(box) == [
        "notices by sms are dead: not known whether they were sent; see `ivr notices dead`"
    ]
    again = box.database.transact_now(queue.send_again, notice, box.at)
    assert again
    assert box.send(sms) == 1  # an operator has it sent again: it is found, and nothing is sent
    assert (box.row(again).state, len(twilio.messages)) == ("sent", 1)


def test_a_number_that_is_none_is_refused_for_good(box: Outbox, twilio: FakeTwilio, sms: TwilioSms) -> None:
    notice = box.write("+1")
    box.send(sms)
    assert box.row(notice).state == "failed"
    assert box.row(notice).failure.startswith("21211: ")
    box.later(days=2)
    assert box.send(sms) == 0
    assert alerts(box) == []


def test_who_has_answered_stop_to_the_carrier_is_sent_nothing_any_more(
    box: Outbox, twilio: FakeTwilio, sms: TwilioSms
) -> None:
    gone = "+12175551610"
    notices = [box.write(gone), box.write(gone)]
    box.send(sms)
    assert [box.row(each).state for each in notices] == ["opted_out", "opted_out"]
    assert len(twilio.asked) == 1
    assert box.database.read_now(opted) == [gone]
    assert box.row(box.write(gone)).state == "opted_out"


def test_a_token_that_is_refused_is_told_to_operators_at_once(box: Outbox, twilio: FakeTwilio) -> None:
    notice = box.write()
    box.send(sms_by(twilio, token="wrong"))
    assert alerts(box) == [
        "no sms can be sent until this is mended: 20003: Unable to create record: Authenticate"
    ]
    box.later(minutes=1)
    box.send(sms_by(twilio))
    assert box.row(notice).state == "sent"


def test_a_notice_whose_words_do_not_fit_dies_and_holds_up_no_other(
    box: Outbox, twilio: FakeTwilio, sms: TwilioSms
) -> None:
    wrong, right = box.write(day="Monday"), box.write()
    box.send(sms)
    assert [box.row(each).state for each in (wrong, right)] == ["dead", "sent"]
    assert "told ['day'], but it has ['balance']" in box.row(wrong).failure
    assert len(twilio.asked) == 1


def test_what_has_waited_for_days_is_not_told_by_itself(
    box: Outbox, twilio: FakeTwilio, sms: TwilioSms
) -> None:
    notice = box.write()
    box.later(days=3, seconds=1)
    assert box.send(sms) == 0
    assert (box.row(notice).state, box.row(notice).failure) == ("dead", queue.TOO_LATE)
    assert box.database.transact_now(queue.send_again, notice, box.at)
    assert box.send(sms) == 1
    assert len(twilio.messages) == 1


def test_who_begins_a_try_begins_it_alone(box: Outbox) -> None:
    notice = box.write()
    assert box.database.transact_now(queue.begin, notice, box.at) is not None
    assert box.database.transact_now(queue.begin, notice, box.at) is None


@pytest.mark.parametrize("moment", ["before the request", "after the request"])
def test_a_death_around_the_request_loses_nothing_and_sends_nothing_twice(
    box: Outbox, twilio: FakeTwilio, sms: TwilioSms, database_url: str, moment: str
) -> None:
    notice = box.write()
    words = [
        sys.executable,
        "-m",
        "tests.notices.dying",
        database_url,
        twilio.url,
        box.at.isoformat(),
        moment,
    ]
    dead = subprocess.run(words, check=False, capture_output=True, env=os.environ, timeout=60)
    assert dead.returncode == -signal.SIGKILL, dead.stderr
    assert len(twilio.messages) == (1 if moment == "after the request" else 0)
    assert (box.row(notice).state, box.row(notice).tries) == ("waiting", 1)
    box.later(minutes=5)
    assert box.send(sms) == 1
    assert box.row(notice).state == "sent"
    assert len(twilio.messages) == 1


def test_a_trial_accounts_first_words_do_not_hide_a_message(
    box: Outbox, twilio: FakeTwilio, sms: TwilioSms
) -> None:
    notice = box.write()
    twilio.faults.append("taken, then 500")
    box.send(sms)
    twilio.messages[0]["body"] = f"Sent from your Twilio trial account - {twilio.messages[0]['body']}"
    box.later(minutes=5)
    box.send(sms)
    assert box.row(notice).provider_id == twilio.messages[0]["sid"]
    assert json.loads(box.row(notice).told) == {"balance": "1.50"}


LOGGED = """
import sys
from ivr import log
from ivr.notices.outcomes import Notice, Sent
from tests.fakes.twilio import FakeTwilio
from tests.notices.conftest import FAMILY, sms_by
log.set_up("text", "debug")
notice = Notice(1, "low_balance", "sms", FAMILY, "en", {"balance": "1.50"}, 0, 1, False)
sms = sms_by(FakeTwilio(url=sys.argv[1]))
assert isinstance(sms.send(notice), Sent) and isinstance(sms.find(notice, frozenset()), Sent)
"""


def test_no_log_names_whom_an_sms_is_for(twilio: FakeTwilio) -> None:
    words = [sys.executable, "-c", LOGGED, twilio.url]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert (len(twilio.messages), twilio.lists) == (1, 1)
    assert FAMILY.removeprefix("+") not in done.stderr + done.stdout
