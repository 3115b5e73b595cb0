"""Every kind of notice has its words in both languages, and values are written as people there write them."""

from collections.abc import Mapping
from pathlib import Path
from secrets import token_urlsafe

import pytest

from accounts.outbox import NoticeKind
from accounts.payments import CODE_BYTES
from ivr.config import LONGEST_PUBLIC_URL
from ivr.notices.texts import FILE, LOCALES, TextError, Texts
from ivr.paging import MOST_TOLD
from ivr.processor.redirect import way_to
from tests.notices.conftest import NAME, TEXTS

#: The letters of GSM 03.38, each of which takes one place; "€" and a few others take two.
GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: About the longest that each variable is told.
LONGEST: Mapping[str, object] = {
    "amount": "1234.50",
    "balance": "1234.50",
    "calls": 1000,
    "card": "Mastercard 4242",
    "cost": "123.50",
    "date": "2026-09-30",
    "days": 170,
    "facility": "Northern Example Correctional Institution",
    "minutes": 120,
    "month": "2026-09",
    "number": "+12175550101",
    "price": "1234.50",
    "reason": "switched_off",
    "alerts": 1000,
    "first": "x" * MOST_TOLD,
    "inmate": "1001",
    "call": "3f2a91c4",
    "url": way_to("https://" + "a" * (LONGEST_PUBLIC_URL - 8), token_urlsafe(CODE_BYTES)),
}
EVERY = [(kind, language) for kind in NoticeKind for language in LOCALES]


def told(kind: NoticeKind, **other: object) -> dict[str, object]:
    return {name: other.get(name, LONGEST[name]) for name in TEXTS.variables[kind]}


def segments(text: str) -> int:
    """How many messages of the network an SMS takes."""
    whole, part = (160, 153) if set(text) <= set(GSM) else (70, 67)
    return 1 if len(text) <= whole else -(-len(text) // part)


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_an_sms_says_who_it_is_from_and_how_to_end_them_in_two_parts_at_most(
    kind: NoticeKind, language: str
) -> None:
    text = TEXTS.sms(kind, language, told(kind), sender=NAME)
    assert text.startswith(f"{NAME}: ")
    assert text.endswith({"en": "Reply STOP to end texts.", "es": "Responda ALTO para terminar."}[language])
    assert "{" not in text
    assert segments(text) <= 2, (segments(text), text)


def test_sms_keep_to_the_networks_letters_but_for_spanish_days() -> None:
    others = {
        (kind, language)
        for kind, language in EVERY
        if not set(TEXTS.sms(kind, language, told(kind), sender=NAME)) <= set(GSM)
    }
    assert others == {(NoticeKind.IDLE_ACCOUNT, "es")}


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_a_mail_has_a_subject_of_one_line_and_says_who_it_is_from(kind: NoticeKind, language: str) -> None:
    mail = TEXTS.email(kind, language, told(kind), sender=NAME)
    assert 5 < len(mail.subject) <= 78
    assert "\n" not in mail.subject
    assert mail.body.endswith(f"\n\n{NAME}\n")
    assert "{" not in mail.subject + mail.body
    assert not mail.body[0].isspace()


@pytest.mark.parametrize(
    ("language", "calls", "expected"),
    [
        ("en", 0, "has 0 calls left in"),
        ("en", 1, "has 1 call left in"),
        ("en", 5, "has 5 calls left in"),
        ("es", 0, "le quedan 0 llamadas en"),
        ("es", 1, "le queda 1 llamada en"),
        ("es", 5, "le quedan 5 llamadas en"),
        ("es", 1_000_000, "le quedan 1,000,000 llamadas en"),
    ],
)
def test_one_is_not_said_as_several(language: str, calls: int, expected: str) -> None:
    kind = NoticeKind.NEAR_CALL_LIMIT
    assert expected in TEXTS.sms(kind, language, told(kind, calls=calls), sender=NAME)


def test_a_receipt_in_both_languages() -> None:
    what = {"number": "+12175550101", "minutes": 1, "cost": "0.06", "balance": "1234.5"}
    assert TEXTS.sms(NoticeKind.RECEIPT, "en", what, sender="S") == (
        "S: Call with (217) 555-0101: 1 minute, $0.06. Balance: $1,234.50. Reply STOP to end texts."
    )
    assert TEXTS.sms(NoticeKind.RECEIPT, "es", {**what, "minutes": 2, "cost": "0.0625"}, sender="S") == (
        "S: Llamada con (217) 555-0101: 2 minutos, $0.0625. Saldo: $1,234.50. Responda ALTO para terminar."
    )


def test_dates_months_and_foreign_numbers() -> None:
    kind = NoticeKind.RENEWAL_FAILED
    what = {"number": "+525512345678", "date": "2026-12-01"}
    assert "for +52 55 1234 5678 could" in TEXTS.sms(kind, "en", what, sender="S")
    assert "Desde el 1 de diciembre de 2026 las" in TEXTS.sms(kind, "es", what, sender="S")
    month = {"month": "2026-12"}
    assert "for December 2026 is" in TEXTS.sms(NoticeKind.STATEMENT_READY, "en", month, sender="S")
    assert "de diciembre de 2026 ya" in TEXTS.sms(NoticeKind.STATEMENT_READY, "es", month, sender="S")


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (NoticeKind.LOW_BALANCE, {}),
        (NoticeKind.LOW_BALANCE, {"balance": "1", "more": "1"}),
        (NoticeKind.LOW_BALANCE, {"balance": "much"}),
        (NoticeKind.NEAR_CALL_LIMIT, {"number": "+12175550101", "calls": "5"}),
        (NoticeKind.NEAR_CALL_LIMIT, {"number": "nobody", "calls": 5}),
        (NoticeKind.CARD_EXPIRING, {"card": "Visa 4242", "date": "tomorrow"}),
        (NoticeKind.MISSED_CALL, {"facility": "Jail", "number": "+12175550101", "reason": "fate"}),
        (NoticeKind.STATEMENT_READY, {"month": "May"}),
    ],
)
def test_what_a_text_can_not_tell_is_refused(kind: NoticeKind, what: Mapping[str, object]) -> None:
    with pytest.raises(TextError, match=str(kind)):
        TEXTS.sms(kind, "en", what, sender=NAME)


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("[low_balance]", "[high_balance]", "kinds without"),
        ('{ balance = "money" }', '{ balance = "coins" }', "low_balance: 'coins'"),
        ("Your balance is {balance}. Add", "Add", "low_balance.en: uses other variables"),
        ('calls = { one = "{n} call left", other', "calls = { other", "near_call_limit.en.calls: expected"),
        ("[low_balance.es]", "[low_balance.fr]", "low_balance.es: has"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(tmp_path: Path, old: str, new: str, mistake: str) -> None:
    text = FILE.read_text("utf-8")
    assert old in text
    path = tmp_path / "texts.toml"
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(TextError, match=mistake):
        Texts.load(path)
