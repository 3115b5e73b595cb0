"""What Twilio tells us: how a message got on, and what people have answered. Only what it has signed is believed.

A signature has no time in it, so that a request may come again: states move forward only, and each answer counts once.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

import structlog
from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from twilio.request_validator import RequestValidator

from accounts.db import Database, DatabaseError
from accounts.payment_tables import NoticeState
from ivr.notices import queue
from ivr.notices.sms import STATUS_PATH, UNSUBSCRIBED

log = structlog.get_logger(__name__)

SMS_PATH: Final = "/webhooks/twilio/sms"
MOST_BYTES: Final = 64 * 1024
MOST_FIELDS: Final = 200
#: How Twilio calls a message's progress. What it has not yet taken over to a network is the same to us as sent.
STATES: Final = {
    "accepted": NoticeState.SENT,
    "scheduled": NoticeState.SENT,
    "queued": NoticeState.SENT,
    "sending": NoticeState.SENT,
    "sent": NoticeState.SENT,
    "delivered": NoticeState.DELIVERED,
    "read": NoticeState.DELIVERED,
    "undelivered": NoticeState.FAILED,
    "failed": NoticeState.FAILED,
    "canceled": NoticeState.FAILED,
}
#: What ends SMS and what has them come again: those of 47 CFR 64.1200(a)(10) and Twilio's, and the Spanish ones.
STOP_WORDS: Final = frozenset(
    [
        "STOP",
        "STOPALL",
        "UNSUBSCRIBE",
        "CANCEL",
        "END",
        "QUIT",
        "REVOKE",
        "OPTOUT",
        "ALTO",
        "PARAR",
        "BAJA",
        "CANCELAR",
    ]
)
START_WORDS: Final = frozenset(["START", "UNSTOP", "YES", "ALTA", "EMPEZAR"])

Fields = ImmutableMultiDict[str, str]


@dataclass(frozen=True, slots=True)
class Carrier:
    """Our account, its tokens (the old one too, while it is renewed), and the address under which it reaches us."""

    account: str
    tokens: Sequence[str] = field(repr=False)
    public_url: str

    def has_signed(self, url: str, fields: Fields, signature: str | None) -> bool:
        """Whether a request for this URL (path and query) with these fields comes from our account."""
        if not signature or fields.get("AccountSid") != self.account:
            return False
        whole = f"{self.public_url}{url}"
        return any(RequestValidator(token).validate(whole, fields, signature) for token in self.tokens)


def routes(carrier: Carrier, database: Database, now: Callable[[], datetime]) -> list[Route]:
    """The two pages that Twilio calls."""

    async def status(request: Request) -> Response:
        fields = await _signed(request, carrier)
        if isinstance(fields, Response):
            return fields
        told = _told(fields)
        if told is not None:
            named = request.query_params.get("notice", "")
            notice_id = int(named) if re.fullmatch("[0-9]{1,9}", named) else None
            await database.transact(queue.carrier_told, notice_id, told, now())
        return Response(status_code=204)

    async def sms(request: Request) -> Response:
        fields = await _signed(request, carrier)
        if isinstance(fields, Response):
            return fields
        number, event_id = fields.get("From", ""), fields.get("MessageSid", "")
        word = wish(fields.get("Body", ""), fields.get("OptOutType", ""))
        if word is not None and number.startswith("+") and event_id:
            await database.transact(queue.answered, event_id, number, stop=word, at=now())
        return Response("<Response/>", media_type="text/xml")

    return [
        Route(STATUS_PATH, _or_later(status), methods=["POST"]),
        Route(SMS_PATH, _or_later(sms), methods=["POST"]),
    ]


def wish(body: str, opt_out_type: str = "") -> bool | None:
    """Whether an answer wants SMS to end (True) or to come again (False); None: neither.

    A word of those alone, whatever its case and punctuation; or what Twilio itself has taken it for.
    """
    words = "".join(letter if letter.isalnum() else " " for letter in body).upper().split()
    word = opt_out_type.upper() or "".join(words)  # "opt out" is "optout"
    if word in STOP_WORDS:
        return True
    return False if word in START_WORDS else None


def _told(fields: Fields) -> queue.CarrierTold | None:
    """What a status callback says; None for what we do not know or need."""
    status, provider_id = fields.get("MessageStatus", ""), fields.get("MessageSid", "")
    state = STATES.get(status)
    if state is None or not provider_id:
        return None
    why = f"{fields.get('ErrorCode') or 'no code'}: {status}" if state is NoticeState.FAILED else None
    if fields.get("ErrorCode") == str(UNSUBSCRIBED):
        state = NoticeState.OPTED_OUT
    return queue.CarrierTold(provider_id, state, why)


async def _signed(request: Request, carrier: Carrier) -> Fields | Response:
    """The fields of a request that our account has signed, or the answer to one that it has not."""
    body = await _body(request)
    if body is None:
        return Response(status_code=413)
    try:
        fields = Fields(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:  # no UTF-8, or too many
        return Response(status_code=400)
    query = f"?{request.url.query}" if request.url.query else ""
    if not carrier.has_signed(request.url.path + query, fields, request.headers.get("X-Twilio-Signature")):
        log.warning("a request without Twilio's signature", path=request.url.path)
        return Response(status_code=403)
    return fields


async def _body(request: Request) -> bytes | None:
    """What was sent; None if it is more than we take."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    return body


Page = Callable[[Request], Awaitable[Response]]


def _or_later(page: Page) -> Page:
    """Whoever calls while the database is away is told to call again."""

    async def answer(request: Request) -> Response:
        try:
            return await page(request)
        except DatabaseError:
            return Response(status_code=503)

    return answer
