"""The checked-in table equals what the installed phonenumbers package knows."""

from rating import build_area_codes
from rating.area_codes import DATA, state_of_area_code, states_by_area_code
from rating.build_area_codes import STATES, TERRITORIES


def test_the_table_is_that_of_the_installed_package() -> None:
    assert states_by_area_code() == dict(build_area_codes.rows()), "run: python -m rating.build_area_codes"


def test_every_state_and_territory_has_an_area_code() -> None:
    assert set(states_by_area_code().values()) == {f"US-{code}" for code in (*STATES.values(), *TERRITORIES)}


def test_the_table_names_its_source_and_date() -> None:
    head = DATA.read_text(encoding="utf-8").splitlines()[:3]
    assert head[1].startswith("# Source: the geographic data of phonenumbers ")
    assert " read on 20" in head[1]
    assert head[2] == "area_code,state"


def test_area_codes_that_packages_describe_by_city_have_their_state() -> None:
    assert [
        state_of_area_code(code) for code in ("617", "203", "310", "713", "718", "202", "787", "684")
    ] == [
        *["US-MA", "US-CT", "US-CA", "US-TX", "US-NY", "US-DC", "US-PR", "US-AS"],
    ]


def test_other_area_codes_have_none() -> None:
    assert [state_of_area_code(code) for code in ("416", "876", "800", "900", "500", "911", "", "000")] == [
        None
    ] * 8
