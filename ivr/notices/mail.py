"""E-mail by SMTP. A server that took a mail and could not say so leaves it in doubt; that mail is not sent again."""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, formatdate
from typing import Final, Literal

from ivr.notices.outcomes import GivenUp, Notice, NotSent, Outcome, Refused, Sent, Unknown
from ivr.notices.texts import TextError, Texts

TIMEOUT_SECONDS: Final = 15.0
IN_DOUBT: Final = "not known whether the mail server took it"
_POLICY: Final = SMTP.clone(cte_type="7bit")  # every server takes it
Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed in; without a user nobody logs in. `none` is for a server on this host."""

    host: str
    port: int
    security: Security = "starttls"
    user: str = ""
    password: str = ""
    timeout_seconds: float = TIMEOUT_SECONDS
    tls: ssl.SSLContext | None = None  # none: the system's certificates

    def connect(self) -> smtplib.SMTP:
        """A connection as safe as it is to be, logged in; raises OSError or smtplib.SMTPException."""
        context = self.tls or ssl.create_default_context()
        if self.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=self.timeout_seconds, context=context
            )
        else:
            smtp = smtplib.SMTP(self.host, self.port, timeout=self.timeout_seconds)
        try:
            if self.security == "starttls":
                smtp.starttls(context=context)
            if self.user:
                smtp.login(self.user, self.password)
            smtp.ehlo_or_helo_if_needed()
        except BaseException:
            smtp.close()
            raise
        return smtp


class SmtpMail:
    """Sends mail from one address, in the name of the provider."""

    def __init__(self, texts: Texts, server: Server, *, address: str, name: str) -> None:
        self._texts = texts
        self._server = server
        self._address = address
        self._name = name

    def send(self, notice: Notice) -> Outcome:
        """Send it now."""
        try:
            message = self._message(notice)
        except (TextError, ValueError) as error:  # ValueError: an address that can't stand in a header
            return GivenUp(str(error))
        try:
            smtp = self._server.connect()
        except smtplib.SMTPAuthenticationError as failure:
            return NotSent(_told(failure), ours=True)
        except (OSError, smtplib.SMTPException) as failure:
            return NotSent(_told(failure))
        try:
            return self._hand_in(smtp, message, notice.recipient)
        finally:
            smtp.close()

    def find(self, notice: Notice, others: frozenset[str]) -> Outcome:  # noqa: ARG002 - as senders that can look
        """Nothing tells what a mail server took: rather not told than told twice."""
        return GivenUp(IN_DOUBT)

    def _hand_in(self, smtp: smtplib.SMTP, message: EmailMessage, recipient: str) -> Outcome:
        """Until the content is sent nothing was taken; from then on only an answer tells."""
        try:
            code, answer = smtp.mail(self._address)
            if code >= 400:  # that is said of us, not of the recipient
                return NotSent(_words(code, answer), ours=code >= 500)
            code, answer = smtp.rcpt(recipient)
            if code >= 400:
                return _answered(code, answer)
        except (OSError, smtplib.SMTPException) as failure:
            return NotSent(_told(failure))
        try:
            code, answer = smtp.data(message.as_bytes())
        except smtplib.SMTPDataError as failure:  # it did not want the content
            return _answered(failure.smtp_code, failure.smtp_error)
        except (OSError, smtplib.SMTPException) as failure:
            return Unknown(_told(failure))
        return Sent(str(message["Message-ID"])) if code < 400 else _answered(code, answer)

    def _message(self, notice: Notice) -> EmailMessage:
        """The same Message-ID at every try, so that whoever has it twice after all can be shown it once."""
        words = self._texts.email(notice.kind, notice.language, notice.told, sender=self._name)
        message = EmailMessage(policy=_POLICY)
        message["Message-ID"] = f"<notice-{notice.id}.{notice.made_at_s}@{self._address.rpartition('@')[2]}>"
        message["Date"] = formatdate(notice.made_at_s, usegmt=True)
        message["From"] = formataddr((self._name, self._address))
        message["To"] = notice.recipient
        message["Subject"] = words.subject
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence is answered to us
        message.set_content(words.body)
        message["Content-Language"] = notice.language
        return message


def _answered(code: int, answer: bytes | str) -> Outcome:
    return Refused(_words(code, answer)) if code >= 500 else NotSent(_words(code, answer))


def _words(code: int, answer: bytes | str) -> str:
    words = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return f"{code}: {' '.join(words.split())}"


def _told(failure: Exception) -> str:
    if isinstance(failure, smtplib.SMTPResponseException):
        return _words(failure.smtp_code, failure.smtp_error)
    return f"{type(failure).__name__}: {failure}"
