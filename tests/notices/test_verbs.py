"""`ivr notices`: what operators see of notices, and do."""

import json

import pytest
from sqlalchemy import select

from ivr.facility.audit import audit
from ivr.notices.sms import TwilioSms
from tests.controller.conftest import Ivr
from tests.fakes.twilio import ACCOUNT, FROM, FakeTwilio
from tests.notices.conftest import FAMILY, MAIL, Outbox

NOTE = ("--note", "The family has asked")


@pytest.fixture
def sender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_TWILIO_ACCOUNT", ACCOUNT)
    monkeypatch.setenv("IVR_TWILIO_SENDER", FROM)
    monkeypatch.setenv("IVR_NOTICES_NAME", "Example Phone Service")


def test_what_waits_without_a_sender_says_so(ivr: Ivr, on_database: str, box: Outbox) -> None:
    box.write()
    box.write(f"a.very.long.name.of.{MAIL}", channel="email")
    listed = ivr("notices", "list")
    lines = listed.out.splitlines()
    assert lines[0].split() == ["no.", "written", "kind", "to", "state", "why"]
    assert "no sender is" in lines[1]
    assert lines[-2:] == [
        "1 by email wait, since no sender is set: smtp_host, smtp_from",
        "1 by sms wait, since no sender is set: twilio_account, twilio_sender",
    ]
    assert max(map(len, lines)) <= 80


@pytest.mark.usefixtures("sender")
def test_nothing_is_said_of_what_is_well(ivr: Ivr, on_database: str, box: Outbox) -> None:
    assert ivr("notices", "list").out == "No notices.\n"
    assert ivr("notices", "dead").out == "No dead notices.\n"
    box.write()
    told = json.loads(ivr("notices", "list", "--json").out)
    assert (told["state"], told["why"], told["to"]) == ("waiting", "", FAMILY)
    assert ivr("notices", "list", "--state", "dead").out == "No notices.\n"
    assert "low_balance" in ivr("notices", "list", "--to", FAMILY).out


@pytest.mark.usefixtures("sender")
def test_a_notice_is_shown_with_its_words(ivr: Ivr, on_database: str, box: Outbox) -> None:
    notice, mail = box.write(), box.write(MAIL, channel="email", language="es")
    shown = ivr("notices", "show", str(notice)).out
    assert f"to:            {FAMILY} (sms, en)\n" in shown
    assert "tries:         0\n" in shown
    assert shown.endswith(
        "\nExample Phone Service: Your balance is $1.50. Add money to keep getting calls. Reply STOP to end texts.\n"
    )
    assert "\nSu saldo es bajo: $1.50\n\nEl saldo de su cuenta" in ivr("notices", "show", str(mail)).out
    wrong = box.write(day="Monday")
    assert "(can't be put into words: low_balance: told ['day']" in ivr("notices", "show", str(wrong)).out
    assert ivr("notices", "show", "999").err == "ivr: there is no notice 999\n"


@pytest.mark.usefixtures("sender")
def test_a_dead_notice_is_listed_until_it_is_sent_again(
    ivr: Ivr, on_database: str, box: Outbox, twilio: FakeTwilio, sms: TwilioSms
) -> None:
    gone, well = box.write("+1"), box.write()
    box.send(sms)
    assert "21211" in ivr("notices", "dead").out
    assert ivr("notices", "retry", str(well), *NOTE).err == (
        f"ivr: notice {well}: there is no dead or failed notice of this number\n"
    )
    done = ivr("notices", "retry", str(gone), *NOTE)
    new = box.rows()[-1].id
    assert done.out == f"notice {gone}: sent again as notice {new}\n"
    assert ivr("notices", "retry", str(gone), *NOTE).out == done.out
    assert len(box.rows()) == 3
    assert ivr("notices", "dead").out == "No dead notices.\n"
    logged = box.database.read_now(lambda conn: conn.execute(select(audit)).all())
    assert {(row.verb, row.about) for row in logged} == {("notices retry", f"notice {gone}")}


@pytest.mark.usefixtures("sender")
def test_what_is_in_doubt_says_so(
    ivr: Ivr, on_database: str, box: Outbox, twilio: FakeTwilio, sms: TwilioSms
) -> None:
    notice = box.write()
    twilio.faults.append("taken, then 500")
    box.send(sms)
    assert "why:           no answer: looked for before" in ivr("notices", "show", str(notice)).out


@pytest.mark.usefixtures("sender")
def test_staff_opt_a_number_out_and_in(
    ivr: Ivr, on_database: str, box: Outbox, twilio: FakeTwilio, sms: TwilioSms
) -> None:
    assert ivr("notices", "opt-out", "217 555 0101", *NOTE).out == f"{FAMILY}: gets no SMS any more\n"
    assert ivr("notices", "opt-out", FAMILY, *NOTE).out == f"{FAMILY}: got no SMS already\n"
    assert box.row(box.write()).state == "opted_out"
    assert ivr("notices", "opt-in", FAMILY, *NOTE).out == f"{FAMILY}: gets SMS again\n"
    assert ivr("notices", "opt-in", FAMILY, *NOTE).err == f"ivr: {FAMILY} has not opted out\n"
    assert ivr("notices", "opt-out", "nobody", *NOTE).err.startswith("ivr: number: ")
    assert box.row(box.write()).state == "waiting"
