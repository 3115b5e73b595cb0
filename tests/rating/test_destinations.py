import pytest

from rating.call_type import CallType, call_type
from rating.destinations import NO_COUNTRY, country_name, destination
from rating.numbers import Number, NumberKind, read_keys

ALL_KINDS = frozenset(NumberKind)


def number(keyed: str) -> Number:
    read = read_keys(keyed, allowed_kinds=ALL_KINDS)
    assert isinstance(read, Number), keyed
    return read


@pytest.mark.parametrize(
    ("keyed", "country", "state"),
    [
        ("2423221234", "BS", None),
        ("2464301234", "BB", None),
        ("2844941234", "VG", None),
        ("3459491234", "KY", None),
        ("4412921234", "BM", None),
        ("6494321234", "TC", None),
        ("7215205678", "SX", None),
        ("8092345678", "DO", None),
        ("8292345678", "DO", None),
        ("8493456789", "DO", None),
        ("8765550101", "JM", None),
        ("6582101234", "JM", None),
        ("8686241234", "TT", None),
        ("4165550101", "CA", None),
        ("8675550101", "CA", None),
        ("011525512345678", "MX", None),
        ("011442079460018", "GB", None),
        ("011441481234567", "GG", None),
        ("01150934561234", "HT", None),
        ("01150222123456", "GT", None),
        ("01138344123456", "XK", None),
        ("011881612345678", NO_COUNTRY, None),
        ("01180012345678", NO_COUNTRY, None),
    ],
)
def test_a_foreign_number_has_its_own_country_even_under_plus_one(
    keyed: str, country: str, state: str | None
) -> None:
    read = number(keyed)
    assert (destination(read), read.state) == (country, state)


@pytest.mark.parametrize(
    ("keyed", "state"),
    [
        ("6175550101", "US-MA"),
        ("7875550101", "US-PR"),
        ("9395550101", "US-PR"),
        ("6715550101", "US-GU"),
        ("3406421234", "US-VI"),
        ("6846331234", "US-AS"),
        ("6702345678", "US-MP"),
    ],
)
def test_the_territories_are_domestic_and_another_state(keyed: str, state: str) -> None:
    read = number(keyed)
    assert (destination(read), read.state) == ("US", state)
    expected = CallType.INTRASTATE if state == "US-MA" else CallType.INTERSTATE
    assert call_type(read, facility_state="US-MA") is expected


@pytest.mark.parametrize("keyed", ["2423221234", "8765550101", "8092345678", "4165550101", "011525512345678"])
def test_what_goes_abroad_is_international_from_every_state(keyed: str) -> None:
    assert call_type(number(keyed), facility_state="US-FL") is CallType.INTERNATIONAL
    assert (
        call_type(number(keyed), facility_state="US-FL", local_exchanges={keyed[:6]})
        is CallType.INTERNATIONAL
    )


@pytest.mark.parametrize("keyed", ["8005550101", "8885550101", "8775550101", "8335550101"])
def test_toll_free_numbers_are_domestic_and_of_no_state(keyed: str) -> None:
    read = number(keyed)
    assert (destination(read), read.state) == ("US", None)
    assert call_type(read, facility_state="US-MA") is CallType.TOLL_FREE


@pytest.mark.parametrize("keyed", ["011448001111000", "01180012345678"])
def test_a_foreign_freephone_number_is_an_international_call(keyed: str) -> None:
    read = number(keyed)
    assert read.kind is NumberKind.TOLL_FREE
    assert call_type(read, facility_state="US-MA") is CallType.INTERNATIONAL


def test_services_of_no_country_are_never_domestic() -> None:
    assert call_type(number("011881612345678"), facility_state="US-MA") is CallType.INTERNATIONAL


@pytest.mark.parametrize(
    ("country", "language", "name"),
    [
        ("JM", "en", "Jamaica"),
        ("DO", "en", "Dominican Republic"),
        ("DO", "es", "República Dominicana"),
        ("MX", "es", "México"),
        ("XK", "en", "Kosovo"),
        (NO_COUNTRY, "en", NO_COUNTRY),
        ("QQ", "en", "QQ"),
    ],
)
def test_countries_are_named_in_the_callers_language(country: str, language: str, name: str) -> None:
    assert country_name(country, language) == name
