"""SMS through Twilio's own library. It has no idempotency key: what is in doubt is looked for before it is sent."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

import requests
import urllib3
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from ivr.notices.outcomes import GivenUp, Notice, NotSent, Outcome, Refused, Sent, Unknown
from ivr.notices.texts import TextError, Texts

TIMEOUT_SECONDS: Final = 10.0  # the library's own default is to wait for ever
STATUS_PATH: Final = "/webhooks/twilio/status"
#: The recipient has answered STOP (twilio.com/docs/api/errors/21610).
UNSUBSCRIBED: Final = 21610
#: A try is looked for among the recipient's newest messages, and from this long before the notice was written.
MOST_LOOKED_AT: Final = 200
CLOCK_SLACK: Final = timedelta(minutes=5)
#: Answers that say nothing against the message itself: too many requests, our account or its token.
_LATER: Final = frozenset({408, 429})
_OURS: Final = frozenset({401, 403, 404})


class Connections(TwilioHttpClient):  # type: ignore[misc]
    """The library's, none kept open: on a stale one nobody knows what has arrived. `api` takes Twilio's place."""

    def __init__(self, api: str = "", timeout: float = TIMEOUT_SECONDS) -> None:
        super().__init__(pool_connections=False, timeout=timeout)
        self._place = urlsplit(api) if api else None

    def request(self, method: str, url: str, **more: Any) -> Response:
        """One request, to where it is meant for or to what stands in its place."""
        if self._place is not None:
            url = urlunsplit(urlsplit(url)._replace(scheme=self._place.scheme, netloc=self._place.netloc))
        return super().request(method, url, **more)


class TwilioSms:
    """Sends SMS from one number (E.164), or one messaging service ("MG…"), of an account."""

    def __init__(
        self,
        texts: Texts,
        *,
        account: str,
        token: str,
        sender: str,
        name: str,
        public_url: str,
        http: Connections | None = None,
    ) -> None:
        pinned = {"IVR": "the environment chooses no other host"}
        self._client = Client(account, token, http_client=http or Connections(), environment=pinned)
        self._texts = texts
        self._from = {"messaging_service_sid" if sender.startswith("MG") else "from_": sender}
        self._name = name
        self._public_url = public_url

    def send(self, notice: Notice) -> Outcome:
        """Send it now, in one request that is never repeated by itself."""
        try:
            body = self._body(notice)
        except TextError as error:
            return GivenUp(str(error))
        told = {"status_callback": self._callback(notice)} if self._public_url else {}
        try:
            message = self._client.messages.create(to=notice.recipient, body=body, **self._from, **told)
        except (TwilioException, requests.RequestException) as failure:
            return what_came_of(failure)
        return Sent(str(message.sid))

    def find(self, notice: Notice, others: frozenset[str]) -> Outcome:
        """The message among those that Twilio has for the recipient, by its words; none that another notice has.

        All are listed and not those of a day: Twilio dates a message when it leaves, and this one may still wait.
        """
        since = datetime.fromtimestamp(notice.made_at_s, UTC) - CLOCK_SLACK
        try:
            body = self._body(notice)
            found = self._client.messages.list(to=notice.recipient, limit=MOST_LOOKED_AT, page_size=100)
        except TextError as error:
            return GivenUp(str(error))
        except (TwilioException, requests.RequestException) as failure:
            return Unknown(f"could not be looked for: {_told(failure)}")
        for message in found:
            if message.sid not in others and _is_this(message, body, since):
                return Sent(str(message.sid))
        return NotSent("was not sent")

    def _body(self, notice: Notice) -> str:
        return self._texts.sms(notice.kind, notice.language, notice.told, sender=self._name)

    def _callback(self, notice: Notice) -> str:
        return f"{self._public_url}{STATUS_PATH}?{urlencode({'notice': notice.id})}"


def _is_this(message: MessageInstance, body: str, since: datetime) -> bool:
    made = message.date_created
    is_ours = str(message.direction).startswith("outbound") and str(message.body).endswith(body)
    return is_ours and (made is None or made >= since)


def what_came_of(failure: Exception) -> Outcome:
    """Whether a request that failed may have sent something."""
    if isinstance(failure, TwilioRestException):
        return _answered(failure)
    if isinstance(failure, requests.ConnectTimeout) or _never_connected(failure):
        return NotSent(_told(failure))
    return Unknown(_told(failure))


def _answered(failure: TwilioRestException) -> Outcome:
    why = _told(failure)
    if failure.status in _OURS:
        return NotSent(why, ours=True)
    if failure.status in _LATER:
        return NotSent(why)
    if 400 <= failure.status < 500:
        return Refused(why, opted_out=failure.code == UNSUBSCRIBED)
    return Unknown(why)  # whatever broke at their end, it may have done so after the message was taken


def _never_connected(failure: Exception) -> bool:
    reason = getattr(failure.args[0], "reason", None) if failure.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _told(failure: Exception) -> str:
    if isinstance(failure, TwilioRestException):
        return f"{failure.code or failure.status}: {failure.msg}"
    return type(failure).__name__
