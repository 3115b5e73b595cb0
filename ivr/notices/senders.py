"""Who sends notices: what the settings name, with the secrets that operators have put beside them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from starlette.routing import Route

from accounts.db import Database
from ivr.config import Settings
from ivr.keyring import Keyring
from ivr.notices.mail import Server, SmtpMail
from ivr.notices.outcomes import Sender
from ivr.notices.texts import Texts

#: Its first line is what we show to Twilio; every line is believed in callbacks, so that a token can be renewed.
TOKEN_FILE: Final = "twilio_auth_token"  # noqa: S105 - the name of a file
PASSWORD_FILE: Final = "smtp_password"  # noqa: S105 - the name of a file


def senders(settings: Settings, keyring: Keyring) -> Mapping[str, Sender]:
    """The sender of each channel that has one; raises KeyringError where its secret is missing."""
    texts, found = Texts.load(), dict[str, Sender]()
    if settings.twilio_account:
        from ivr.notices.sms import Connections, TwilioSms  # noqa: PLC0415 - a slow import, for those who send SMS

        found["sms"] = TwilioSms(
            texts,
            account=settings.twilio_account,
            token=_tokens(keyring)[0],
            sender=settings.twilio_sender,
            name=settings.notices_name,
            public_url=settings.public_url,
            http=Connections(settings.twilio_api),
        )
    if settings.smtp_host:
        server = Server(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_security,
            settings.smtp_user,
            keyring.given(PASSWORD_FILE) if settings.smtp_user else "",
        )
        found["email"] = SmtpMail(texts, server, address=settings.smtp_from, name=settings.notices_name)
    return found


def pages(
    settings: Settings, keyring: Keyring, database: Database, now: Callable[[], datetime]
) -> list[Route]:
    """What Twilio calls here, where it can reach us; raises KeyringError where its secret is missing."""
    if not (settings.twilio_account and settings.public_url):
        return []
    from ivr.notices.webhooks import Carrier, routes  # noqa: PLC0415 - as above

    return routes(Carrier(settings.twilio_account, _tokens(keyring), settings.public_url), database, now)


def _tokens(keyring: Keyring) -> tuple[str, ...]:
    return tuple(keyring.given(TOKEN_FILE).split())
