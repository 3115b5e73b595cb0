"""E-mail by SMTP to a local mail server: by TLS, once, and never again where nobody knows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.notices import queue
from ivr.notices.mail import IN_DOUBT, Server, SmtpMail
from ivr.records.alerts import open_alerts
from tests.notices.conftest import MAIL, NAME, TEXTS, Outbox
from tests.notices.post_office import (
    PASSWORD,
    USER,
    PostOffice,
    by_starttls,
    certificate,
    plain,
    post_office,
)

ADDRESS = "notices@calls.example.com"


def mail_by(server: Server) -> SmtpMail:
    return SmtpMail(TEXTS, server, address=ADDRESS, name=NAME)


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as running:
        yield running


def write(box: Outbox, recipient: str = MAIL, language: str = "en") -> int:
    return box.write(recipient, channel="email", language=language)


def test_a_mail_is_sent_once_in_the_holders_language(box: Outbox, office: PostOffice) -> None:
    notice = write(box)
    write(box, "otra@example.com", "es")
    assert box.send(mail_by(plain(office)), "email") == 2
    assert box.send(mail_by(plain(office)), "email") == 0
    english, spanish = office.mails
    assert english["To"] == MAIL
    assert english["From"] == f"{NAME} <{ADDRESS}>"
    assert english["Subject"] == "Your balance is low: $1.50"
    assert english.get_content().endswith(f"and no least amount.\r\n\r\n{NAME}\r\n")
    assert english["Message-ID"] == box.row(notice).provider_id
    assert english["Auto-Submitted"] == "auto-generated"
    assert spanish["Content-Language"] == "es"
    assert "No hay ningún cargo por hacerlo ni un monto mínimo." in spanish.get_content()
    assert {row.state for row in box.rows()} == {"sent"}


def test_by_starttls_with_a_login_as_by_default(box: Outbox, tmp_path: Path) -> None:
    theirs, ours = certificate(tmp_path)
    with post_office(**by_starttls(theirs)) as office:
        notice = write(box)
        wrong = Server("127.0.0.1", office.port, user=USER, password="wrong", tls=ours)
        box.send(mail_by(wrong), "email")
        assert box.row(notice).failure.startswith("535: ")
        told = box.database.read_now(open_alerts)
        assert [each.text.partition(": ")[0] for each in told] == [
            "no email can be sent until this is mended"
        ]
        box.later(minutes=1)
        right = Server("127.0.0.1", office.port, user=USER, password=PASSWORD, tls=ours)
        box.send(mail_by(right), "email")
        assert box.row(notice).state == "sent"
        assert office.secure == [True]


def test_a_server_whose_certificate_is_not_trusted_gets_no_mail_and_no_password(
    box: Outbox, tmp_path: Path
) -> None:
    theirs, _ = certificate(tmp_path)
    with post_office(**by_starttls(theirs)) as office:
        notice = write(box)
        box.send(mail_by(Server("127.0.0.1", office.port, user=USER, password=PASSWORD)), "email")
        assert "CERTIFICATE_VERIFY_FAILED" in box.row(notice).failure
        assert box.row(notice).state == "waiting"
        assert office.taken == []


def test_a_server_without_tls_gets_no_mail_where_tls_is_wanted(box: Outbox, office: PostOffice) -> None:
    notice = write(box)
    box.send(mail_by(Server("127.0.0.1", office.port)), "email")
    assert "STARTTLS" in box.row(notice).failure
    assert office.taken == []


def test_a_mail_that_was_taken_without_an_answer_is_not_sent_again(box: Outbox, office: PostOffice) -> None:
    notice = write(box)
    office.answers.append("silent")
    box.send(mail_by(plain(office)), "email")
    assert (box.row(notice).state, box.row(notice).failure) == ("waiting", None)
    box.later(minutes=5)
    box.send(mail_by(plain(office)), "email")
    assert (box.row(notice).state, box.row(notice).failure) == ("dead", IN_DOUBT)
    assert len(office.taken) == 1
    again = box.database.transact_now(queue.send_again, notice, box.at)
    assert again
    box.send(mail_by(plain(office)), "email")  # an operator has decided
    assert box.row(again).state == "sent"


def test_a_busy_server_is_asked_again_and_one_that_refuses_is_not(box: Outbox, office: PostOffice) -> None:
    busy, refused = write(box), write(box)
    office.answers += ["451 4.3.0 try again later", "554 5.7.1 not wanted"]
    box.send(mail_by(plain(office)), "email")
    assert (box.row(busy).state, box.row(busy).failure) == ("waiting", "451: 4.3.0 try again later")
    assert (box.row(refused).state, box.row(refused).failure) == ("failed", "554: 5.7.1 not wanted")
    box.later(minutes=1)
    assert box.send(mail_by(plain(office)), "email") == 1
    assert box.row(busy).state == "sent"


def test_a_mailbox_that_there_is_not_is_refused_for_good(box: Outbox, office: PostOffice) -> None:
    office.unknown.add(MAIL)
    notice = write(box)
    box.send(mail_by(plain(office)), "email")
    assert (box.row(notice).state, box.row(notice).failure) == ("failed", "550: 5.1.1 no such mailbox")


def test_an_address_with_a_header_in_it_reaches_nobody(box: Outbox, office: PostOffice) -> None:
    notice = write(box, "a@example.com\r\nBcc: other@example.com")
    box.send(mail_by(plain(office)), "email")
    assert box.row(notice).state == "dead"
    assert office.taken == []


def test_a_server_that_is_not_there_is_tried_again(box: Outbox) -> None:
    notice = write(box)
    box.send(mail_by(Server("127.0.0.1", 9, "none")), "email")
    assert box.row(notice).state == "waiting"
    assert box.row(notice).failure.startswith("ConnectionRefusedError")
