"""What is rendered, and what is refused before anything is written."""

import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dialplan import modules
from dialplan.asterisk import write
from dialplan.carrier import Carrier, Tls, Transport
from dialplan.configuration import dialplan_of, sections_of
from dialplan.install import Installation
from dialplan.network import Behaviour, CalledPhone
from dialplan.render import Station, render
from dialplan.sandbox import Sandbox
from dialplan.template import RenderError
from tests.dialplan.examples import FACILITY, NETWORK, SECURE

SECRET = "s" * 24


def test_each_station_is_an_endpoint_with_a_secret_of_its_own() -> None:
    sections = sections_of(FACILITY.render()["pjsip.conf"])
    secrets = {s.name: s.value("password") for s in sections if s.value("type") == "auth"}
    assert {name: secrets[name] for name in ("demo-a1", "demo-a2")} == {
        "demo-a1": "a" * 24,
        "demo-a2": "b" * 24,
    }
    stations = [s for s in sections if s.value("context") == "inmate" and not s.is_template]
    assert [station.name for station in stations] == ["demo-a1", "demo-a2"]


def test_a_carrier_that_asks_who_calls_is_told_and_another_is_not() -> None:
    asked = sections_of(FACILITY.render()["pjsip.conf"])
    open_carrier = replace(FACILITY, carriers=(Carrier("192.0.2.7"),))
    unasked = sections_of(open_carrier.render()["pjsip.conf"])
    assert [s.value("username") for s in asked if s.name == "carrier" and s.value("type") == "auth"] == [
        "facility-1"
    ]
    assert not any(s.value("outbound_auth") for s in unasked)


def test_two_carriers_are_tried_in_their_order_each_with_numbers_as_it_takes_them() -> None:
    files = SECURE.render()
    plan, _ = dialplan_of(files["extensions.conf"])
    said = [str(step) for step in plan["inmate"]["off-hook"]]
    chosen = [line for line in said if line.startswith(("Set(CARRIER=", "Set(PLUS="))]
    assert chosen == ["Set(CARRIER=carrier)", "Set(PLUS=)", "Set(CARRIER=carrier-2)", "Set(PLUS=+)"]
    sections = sections_of(files["pjsip.conf"])
    assert [s.value("contact") for s in sections if s.value("contact")] == [
        r"sip:sip.carrier.example:5061\;transport=tls",
        r"sip:example.pstn.twilio.com:5061\;transport=tls",
    ]
    [tls] = [s for s in sections if s.name == "transport-tls"]
    assert (tls.value("verify_server"), tls.value("allow_wildcard_certs")) == ("yes", "yes")
    assert SECURE.tcp_ports == (5038, 5062)
    assert {path.name for path in SECURE.readable} >= {"authorities.pem", "cert.pem", "key.pem"}


def test_one_carrier_over_udp_or_tcp_loads_and_opens_nothing_more() -> None:
    plain = FACILITY.render()
    assert "CARRIER=carrier-2" not in plain["extensions.conf"]
    assert "tls" not in plain["pjsip.conf"]
    assert "res_srtp" not in plain["modules.conf"]
    tcp = replace(FACILITY, carriers=(Carrier("192.0.2.7", transport=Transport.TCP, is_asked=False),))
    sections = sections_of(tcp.render()["pjsip.conf"])
    [contact] = [s for s in sections if s.value("contact")]
    assert contact.options[1:] == [
        ("contact", r"sip:192.0.2.7:5060\;transport=tcp"),
        ("qualify_frequency", "0"),
    ]
    assert tcp.tcp_ports == (5038, 5060)


def test_the_controller_is_asked_on_its_own_port() -> None:
    plan, _ = dialplan_of(replace(FACILITY, agi_port=4599).render()["extensions.conf"])
    asked = [
        s.arguments for e in plan.values() for steps in e.values() for s in steps if s.application == "AGI"
    ]
    assert asked
    assert all(":4599/" in arguments for arguments in asked)


def test_secrets_are_only_in_the_files_that_need_them() -> None:
    homes = {"pjsip.conf": ["a", "b", "c"], "manager.conf": ["d", "e"], "extensions.conf": ["t"]}
    for name, text in FACILITY.render().items():
        for letter in "abcde":
            assert (letter * 24 in text) == (letter in homes.get(name, [])), (name, letter)
        assert ("t" * 32 in text) == ("t" in homes.get(name, []))


def test_secrets_are_not_shown_where_values_are_printed() -> None:
    for letter in "abcdegt":
        assert letter * 24 not in repr(FACILITY)
    assert "f" * 24 not in repr(NETWORK)


def test_no_module_is_both_wanted_and_forbidden() -> None:
    assert not modules.FORBIDDEN & {*modules.FACILITY}


def test_every_behaviour_of_the_network_has_its_context() -> None:
    plan, unread = dialplan_of(NETWORK.render()["extensions.conf"])
    assert unread == []
    assert {behaviour.value for behaviour in Behaviour} <= set(plan)
    assert str(plan["calls"]["16175550110"][1]) == "Goto(busy,s,1)"
    assert str(plan["calls"]["16175550101"][1]) == "Goto(phone,s,1)"


BAD_TEXTS = ["", "x\ny", "a;b", "a,b", "a b", "${SHELL(id)}", "[x]", "a)b", "x" * 300]


@pytest.mark.parametrize("text", [*BAD_TEXTS, "Upper", "16175550101", "carrier", "carrier-2", "global", "-a"])
def test_a_station_id_that_could_inject_is_refused(text: str) -> None:
    with pytest.raises(RenderError):
        Station(text, SECRET)


@pytest.mark.parametrize("text", [*BAD_TEXTS, "short", 'quote"quote"quote"'])
def test_a_secret_that_could_inject_is_refused_and_never_shown(text: str) -> None:
    with pytest.raises(RenderError) as refusal:
        Station("demo-a1", text)
    assert text == "" or text not in str(refusal.value)
    for name in ("token", "controller_secret", "switch_secret"):
        change: dict[str, Any] = {name: text}
        with pytest.raises(RenderError):
            replace(FACILITY, **change)


@pytest.mark.parametrize("text", [*BAD_TEXTS, "host/path", "host:5060", "-x"])
def test_a_carrier_host_that_could_inject_is_refused(text: str) -> None:
    with pytest.raises(RenderError):
        Carrier(text)


@pytest.mark.parametrize("name", ["relative.pem", "/srv/a\nb.pem", "/srv/a;b.pem"])
def test_a_certificates_file_that_could_inject_is_refused(name: str) -> None:
    with pytest.raises(RenderError):
        replace(SECURE, tls=Tls(5062, *([Path(name)] * 3))).render()


@pytest.mark.parametrize("text", [*BAD_TEXTS, "+16175550101", "0617", "555"])
def test_a_number_that_is_not_plain_digits_is_refused(text: str) -> None:
    with pytest.raises(RenderError):
        CalledPhone(text, SECRET)
    with pytest.raises(RenderError):
        replace(NETWORK, special={text: Behaviour.BUSY})


@pytest.mark.parametrize("name", ["a\nb", "a;b", "a,b", "${x}", "a#b", 'a"b', "a]b"])
def test_a_folder_that_could_inject_is_refused(name: str) -> None:
    with pytest.raises(RenderError):
        replace(FACILITY, folder=Path("/srv") / name).render()
    with pytest.raises(RenderError):
        replace(NETWORK, folder=Path("/srv") / name).render()


@pytest.mark.parametrize(
    "change",
    [
        {"sip_port": 0},
        {"ami_port": 70000},
        {"agi_port": 80},
        {"rtp_ports": (10001, 10999)},
        {"rtp_ports": (10000, 10004)},
        {"sip_address": "localhost"},
        {"sip_address": "127.0.0.1\n"},
        {"languages": ("en", "../x")},
        {"folder": Path("var/asterisk")},
        {"controller_secret": "e" * 32},
        {"stations": (Station("demo-a1", SECRET), Station("demo-a1", "z" * 24))},
        {"dialogue_seconds": 0},
        {"carriers": ()},
        {"carriers": (Carrier("192.0.2.7"), Carrier("192.0.2.7"))},
        {"carriers": tuple(Carrier(f"192.0.2.{number}") for number in (7, 8, 9))},
        {"carriers": (Carrier("192.0.2.7", transport=Transport.TLS),)},
    ],
)
def test_a_value_that_cannot_work_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(RenderError):
        replace(FACILITY, **change).render()


@pytest.fixture
def no_asterisk(tmp_path: Path) -> Installation:
    """A root folder that holds as much of an Asterisk as is needed to write its files."""
    documentation = tmp_path / "root" / "usr" / "share" / "asterisk" / "documentation"
    documentation.mkdir(parents=True)
    (documentation / "core-en_US.xml").touch()
    return Installation(Sandbox(tmp_path / "root"), "/usr/sbin/asterisk", (22, 10, 1))


def test_written_files_are_for_one_user_only(no_asterisk: Installation, tmp_path: Path) -> None:
    spec = replace(FACILITY, folder=tmp_path / "asterisk")
    write(spec, no_asterisk)
    files = [path for path in spec.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    folders = [path for path in spec.folder.rglob("*") if path.is_dir() and not path.is_symlink()]
    assert {file.name for file in files} >= set(render(spec))
    assert {stat.S_IMODE(file.stat().st_mode) for file in (spec.folder / "etc").iterdir()} == {0o600}
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (spec.folder, *folders)} == {0o700}


def test_files_are_written_again_in_place(no_asterisk: Installation, tmp_path: Path) -> None:
    spec = replace(FACILITY, folder=tmp_path / "asterisk")
    write(spec, no_asterisk)
    write(replace(spec, stations=spec.stations[:1]), no_asterisk)
    text = (spec.folder / "etc" / "pjsip.conf").read_text()
    assert "demo-a1" in text
    assert "demo-a2" not in text
    assert not list((spec.folder / "etc").glob(".*"))
    sounds = spec.folder / "lib" / "sounds"
    assert (sounds / "en" / "ivr").readlink() == spec.prompts / "en"
    assert (sounds / "es" / "ivr").readlink() == spec.prompts / "es"


def test_a_path_too_long_for_the_control_socket_is_refused_with_the_reason(
    no_asterisk: Installation, tmp_path: Path
) -> None:
    with pytest.raises(RenderError, match="too long"):
        write(replace(FACILITY, folder=tmp_path / ("x" * 100)), no_asterisk)
