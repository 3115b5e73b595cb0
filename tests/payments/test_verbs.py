"""Staff send holders to the processor's pages, see what came of payments, and have them tried again."""

from pathlib import Path

import pytest

from accounts import holders, payments
from accounts.payment_tables import PaymentKind, PaymentState
from ivr.config import ConfigError, Settings, load_settings
from ivr.keyring import Keyring, KeyringError
from ivr.processor import setup
from ivr.processor.stripe import Stripe
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.payments.test_paying import FAMILY, ask, row_of
from tests.transcripts.play import World

NOTE = ("--note", "The holder asked")


@pytest.fixture
def by_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor is set up."""
    monkeypatch.setenv("IVR_CARD_PROCESSOR", "stripe")
    monkeypatch.setenv("IVR_PUBLIC_URL", "https://calls.example")


def test_a_holder_is_sent_to_a_page_once(ivr: Ivr, world: World, on_database: str, by_card: None) -> None:
    world.database.transact_now(
        lambda conn: holders.put_holder(conn, FAMILY, world.at, email="a@example.org")
    )
    pay = ("account", "deposit-page", FAMILY, "12.50", *NOTE, "--reference", "r1")
    assert ivr(*pay).out == f"{FAMILY}: a page to pay in $12.50 will be sent (deposit/r1)\n"
    assert ivr(*pay).out == f"{FAMILY}: a page to pay in $12.50 was asked for before (deposit/r1)\n"
    other = ivr("account", "deposit-page", FAMILY, "13.00", *NOTE, "--reference", "r1")
    assert (other.status, other.err) == (1, "ivr: reference: r1 was another payment's\n")
    card = ivr("account", "card-page", FAMILY, *NOTE, "--reference", "r2").out
    assert card == f"{FAMILY}: a page to put a card on file will be sent (card/r2)\n"
    assert (row_of(world, "deposit/r1").amount, row_of(world, "card/r2").amount) == (12_500_000, 0)
    listed = ivr("payments", "list").out
    assert "12.50" in listed
    assert max(map(len, listed.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("deposit-page", FAMILY, "5"), "its holder has no mobile number and no e-mail address"),
        (("deposit-page", FAMILY, "1.005"), "amount: expected whole cents"),
        (("deposit-page", FAMILY, "0.49"), "amount: expected at least $0.50"),
        (("card-page", "nobody"), "there is no account nobody"),
    ],
)
def test_what_cant_be_sent_is_told_in_a_line(
    ivr: Ivr, world: World, on_database: str, by_card: None, *, words: tuple[str, ...], told: str
) -> None:
    said = ivr("account", *words, *NOTE)
    assert (said.status, said.err.count("\n")) == (1, 1)
    assert told in said.err


def test_without_a_processor_the_verbs_say_so(ivr: Ivr, world: World, on_database: str) -> None:
    for words in (("account", "card-page", FAMILY), ("payments", "retry", "x")):
        assert ivr(*words, *NOTE).err == (
            "ivr: no card processor is set up: see card_processor in docs/payments.md\n"
        )


def test_a_payment_that_was_given_up_is_tried_again(
    ivr: Ivr, world: World, on_database: str, by_card: None
) -> None:
    ask(world, "reload/x", PaymentKind.RELOAD)
    world.database.transact_now(payments.leave, "reload/x", world.at, failure="Timeout")
    assert ivr("payments", "retry", "reload/x", *NOTE).out == "reload/x: will be tried again\n"
    assert row_of(world, "reload/x").next_try_at is not None
    world.database.transact_now(lambda conn: payments.move(conn, "reload/x", PaymentState.VOIDED, world.at))
    assert ivr("payments", "retry", "reload/x", *NOTE).err == (
        "ivr: reload/x is voided: nothing is to be done with it\n"
    )
    assert steps.available(world) == 5_000_000


def test_the_settings_name_a_processor_whose_secrets_lie_beside_them(tmp_path: Path, by_card: None) -> None:
    settings, keyring = load_settings(), Keyring(tmp_path)
    with pytest.raises(KeyringError, match="stripe_key"):
        setup.processor(settings, keyring)
    (tmp_path / "stripe_key").touch(mode=0o600)
    (tmp_path / "stripe_key").write_text("sk_test_loopback\n")
    assert isinstance(setup.processor(settings, keyring), Stripe)
    assert setup.processor(Settings(), keyring) is not None
    assert setup.processor(Settings(card_processor=""), keyring) is None


def test_a_processor_needs_an_address_that_it_can_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_CARD_PROCESSOR", "stripe")
    with pytest.raises(ConfigError, match="public_url: expected, since card_processor is set"):
        load_settings()
