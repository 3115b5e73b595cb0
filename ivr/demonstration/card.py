"""A card of IDs, PINs and numbers, with what each will do: for a person with a softphone."""

from ivr.config import Settings
from ivr.demonstration.stories import (
    ATTORNEY,
    BUSY,
    HOTLINE,
    INTAKE,
    NO_ANSWER,
    OTHER_STATE,
    PREPAID,
    STATION,
    SUBSCRIBER,
    VOICEMAIL,
)
from ivr.keyring import Keyring

_INMATE = """\
EXAMPLE COUNTY JAIL: a card for trying it out (everything on it is invented)

Be an inmate: register a softphone as a station of the facility
    user {station}    secret {secret}    server {host}:{sip_port} (UDP)
  and dial any digit. Then:
    1001 2468 #    Alex Example, may call the numbers below
    1002 1357 #    Sam Example, suspended: reaches privileged numbers only
    33 #           the hotline {hotline}: no PIN, free, and no trace of who called

At the number prompt, a speed dial or the number itself, then #:
    1  {subscriber}   subscription: 57 calls at first, one less after each
    2  {prepaid}   prepaid: $0.06 a minute from an account of $5.00
    3  13125550103   nobody's account: refused for want of funds
    4  {other_state}   a subscription that does not reach into another state
    5  12175550105   blocked by the facility
    6  {busy}   busy
    7  {no_answer}   rings, nobody answers
    8  {voicemail}   an answering machine, which never accepts
       {attorney}   privileged and free: never recorded
       911           refused by name
       12025550199   not on Alex's list

Be arrested: open a booking in another terminal,
    .venv/bin/ivr intake open 515151 --arrested-at "$(date -Iminutes)" --note "trying it out"
  register a softphone as the booking desk, key 515151 #, and then a local number: {prepaid} # is free
    user {intake}    secret {intake_secret}    server {host}:{sip_port} (UDP)

Be a called party: register a softphone on the played telephone network
    user {subscriber}    secret {subscriber_secret}    server {host}:{carrier_port} (UDP)
    user {prepaid}    secret {prepaid_secret}
    user {other_state}    secret {other_state_secret}
    user {attorney}    secret {attorney_secret}
    user {hotline}    secret {hotline_secret}
  and answer: 1 accepts, 2 refuses, 3 tells the cost, 8 changes the language, 9 blocks.
"""


def card(settings: Settings, keyring: Keyring) -> str:
    """The card's text, with this instance's secrets."""
    return _INMATE.format(
        station=STATION,
        secret=keyring.sip(STATION),
        host=settings.sip_host,
        sip_port=settings.sip_port,
        carrier_port=settings.carrier_port,
        subscriber=SUBSCRIBER,
        prepaid=PREPAID,
        other_state=OTHER_STATE,
        attorney=ATTORNEY,
        hotline=HOTLINE,
        intake=INTAKE,
        intake_secret=keyring.sip(INTAKE),
        busy=BUSY,
        no_answer=NO_ANSWER,
        voicemail=VOICEMAIL,
        subscriber_secret=keyring.sip(SUBSCRIBER),
        prepaid_secret=keyring.sip(PREPAID),
        other_state_secret=keyring.sip(OTHER_STATE),
        attorney_secret=keyring.sip(ATTORNEY),
        hotline_secret=keyring.sip(HOTLINE),
    )
