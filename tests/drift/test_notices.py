"""What notices are told and what their texts have places for are the same, both ways."""

import ast
from collections.abc import Iterator
from pathlib import Path

from accounts.outbox import NoticeKind
from ivr.notices.texts import LOCALES, Texts
from ivr.policy.reasons import Denial, Outcome

ROOT = Path(__file__).parents[2]
TEXTS = Texts.load()
#: What each kind is told, as those who write notices and those who word them have agreed.
TOLD = {
    NoticeKind.LOW_BALANCE: {"balance"},
    NoticeKind.NEAR_CALL_LIMIT: {"number", "calls"},
    NoticeKind.RENEWAL_SOON: {"number", "date", "price"},
    NoticeKind.RENEWED: {"number", "calls", "date", "price"},
    NoticeKind.RENEWAL_FAILED: {"number", "date"},
    NoticeKind.CARD_EXPIRING: {"card", "date"},
    NoticeKind.REFUNDED: {"amount"},
    NoticeKind.INCOMING_CALL: {"facility", "number"},
    NoticeKind.MISSED_CALL: {"facility", "number", "reason"},
    NoticeKind.RECEIPT: {"number", "minutes", "cost", "balance"},
    NoticeKind.PAYMENT_LINK: {"url", "amount"},
    NoticeKind.IDLE_ACCOUNT: {"days", "balance"},
    NoticeKind.DROPPED_CALL: {"number"},
    NoticeKind.STATEMENT_READY: {"month"},
    NoticeKind.MONEY_LEFT: {"facility", "balance"},
    NoticeKind.WATCHED_CALL: {"facility", "number", "inmate", "call"},
    NoticeKind.ALERT: {"alerts", "first"},
}
#: Why two did not talk though the call was paid for, or would have been.
MISSED = {str(each) for each in Outcome} - {"completed", "limit_reached", "payment_offered"} | {
    str(Denial.SWITCHED_OFF),
    str(Denial.FUNDS_TOO_LOW),
}


def _written() -> Iterator[tuple[str, NoticeKind, set[str]]]:
    """Every notice that code writes with its variables in the same call."""
    for path in [*(ROOT / "accounts").rglob("*.py"), *(ROOT / "ivr").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            kind, told = given.get("kind"), given.get("told")
            if (
                isinstance(kind, ast.Attribute)
                and isinstance(told, ast.Dict)
                and "NoticeKind" in ast.dump(kind)
            ):
                keys = {key.value for key in told.keys if isinstance(key, ast.Constant)}
                yield str(path), NoticeKind[kind.attr], {str(key) for key in keys}


def test_every_kind_has_its_text_in_every_language_with_the_variables_agreed_on() -> None:
    assert set(TOLD) == set(NoticeKind)
    assert {kind: set(variables) for kind, variables in TEXTS.variables.items()} == TOLD
    assert set(TEXTS.texts) == {(kind, language) for kind in NoticeKind for language in LOCALES}
    assert set(TEXTS.layout) == set(TEXTS.reasons) == set(LOCALES)


def test_whoever_writes_a_notice_tells_what_its_text_has_places_for() -> None:
    found = list(_written())
    assert found
    for place, kind, told in found:
        assert told == TOLD[kind], place


def test_every_reason_of_a_missed_call_has_its_words_and_no_other_has() -> None:
    for language in LOCALES:
        assert set(TEXTS.reasons[language]) == MISSED
