"""A local server that speaks Twilio's REST for messages, and a client of the real library that reaches only it.

It checks what the real one checks and takes a script of faults. Callbacks are signed by Twilio's published algorithm
as it is written down here, not by the code under test.
"""

import base64
import hmac
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from twilio.http.response import Response

from ivr.notices.sms import Connections

ACCOUNT, TOKEN = "AC" + "a" * 32, "0123456789abcdef" * 2
FROM = "+12175550199"


def signature(url: str, fields: Mapping[str, str], token: str = TOKEN) -> str:
    """What stands in X-Twilio-Signature: HMAC-SHA1 over the URL and the sorted fields."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode()


@dataclass
class FakeTwilio:
    """What the server was asked and has taken. `faults`: what it does with the next requests for a message."""

    url: str = ""
    faults: list[str] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    lists: int = 0
    list_faults: list[str] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)

    def to(self, number: str) -> list[str]:
        """What this number was sent."""
        return [each["body"] for each in self.messages if each["to"] == number]

    def client(self, timeout: float = 1.0) -> Connections:
        """Connections that go here in place of Twilio's host, and nowhere else."""
        return _Redirected(self.url, timeout)


class _Redirected(Connections):
    def request(self, method: str, url: str, **more: Any) -> Response:
        assert urlsplit(url).hostname == "api.twilio.com", url
        return super().request(method, url, **more)


class _Handler(BaseHTTPRequestHandler):
    twilio: FakeTwilio

    def log_message(self, *_what: object) -> None:
        pass

    def _json(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _error(self, status: int, code: int, message: str) -> None:
        self._json(status, {"code": code, "message": message, "status": status})

    def _is_allowed(self) -> bool:
        expected = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if self.headers.get("Authorization") == expected:
            return True
        self._error(401, 20003, "Authenticate")
        return False

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        fields = dict(parse_qsl(self.rfile.read(length).decode(), keep_blank_values=True))
        self.twilio.asked.append((self.path, fields))
        if not self._is_allowed():
            return
        assert self.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", self.path
        fault = self.twilio.faults.pop(0) if self.twilio.faults else ""
        if fault in ("429", "500", "503"):
            self._error(int(fault), int(f"20{fault}"), "as scripted")
        elif fault == "drop":  # before anything was taken
            self.close_connection = True
        elif fault in ("taken, then dropped", "taken, then 500", "taken, then silent"):
            self.twilio.messages.append(_message(fields))
            self._broken(fault)
        else:
            self._create(fields)

    def _broken(self, fault: str) -> None:
        if fault.endswith("500"):
            self._error(500, 20500, "as scripted")
            return
        if fault.endswith("silent"):
            self.twilio.held.wait(5)
        self.close_connection = True

    def _create(self, fields: dict[str, str]) -> None:
        to = fields.get("To", "")
        if not re.fullmatch(r"\+[1-9]\d{6,14}", to):
            self._error(400, 21211, f"The 'To' number {to} is not a valid phone number.")
        elif to.endswith("1610"):
            self._error(400, 21610, "Attempt to send to unsubscribed recipient")
        elif not fields.get("Body"):
            self._error(400, 21602, "Message body is required.")
        else:
            message = _message(fields)
            self.twilio.messages.append(message)
            self._json(201, message)

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        self.twilio.lists += 1
        if not self._is_allowed():
            return
        if self.twilio.list_faults:
            self._error(int(self.twilio.list_faults.pop(0)), 20500, "as scripted")
            return
        to = dict(parse_qsl(asked.query)).get("To")
        found = [each for each in reversed(self.twilio.messages) if each["to"] == to]
        self._json(200, {"messages": found, "page": 0, "page_size": 100, "uri": self.path})


def _message(fields: Mapping[str, str]) -> dict[str, Any]:
    sid = f"SM{time.monotonic_ns():032x}"
    now = format_datetime(datetime.now(UTC))
    return {
        "sid": sid,
        "account_sid": ACCOUNT,
        "to": fields["To"],
        "from": fields.get("From"),
        "messaging_service_sid": fields.get("MessagingServiceSid"),
        "body": fields["Body"],
        "status": "queued",
        "direction": "outbound-api",
        "date_created": now,
        "date_updated": now,
        "date_sent": None,
        "error_code": None,
        "error_message": None,
        "num_segments": "1",
        "num_media": "0",
        "price": None,
        "price_unit": "USD",
        "api_version": "2010-04-01",
        "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}.json",
        "subresource_uris": {},
    }


@contextmanager
def twilio_server() -> Iterator[FakeTwilio]:
    """It runs until the block ends."""
    twilio = FakeTwilio()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"twilio": twilio}))
    server.daemon_threads = True
    twilio.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield twilio
    finally:
        twilio.held.set()
        server.shutdown()
        thread.join()
        server.server_close()
