"""A local mail server (aiosmtpd) with a script of faults, and certificates of its own."""

import asyncio
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from pathlib import Path
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from dialplan.ports import free_ports
from ivr.notices.mail import Server

USER, PASSWORD = "notices", "correct horse"


@dataclass
class PostOffice:
    """What it has taken, and what it answers to the next mails."""

    port: int = 0
    taken: list[Message] = field(default_factory=list)
    secure: list[bool] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    arrived: threading.Event = field(default_factory=threading.Event)

    @property
    def mails(self) -> list[EmailMessage]:
        return [cast(EmailMessage, each) for each in self.taken]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.unknown:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith(("250", "silent")):
            self.taken.append(message_from_bytes(cast(bytes, envelope.content), policy=default))
            self.secure.append(session.ssl is not None)
            self.arrived.set()
        if answer == "silent":  # it has the mail, and the line breaks before it says so
            cast(asyncio.Transport, server.transport).abort()
        return answer


def _logged_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    known = LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=data == known, handled=False)


@contextmanager
def post_office(**more: Any) -> Iterator[PostOffice]:
    """It runs on a free port until the block ends."""
    office = PostOffice(free_ports(1)[0])
    controller = Controller(office, hostname="127.0.0.1", port=office.port, **more)
    controller.start()
    try:
        yield office
    finally:
        controller.stop()


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's side and a client's side that trust the same new certificate of 127.0.0.1."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    words = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    made = [*words, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(made, check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    return server, ssl.create_default_context(cafile=str(cert))


def by_starttls(server_side: ssl.SSLContext) -> dict[str, Any]:
    """What a mail server is told to want TLS and a login before anything."""
    return {
        "tls_context": server_side,
        "require_starttls": True,
        "auth_required": True,
        "authenticator": _logged_in,
    }


def plain(office: PostOffice, **more: Any) -> Server:
    return Server("127.0.0.1", office.port, "none", timeout_seconds=2.0, **more)
