"""The card processor that the settings name, with the secrets that operators have put beside them."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from starlette.routing import Route

from accounts.db import Database
from ivr.config import Settings
from ivr.keyring import Keyring
from ivr.processor import redirect
from ivr.processor.interface import Processor

KEY_FILE: Final = "stripe_key"
WEBHOOK_FILE: Final = "stripe_webhook_secret"


def processor(settings: Settings, keyring: Keyring) -> Processor | None:
    """Who takes payments by card; None where nobody does. Raises KeyringError where the secret is missing."""
    if not settings.card_processor:
        return None
    from ivr.processor.stripe import Stripe  # noqa: PLC0415 - a slow import, for those who take cards

    api = settings.stripe_api or None
    return Stripe(keyring.given(KEY_FILE), pages_end_at=f"{settings.public_url}/thanks", api=api)


def pages(
    settings: Settings, keyring: Keyring, database: Database, now: Callable[[], datetime]
) -> list[Route]:
    """What the processor and payers call here; raises KeyringError where the secret of its signatures is missing."""
    if not settings.card_processor:
        return []
    from ivr.processor import webhooks  # noqa: PLC0415 - as above

    return [*webhooks.routes(keyring.given(WEBHOOK_FILE), database, now), *redirect.routes(database)]
