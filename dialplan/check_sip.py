"""Proof that stations, carriers and their transports keep what the dialplan promises: a part of `dialplan.check`."""

import re
from collections.abc import Iterator, Mapping

from dialplan.carrier import ENDPOINTS, SRTP
from dialplan.configuration import Dialplan, Section, lines_of, sections_of
from dialplan.dtmf import Dtmf

Faults = Iterator[str]

# What every endpoint must say, whoever it is.
ENDPOINT = {
    "disallow": "all",
    "allow": "ulaw,alaw",
    "direct_media": "no",
    "allow_transfer": "no",
    "allow_subscribe": "no",
    "trust_id_inbound": "no",
}
#: Over TLS nobody is spoken with who has not proved who they are, and no audio goes in the clear.
TLS_TRANSPORT = {"verify_server": "yes", "method": "tlsv1_2"}
TLS_ENDPOINT = {"media_encryption": "sdes", "media_encryption_optimistic": "no"}


def sip_faults(sections: list[Section], plan: Dialplan) -> Faults:
    """Each promise that pjsip.conf breaks, in a few words."""
    of_type = _by_type(sections)
    endpoints = of_type.get("endpoint", [])
    for endpoint in endpoints:
        yield from _endpoint_faults(endpoint, plan)
        if endpoint.name not in ENDPOINTS:
            yield from _station_faults(endpoint, of_type.get("auth", []))
    if ENDPOINTS[0] not in [endpoint.name for endpoint in endpoints]:
        yield f"there is no endpoint {ENDPOINTS[0]}"
    for identify in of_type.get("identify", []):
        if identify.value("endpoint") not in ENDPOINTS:
            yield f"an address alone makes a caller {identify.value('endpoint')}"
    order = [section.value("endpoint_identifier_order") for section in of_type.get("global", [])]
    if order != ["username,ip"]:
        yield "a station could be taken for the carrier: endpoint_identifier_order is not username,ip"


def carrier_faults(files: Mapping[str, str], plan: Dialplan) -> Faults:
    """What the carriers' endpoints break: their number, how they are reached, and what is encrypted."""
    of_type = _by_type(sections_of(files["pjsip.conf"]))
    transports = {each.name: each for each in of_type.get("transport", [])}
    contacts = {each.name: each.value("contact") for each in of_type.get("aor", [])}
    carriers = [each for each in of_type.get("endpoint", []) if each.name in ENDPOINTS]
    steps = [step for steps in plan.get("inmate", {}).values() for step in steps]
    dialled = [name for name in ENDPOINTS if f"CARRIER={name}" in [step.arguments for step in steps]]
    if dialled != [carrier.name for carrier in carriers]:
        yield f"the dialplan tries {dialled}, but there is {[carrier.name for carrier in carriers]}"
    for carrier in carriers:
        transport = transports.get(carrier.value("transport"), Section("", is_template=False))
        yield from _transport_faults(carrier, transport, contacts.get(carrier.value("aors"), ""))
        if carrier.value("media_encryption", "no") != "no" and f"require = {SRTP}.so" not in lines_of(
            files["modules.conf"]
        ):
            yield f"Asterisk would start without {SRTP}"


def _transport_faults(carrier: Section, transport: Section, contact: str) -> Faults:
    protocol = transport.value("protocol")
    over = "" if protocol == "udp" else rf"\;transport={protocol}"
    if protocol not in {"udp", "tcp", "tls"} or not re.fullmatch(
        r"sip:[\w.-]+:\d+" + re.escape(over), contact
    ):
        yield f"{carrier.name} is not reached as its transport says: {contact or '(nowhere)'} by {protocol}"
    if protocol != "tls":
        if carrier.value("media_encryption", "no") != "no":
            yield f"{carrier.name} would be told the keys of its audio in the clear: {protocol or 'no'} transport"
        return
    for section, expected in ((transport, TLS_TRANSPORT), (carrier, TLS_ENDPOINT)):
        for option, value in expected.items():
            if section.values(option) != [value]:
                yield f"{carrier.name} over TLS has not {option}={value}"
    if not transport.value("ca_list_file"):
        yield f"{carrier.name} over TLS could be anybody: there is no ca_list_file"


def _by_type(sections: list[Section]) -> dict[str, list[Section]]:
    of_type: dict[str, list[Section]] = {}
    for section in sections:
        if not section.is_template:
            of_type.setdefault(section.value("type"), []).append(section)
    return of_type


def _endpoint_faults(endpoint: Section, plan: Dialplan) -> Faults:
    is_staffs = endpoint.name.startswith("staff-")
    expected = "from-carrier" if endpoint.name in ENDPOINTS else "staff" if is_staffs else "inmate"
    if endpoint.value("context") != expected or expected not in plan:
        yield f"endpoint {endpoint.name} has the context {endpoint.value('context') or '(none)'}"
    for option, value in ENDPOINT.items():
        if endpoint.values(option) != [value]:
            yield f"endpoint {endpoint.name} has not {option}={value}"
    if endpoint.value("dtmf_mode") not in set(Dtmf):
        yield f"endpoint {endpoint.name} has the dtmf_mode {endpoint.value('dtmf_mode') or '(none)'}"
    if not re.fullmatch(r"[1-9]\d*", endpoint.value("rtp_timeout")):
        yield f"endpoint {endpoint.name} has no rtp_timeout"


def _station_faults(station: Section, auths: list[Section]) -> Faults:
    if station.name == "anonymous":
        yield "there is an anonymous endpoint"
    secrets = [auth.value("password") for auth in auths if auth.name == station.value("auth")]
    if not any(secrets):
        yield f"station {station.name} has no secret"
    if station.value("identify_by") != "username":
        yield f"station {station.name} is not known by its name and secret"
