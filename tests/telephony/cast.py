"""Who takes part in a story, and the facility files that make them known: nothing is shared between stories."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from dialplan.network import Behaviour, Way

JAIL = "example-county-jail"
PRISON = "example-state-prison"  # its calling hours are never now
FREE_BY_LAW = "example-house-of-correction"  # in Massachusetts
NOBODYS = {JAIL: "lobby", PRISON: "yard", FREE_BY_LAW: "hall"}  # each one's own telephone
CALLER_ID = {JAIL: "13095550100", PRISON: "16185550100", FREE_BY_LAW: "14135550100"}
OFFER_KEYS = {JAIL: (1, 9), PRISON: (0, 9), FREE_BY_LAW: (3, 7)}  # that accept, and that ask for a block
TARIFF = Path(__file__).parents[2] / "examples" / "demonstration-tariff.toml"
OVERLAY_SECONDS = 9  # of the facility in Massachusetts
COLLECT_LIMIT = "0.10"  # one call, and too little for another
LAPSED_ON = date(2026, 1, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """What a story needs of the world."""

    subscription: int | None = None  # calls
    lapsed: bool = False
    used_up: bool = False
    prepaid: str | None = None  # dollars
    area: str = "217"  # of the called number; 617 is another state
    behaviour: Behaviour | None = None  # of a number without a telephone
    way: Way = Way.DIRECT  # to the called telephone
    facility: str = JAIL
    has_recorded_name: bool = True
    on_the_list: bool = True
    blocked: bool = False
    privileged: bool = False
    free: bool = False
    hotline: bool = False  # and passive
    relay: bool = False  # and 711
    office: bool = False
    overlay: bool = True  # where the facility has it
    records: bool = True
    booked: bool = False  # at an intake station, with a booking of the inmate's ID
    hotline_kind: str | None = None  # then its code is keyed
    state: str = "active"
    limit: tuple[Mapping[str, object], ...] = ()  # of the entry
    also_listed: tuple[str, ...] = ()
    listened_to: bool = False  # by a telephone of staff
    cellmate: bool = False  # who has the same list and another telephone
    closes: datetime | None = None  # for a minute each day, where the story has a stack of its own
    offers: tuple[str, ...] = ()  # the facility's payers, where the story has a stack of its own
    only_payer: str | None = None  # of the number


@dataclass(frozen=True, slots=True)
class Role:
    """The numbers by which a story's people are known."""

    cast: Cast
    number_in_line: int

    @property
    def station(self) -> str:
        return f"unit{self.number_in_line:02d}"

    @property
    def inmate_id(self) -> str:
        return str(2000 + self.number_in_line)

    @property
    def code(self) -> str:
        """What is keyed for the called number in place of ID and PIN, if it is a hotline."""
        return str(100 + self.number_in_line)

    @property
    def pin(self) -> str:
        return str(7000 + self.number_in_line)

    @property
    def cellmate_keys(self) -> str:
        """What the cellmate keys."""
        return f"{6000 + self.number_in_line}{self.pin}#"

    @property
    def cellmate_station(self) -> str:
        return f"{self.station}b"

    @property
    def listener(self) -> str:
        """The telephone of staff, where the story has one."""
        return f"staff-{self.station}"

    @property
    def keys(self) -> str:
        """ID and PIN in one entry."""
        return f"{self.inmate_id}{self.pin}#"

    @property
    def number(self) -> str:
        """The called party's: digits of E.164, no +."""
        return f"1{self.cast.area}55501{self.number_in_line:02d}"

    @property
    def account(self) -> str:
        """The ledger account of the subscription, or else of the prepaid balance."""
        if self.cast.subscription is not None and not self.cast.lapsed:
            return f"subscription/{self.cast.facility}/+{self.number}"
        return f"prepaid/{self.cast.facility}/family-{self.number_in_line:02d}"


def facility_file(facility: str, roles: Iterable[Role], today: date) -> str:
    """The TOML of one facility with its part of the roles."""
    roles = [role for role in roles if role.cast.facility == facility]
    return "\n".join(
        [
            _table(
                "[facility]",
                id=facility,
                name=facility.replace("-", " ").title(),
                kind="prison" if facility == PRISON else "jail",
                operator="state" if facility == PRISON else "county",
                average_daily_population=240,
                state="MA" if facility == FREE_BY_LAW else "IL",
                time_zone="America/Chicago",
                caller_id=f"+{CALLER_ID[facility]}",
                inmate_id_digits=4,
                longest_call_minutes=15,
                ring_seconds=10,
                records=True,
                requests_by_phone=facility == JAIL,
                accept_key=OFFER_KEYS[facility][0],
                block_key=OFFER_KEYS[facility][1],
                local_exchanges=["217555"],
                tariffs=[TARIFF.name],
            ),
            _schedule(facility, today, roles[0].cast.closes if roles else None),
            _funding(roles[0].cast.offers if roles else ()),
            _table("[[station]]", id=NOBODYS[facility], label="Nobody's own telephone"),
            *(_of(role) for role in roles),
        ]
    )


def _funding(offers: tuple[str, ...]) -> str:
    if not offers:
        return ""
    return _table("[funding]", payers=list(offers), collect_limit=COLLECT_LIMIT, courtesy_minutes=2)


def _schedule(facility: str, today: date, closes: datetime | None) -> str:
    if closes is not None:
        opens = closes + timedelta(minutes=1)
        hours = {"opens": f"{opens:%H:%M}", "closes": f"{closes:%H:%M}"}
        return _table("[[facility.schedule]]", days="mon-sun", **hours)
    if facility != PRISON:
        return _table("[[facility.schedule]]", days="mon-sun", opens="00:00", closes="24:00")
    another_day = (today + timedelta(days=3)).strftime("%a").lower()
    return _table("[[facility.schedule]]", days=another_day, opens="00:00", closes="24:00")


def _of(role: Role) -> str:
    cast, number = role.cast, f"+{role.number}"
    entry = {"number": number, "speed_dial": "1", "records": cast.records, "limit": list(cast.limit)}
    if cast.only_payer is not None:
        entry["payer"] = cast.only_payer
    listed = [entry] if cast.on_the_list else []
    listed += [{"number": each} for each in cast.also_listed]
    tables = [
        _table("[[station]]", id=role.station, label=f"Telephone {role.number_in_line}", intake=cast.booked),
        _table(
            "[[inmate]]", id=role.inmate_id, pin=role.pin, name="Somebody", state=cast.state, numbers=listed
        ),
    ]
    if cast.cellmate:
        keyed_id = role.cellmate_keys[:4]
        tables += [
            _table("[[station]]", id=role.cellmate_station, label="The cellmate's telephone"),
            _table("[[inmate]]", id=keyed_id, pin=role.pin, name="Cellmate", numbers=listed),
        ]
    if cast.blocked:
        tables.append(_table("[[blocked]]", number=number, note="for a test"))
    special = {name: True for name in ("privileged", "free", "office") if getattr(cast, name)}
    special |= {} if cast.overlay else {"overlay": False}
    if special:
        tables.append(_table("[[number]]", number=number, label="Special", **special))
    if cast.hotline:
        tables.append(_table("[[number]]", number=number, label="Hotline", hotline=True, passive=True))
    if cast.relay:
        tables.append(_table("[[number]]", number=number, label="Relay", relay=True, short_code="711"))
    if cast.hotline_kind is not None:
        hotline = {"hotline_kind": cast.hotline_kind, "code": role.code}
        tables.append(_table("[[number]]", number=number, label="Hotline", **hotline))
    if cast.prepaid is not None:
        account = f"family-{role.number_in_line:02d}"
        tables.append(_table("[[prepaid]]", account=account, numbers=[number], opening_balance=cast.prepaid))
    if cast.subscription is not None:
        past = {"starts_on": date(2026, 1, 1), "ends_on": LAPSED_ON} if cast.lapsed else {}
        tables.append(_table("[[subscription]]", number=number, calls=cast.subscription, **past))
    return "\n".join(tables)


def _table(header: str, **values: object) -> str:
    return "\n".join([header, *(f"{key} = {_toml(value)}" for key, value in values.items()), ""])


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | date():
            return str(value)
        case list():
            return f"[{', '.join(map(_toml, value))}]"
        case Mapping():
            return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
        case _:
            return f'"{value}"'
