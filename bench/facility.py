"""An invented facility whose every second inmate calls a subscriber, the others a prepaid account."""

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import Connection, update

from accounts import schema
from accounts.db import Database, DatabaseUnsuitable, WriterLock
from ivr.facility.file import FacilityFile, Reviewed
from ivr.facility.tables import inmate
from ivr.keyring import Keyring
from ivr.loading import load
from rating.money import Money
from rating.tariff_file import parse_tariff
from tests.fakes.asterisk import PhoneCall

FACILITY = "bench-county-jail"
OPENING_BALANCE = Money(1_000_000_000)
CALLS_OF_A_SUBSCRIPTION = 100  # more can't be said
MOST_PHONES = 1_000  # the controller's own limit of sessions at one time

_AREA_CODES = ("217", "224", "309", "312", "331", "447", "464", "618", "630", "708")  # of Illinois
_PIN = "2468"
_NAME = bytes([0x80, 0xFF]) * 8_000  # two seconds of mu-law
_TARIFF = """
id = "bench"
valid_from = 2026-01-01
currency = "USD"
rate = [{ name = "minute", per_minute = "0.06" }]
price = [{ rate = "minute", call_types = ["local", "intrastate"] }]
"""
_ENGLISH, _NOT_AGAIN, _ACCEPT = "1", "2", "1"


def number_of(phone: int) -> str:
    """The number that is called from this telephone: fictional, and another one for each."""
    return f"+1{_AREA_CODES[phone // 100]}55501{phone % 100:02d}"


def is_subscribed(phone: int) -> bool:
    """Whether a subscription pays, not a prepaid account."""
    return phone % 2 == 0


def plan(phone: int, talk_s: float) -> PhoneCall:
    """One accepted call that the called party ends."""
    keys = [_ENGLISH, f"{_inmate_id(phone)}{_PIN}#", f"{number_of(phone).removeprefix('+1')}#", _NOT_AGAIN]
    # at a number's first call the first key is too early: Spanish is offered before the keys are told
    return PhoneCall(_station(phone), keys, called_keys=[[_ACCEPT, _ACCEPT]], talk_s=talk_s)


def prepare(url: str, keyring: Keyring, phones: int) -> None:
    """Migrate an empty database and fill it; raises DatabaseUnsuitable for one that is not empty."""
    if schema.current(url) is not None:
        raise DatabaseUnsuitable(
            "this database is in use: the benchmark needs an empty one, and empties it afterwards"
        )
    schema.upgrade(url)
    with WriterLock.take(url), Database.open(url) as database:
        database.transact_now(_fill, keyring, phones)


def _fill(conn: Connection, keyring: Keyring, phones: int) -> None:
    load(conn, _file(phones), keyring.pin_key, datetime.now(UTC))
    conn.execute(update(inmate).values(recorded_name=_NAME))


def _file(phones: int) -> FacilityFile:
    return FacilityFile.model_validate(
        {
            "facility": {
                "id": FACILITY,
                "name": "Bench County Jail",
                "kind": "jail",
                "operator": "county",
                "average_daily_population": 500,
                "state": "IL",
                "time_zone": "America/Chicago",
                "caller_id": "+17305550100",
                "inmate_id_digits": 4,
                "longest_call_minutes": 15,
                "schedule": [{"days": "mon-sun", "opens": "00:00", "closes": "24:00"}],
            },
            "tariff": [Reviewed(_TARIFF, parse_tariff(_TARIFF, "bench"))],
            "station": [{"id": _station(phone), "label": f"Telephone {phone}"} for phone in range(phones)],
            "inmate": [
                {
                    "id": _inmate_id(phone),
                    "pin": _PIN,
                    "name": f"Inmate {phone}",
                    "numbers": [{"number": number_of(phone)}],
                }
                for phone in range(phones)
            ],
            "prepaid": list(_prepaid(phones)),
            "subscription": [
                {"number": number_of(phone), "calls": CALLS_OF_A_SUBSCRIPTION}
                for phone in range(phones)
                if is_subscribed(phone)
            ],
        }
    )


def _prepaid(phones: int) -> Iterator[dict[str, object]]:
    for phone in range(phones):
        if not is_subscribed(phone):
            account, balance = f"family-{phone}", f"{OPENING_BALANCE // 1_000_000}"
            yield {"account": account, "numbers": [number_of(phone)], "opening_balance": balance}


def _station(phone: int) -> str:
    return f"bench-{phone}"


def _inmate_id(phone: int) -> str:
    return f"{1_000 + phone}"
