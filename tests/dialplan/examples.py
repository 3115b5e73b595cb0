"""One facility and one network with made-up values, for tests that start nothing."""

from dataclasses import replace
from pathlib import Path

from dialplan.carrier import Carrier, Profile, Tls, Transport
from dialplan.network import Behaviour, CalledPhone, NetworkAsterisk
from dialplan.render import FacilityAsterisk, Station

FACILITY = FacilityAsterisk(
    folder=Path("/srv/ivr/asterisk"),
    prompts=Path("/srv/ivr/audio"),
    sip_port=5060,
    agi_port=4573,
    ami_port=5038,
    rtp_ports=(10000, 10999),
    stations=(Station("demo-a1", "a" * 24), Station("demo-a2", "b" * 24)),
    listeners=(Station("staff-desk", "g" * 24),),
    carriers=(Carrier("carrier.example.com", 5061, user="facility-1", secret="c" * 24),),
    token="t" * 32,
    controller_secret="d" * 32,
    switch_secret="e" * 32,
    announcer_secret="f" * 32,
)
#: Two carriers of the kinds that need most: TLS with encrypted audio, and Twilio after it.
SECURE = replace(
    FACILITY,
    carriers=(
        Carrier("sip.carrier.example", 5061, transport=Transport.TLS),
        Carrier(
            "example.pstn.twilio.com",
            5061,
            user="trunk",
            secret="w" * 24,
            transport=Transport.TLS,
            profile=Profile.TWILIO,
        ),
    ),
    tls=Tls(5062, *(Path(f"/srv/ivr/tls/{name}.pem") for name in ("authorities", "cert", "key"))),
)
NETWORK = NetworkAsterisk(
    folder=Path("/srv/ivr/network"),
    sip_port=5070,
    rtp_ports=(11000, 11999),
    facility_port=5060,
    phones=(CalledPhone("16175550101", "f" * 24),),
    voicemail_wav=Path("/srv/ivr/voice/voicemail.wav"),
    special={"16175550110": Behaviour.BUSY, "16175550116": Behaviour.EARLY_MEDIA},
)
