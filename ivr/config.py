"""Settings: environment variables `IVR_…` or a TOML file; a bad value stops the start with one clear line."""

import os
import tomllib
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from rating.form import like

PROJECT = Path(__file__).resolve().parent.parent
Port = Annotated[int, Field(ge=1, le=65535)]


class ConfigError(Exception):
    """The settings can't be used; the message has a line for each mistake, naming the setting."""


def _loopback(host: str) -> str:
    try:
        local = ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if not local:
        raise ValueError("must be a loopback address: whoever reaches it owns the switch")
    return host


def _like(pattern: str, expected: str) -> AfterValidator:
    """Empty, which is the same as not set, or of this form."""
    return like(rf"({pattern})?", expected)


Transport = Literal["udp", "tcp", "tls"]
Profile = Literal["sip", "twilio"]
Dtmf = Literal["auto", "rfc4733", "inband", "info"]
Loopback = Annotated[str, AfterValidator(_loopback)]
#: What an SMS has room for, in two parts, with the longest address below it and `notices_name`.
LONGEST_PUBLIC_URL: Final = 150
PublicUrl = Annotated[
    str,
    _like(
        rf"(?=.{{0,{LONGEST_PUBLIC_URL}}}$)https://[A-Za-z0-9.-]+(:\d{{1,5}})?(/[A-Za-z0-9._-]+)*",
        f"https:// and a host, without a slash at the end, {LONGEST_PUBLIC_URL} letters at most",
    ),
]
LoopbackUrl = Annotated[str, _like(r"http://127\.0\.0\.1:\d{1,5}", "http://127.0.0.1 and a port")]
TwilioAccount = Annotated[str, _like("AC[0-9a-f]{32}", "an account's SID: AC and 32 hexadecimal digits")]
TwilioSender = Annotated[
    str, _like(r"\+[1-9]\d{6,14}|MG[0-9a-f]{32}", "a number such as +12175550100, or a service's SID (MG…)")
]
RedisUrl = Annotated[
    str,
    _like(
        r"rediss?://([^@/\s]*@)?(\[[0-9a-f:]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?(/\d{1,2})?|unix://(/[\w.-]+)+",
        "redis:// or rediss:// with host, port and the number of a database, or unix:// and the path of a socket",
    ),
]
Address = Annotated[str, _like(r"[^\s@<>,]+@[\w-]+(\.[\w-]+)*", "an e-mail address")]


class Settings(BaseSettings):
    """Everything an operator may set. Paths may be relative to the working directory."""

    model_config = SettingsConfigDict(env_prefix="IVR_", extra="forbid", frozen=True)

    state_dir: Path = Field(default=Path("var"), description="where this instance keeps everything it writes")
    database_url: str = Field(
        default="", description="sqlite:///FILE or postgresql://…; default: ivr.sqlite in state_dir"
    )
    node: Annotated[str, _like("[a-z][a-z0-9-]{0,14}", "15 small letters, digits and hyphens at most")] = (
        Field(default="main", description="this node's name, where several share a PostgreSQL database")
    )
    redis_url: RedisUrl = Field(
        default="",
        description="by which several nodes tell each other what they see and that something changed",
    )
    host: Loopback = Field(default="127.0.0.1", description="where Asterisk and controller meet")
    agi_port: Port = 4573
    ami_port: Port = 5038
    web_port: Port = 9473
    sip_host: str = Field(default="127.0.0.1", description="address that stations register with")
    sip_port: Port = 5060
    rtp_first_port: Port = 10_000
    rtp_last_port: Port = 10_999
    listening_phones: Annotated[
        str,
        _like(r"staff-[a-z0-9-]{1,30}( staff-[a-z0-9-]{1,30})*", "names that begin with staff-, and spaces"),
    ] = Field(default="", description="telephones of staff that may be rung to listen, such as staff-desk")
    carrier_host: str = "127.0.0.1"
    carrier_port: Port = 5070
    carrier_transport: Transport = Field(default="udp", description="tls encrypts the audio too")
    carrier_profile: Profile = Field(default="sip", description="twilio: Elastic SIP Trunking")
    carrier_user: str = Field(
        default="", description="who calls, by the secret in secrets/carrier; empty: not asked"
    )
    carrier_dtmf: Dtmf = Field(default="auto", description="how its keys come in: rfc4733, inband, info")
    carrier_options: bool = Field(default=True, description="ask it by OPTIONS whether it is there")
    second_carrier_host: str = Field(
        default="", description="tried where the first takes no call; empty: none"
    )
    second_carrier_port: Port = 5060
    second_carrier_transport: Transport = "udp"
    second_carrier_profile: Profile = "sip"
    second_carrier_user: str = Field(default="", description="its secret stands in secrets/second_carrier")
    second_carrier_dtmf: Dtmf = "auto"
    second_carrier_options: bool = True
    tls_port: Port = Field(default=5061, description="where carriers come in over TLS")
    tls_authorities: str = Field(
        default="", description="file of the authorities that carriers' certificates are of"
    )
    tls_certificate: str = Field(default="", description="file of our own certificate")
    tls_key: str = Field(default="", description="file of its key")
    public_url: PublicUrl = Field(
        default="", description="how the outside world reaches /webhooks and /pay here, through a proxy"
    )
    notices_name: str = Field(default="", max_length=24, description="who notices say that they are from")
    twilio_account: TwilioAccount = ""
    twilio_sender: TwilioSender = Field(default="", description="the number or messaging service of SMS")
    twilio_api: LoopbackUrl = Field(default="", description="for tests: a server here in place of Twilio's")
    smtp_host: str = Field(default="", description="the server that takes e-mail")
    smtp_port: Port = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str = Field(default="", description="empty: nobody logs in")
    smtp_from: Address = Field(default="", description="the address that e-mail comes from")
    card_processor: Literal["", "stripe"] = Field(default="", description="who takes payments by card")
    stripe_api: LoopbackUrl = Field(default="", description="for tests: a server here in place of Stripe's")
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.rtp_last_port - self.rtp_first_port < 99:
            raise ValueError("rtp_first_port to rtp_last_port must span at least 100 ports")
        if "tls" in self.carrier_transports and not self.tls_authorities:
            raise ValueError("tls_authorities: expected, since a carrier is spoken with over TLS")
        if len({bool(file) for file in (self.tls_authorities, self.tls_certificate, self.tls_key)}) != 1:
            raise ValueError("tls_authorities, tls_certificate and tls_key: expected all or none")
        if bool(self.twilio_account) != bool(self.twilio_sender):
            raise ValueError("twilio_account and twilio_sender: expected both or neither")
        if bool(self.smtp_host) != bool(self.smtp_from):
            raise ValueError("smtp_host and smtp_from: expected both or neither")
        if (self.twilio_account or self.smtp_host) and not self.notices_name:
            raise ValueError("notices_name: expected who notices are from, since a sender is set")
        if self.card_processor and not self.public_url:
            raise ValueError("public_url: expected, since card_processor is set: the processor calls it")
        if self.redis_url and self.own_node is None:
            raise ValueError("redis_url: expected a PostgreSQL database_url beside it; SQLite has one node")
        if self.smtp_host and self.smtp_security == "none":
            _loopback(self.smtp_host)
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment before file: `IVR_CONFIG` names the file."""
        file = os.environ.get("IVR_CONFIG")
        if file and not Path(file).is_file():
            raise FileNotFoundError(f"there is no file {file}")
        toml = (TomlConfigSettingsSource(settings_cls, Path(file)),) if file else ()
        return (init_settings, env_settings, *toml)

    @property
    def url(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.state_dir.absolute() / 'ivr.sqlite'}"

    @property
    def own_node(self) -> str | None:
        """By what this node's records are found; none: all are its own, since an SQLite database has one node."""
        return None if self.url.startswith("sqlite") else self.node

    @property
    def carrier_transports(self) -> tuple[str, ...]:
        """How the carriers that there are are spoken with."""
        second = (self.second_carrier_transport,) if self.second_carrier_host else ()
        return (self.carrier_transport, *second)

    @property
    def channels(self) -> frozenset[str]:
        """The ways in which notices can be sent: those that have a sender."""
        senders = {"sms": self.twilio_account, "email": self.smtp_host}
        return frozenset(channel for channel, sender in senders.items() if sender)

    @property
    def listeners(self) -> tuple[str, ...]:
        """The telephones of staff that may be rung to listen."""
        return tuple(self.listening_phones.split())

    @property
    def spool(self) -> Path:
        """Where Asterisk keeps what it records."""
        return self.state_dir.absolute() / "asterisk" / "spool"

    @property
    def recordings(self) -> Path:
        """Where Asterisk records calls."""
        return self.spool / "monitor"

    @property
    def archive(self) -> Path:
        """Where recordings are kept, encrypted."""
        return self.state_dir.absolute() / "recordings"

    @property
    def control_socket(self) -> Path:
        """Where the running controller takes commands."""
        return self.state_dir.absolute() / "control.sock"

    @property
    def names(self) -> Path:
        """Where recorded names are while somebody hears them."""
        return self.spool / "names"

    @property
    def own_prompts(self) -> Path:
        """Where each facility's own words and recordings are, in a folder by its id, within what Asterisk sees."""
        return self.state_dir.absolute() / "asterisk" / "prompts"


#: What the environment may name beside the settings: their file, who asks, and what the Asterisk is built from.
OTHERS = {"IVR_CONFIG", "IVR_OPERATOR", "IVR_ASTERISK", "IVR_CACHE", "IVR_DEBIAN_MIRROR"}
KNOWN = OTHERS | {f"IVR_{name.upper()}" for name in Settings.model_fields}


def load_settings() -> Settings:
    """The settings of this process; raises ConfigError naming each setting that is wrong."""
    if unknown := sorted(_named() - KNOWN):
        raise ConfigError("\n".join(f"{name}: there is no such setting" for name in unknown))
    try:
        return Settings()
    except ValidationError as error:
        raise ConfigError("\n".join(map(_told, error.errors(include_input=False)))) from None
    except OSError as error:
        raise ConfigError(f"IVR_CONFIG: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"IVR_CONFIG: not TOML: {error}") from None


def _named() -> set[str]:
    return {name.upper() for name in os.environ if name.upper().startswith("IVR_")}


def _told(mistake: ErrorDetails) -> str:
    name = "_".join(map(str, mistake["loc"]))
    told = mistake["msg"].removeprefix("Value error, ")
    if mistake["type"] == "extra_forbidden":
        return f"{name}: there is no such setting"
    return f"IVR_{name.upper()}: {told}" if name else told
