"""A wrong setting stops the start with a line that names it."""

from pathlib import Path

import pytest

from ivr.config import ConfigError, load_settings
from ivr.instance import carrier_names, keyring_of
from ivr.keyring import KeyringError
from ivr.own_asterisk import carriers

BAD = {
    "IVR_AGI_PORT": ["0", "65536", "http", ""],
    "IVR_HOST": ["0.0.0.0", "192.0.2.1", "example.org", "::", ""],
    "IVR_LOG_FORMAT": ["xml"],
    "IVR_LOG_LEVEL": ["loud"],
    "IVR_RTP_FIRST_PORT": ["-1"],
}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IVR_CONFIG", raising=False)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD.items() for value in values]
)
def test_a_bad_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as refusal:
        load_settings()
    (line,) = str(refusal.value).splitlines()
    assert line.startswith(f"{name}: ")


def test_a_setting_that_there_is_not_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_SIPPORT", "5062")
    with pytest.raises(ConfigError, match="IVR_SIPPORT: there is no such setting"):
        load_settings()


def test_another_hosts_address_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_HOST", "10.0.0.1")
    with pytest.raises(
        ConfigError, match="IVR_HOST: must be a loopback address: whoever reaches it owns the switch"
    ):
        load_settings()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_accepted(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("IVR_HOST", host)
    assert load_settings().host == host


def test_all_mistakes_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, values in BAD.items():
        monkeypatch.setenv(name, values[0])
    with pytest.raises(ConfigError) as refusal:
        load_settings()
    assert [line.partition(":")[0] for line in str(refusal.value).splitlines()] == list(
        dict.fromkeys(sorted(BAD, key=lambda name: str(refusal.value).index(name)))
    )
    assert len(str(refusal.value).splitlines()) == len(BAD)


def test_too_few_ports_for_voices_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_RTP_LAST_PORT", "10050")
    with pytest.raises(ConfigError, match=r"^rtp_first_port to rtp_last_port must span at least 100 ports$"):
        load_settings()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"CARRIER_TRANSPORT": "sctp"}, "IVR_CARRIER_TRANSPORT: "),
        ({"CARRIER_TRANSPORT": "tls"}, "tls_authorities: expected, since a carrier is spoken with over TLS"),
        ({"TLS_AUTHORITIES": "/srv/ca.pem"}, "tls_authorities, tls_certificate and tls_key: expected all"),
        (
            {"SECOND_CARRIER_HOST": "b.example", "SECOND_CARRIER_TRANSPORT": "tls"},
            "tls_authorities: expected",
        ),
    ],
    ids=str,
)
def test_a_carrier_that_could_not_be_spoken_with_is_refused(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], told: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"IVR_{name}", value)
    with pytest.raises(ConfigError) as refusal:
        load_settings()
    assert str(refusal.value).startswith(told)


def test_carriers_are_read_with_their_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = {"SECOND_CARRIER_HOST": "t.pstn.twilio.com", "SECOND_CARRIER_PROFILE": "twilio"}
    for name, value in {**given, "SECOND_CARRIER_USER": "trunk", "STATE_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(f"IVR_{name}", value)
    settings = load_settings()
    with pytest.raises(KeyringError, match="second_carrier: expected a file with this secret"):
        carriers(settings, keyring_of(settings))
    secret = tmp_path / "secrets" / "second_carrier"
    secret.touch(mode=0o600)
    secret.write_text("of-the-trunk\n")
    first, second = carriers(settings, keyring_of(settings))
    assert (first.user, second.user, second.secret) == (None, "trunk", "of-the-trunk")
    assert (first.profile.plus, second.profile.plus) == ("", "+")
    assert carrier_names(settings) == {"carrier": first.name, "carrier-2": second.name}


def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (tmp_path / "ivr.toml").write_text(text)
    monkeypatch.setenv("IVR_CONFIG", str(tmp_path / "ivr.toml"))


def test_a_file_sets_and_the_environment_overrides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, monkeypatch, 'agi_port = 4000\nweb_port = 4001\nlog_format = "json"\n')
    monkeypatch.setenv("IVR_WEB_PORT", "5001")
    settings = load_settings()
    assert (settings.agi_port, settings.web_port, settings.log_format) == (4000, 5001, "json")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("agi_prot = 4000", "^agi_prot: there is no such setting$"),
        ("agi_port = ", "^IVR_CONFIG: not TOML: Invalid value"),
        ('agi_port = "many"', "^IVR_AGI_PORT: .*integer"),
    ],
)
def test_a_mistake_in_the_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str
) -> None:
    write(tmp_path, monkeypatch, text)
    with pytest.raises(ConfigError, match=told):
        load_settings()


def test_a_file_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_CONFIG", "/nowhere/ivr.toml")
    with pytest.raises(ConfigError, match=r"^IVR_CONFIG: there is no file /nowhere/ivr.toml$"):
        load_settings()
