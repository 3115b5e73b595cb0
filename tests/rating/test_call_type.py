import pytest

from rating.area_codes import states_by_area_code
from rating.call_type import CallType, call_type, call_type_of_prefix, may_be_in_state
from rating.numbers import Number, NumberKind, read_e164

ALL_KINDS = frozenset(NumberKind)


@pytest.mark.parametrize(
    ("e164", "expected"),
    [
        ("+16175550101", CallType.LOCAL),
        ("+16177220101", CallType.INTRASTATE),
        ("+14135550101", CallType.INTRASTATE),
        ("+12125550101", CallType.INTERSTATE),
        ("+17875550101", CallType.INTERSTATE),
        ("+16715550101", CallType.INTERSTATE),
        ("+14165550101", CallType.INTERNATIONAL),
        ("+18765550101", CallType.INTERNATIONAL),
        ("+442079460018", CallType.INTERNATIONAL),
        ("+18005550101", CallType.TOLL_FREE),
    ],
)
def test_the_type_of_a_call_from_massachusetts(e164: str, expected: CallType) -> None:
    number = read_e164(e164, allowed_kinds=ALL_KINDS)
    assert isinstance(number, Number)
    assert call_type(number, facility_state="US-MA", local_exchanges={"617555", "413722"}) is expected


def test_a_number_is_local_even_across_a_state_line() -> None:
    number = Number("+16035550101", "US", "US-NH", NumberKind.ORDINARY)
    assert call_type(number, facility_state="US-MA", local_exchanges=["603555"]) is CallType.LOCAL
    assert call_type(number, facility_state="US-MA") is CallType.INTERSTATE


def test_a_us_number_of_unknown_state_is_interstate() -> None:
    number = Number("+12995550101", "US", None, NumberKind.ORDINARY)
    assert call_type(number, facility_state="US-MA") is CallType.INTERSTATE


def test_a_prefix_has_the_type_of_the_numbers_that_begin_with_it() -> None:
    """Whatever the area code: from a facility that none of them is in the state of."""
    for area_code in range(200, 1000):
        number = read_e164(f"+1{area_code}2345678", allowed_kinds=ALL_KINDS)
        if isinstance(number, Number):
            expected = call_type(number, facility_state="US-none")
            assert call_type_of_prefix(f"1{area_code}") is expected, area_code
    for prefix in ("1500", "1700", "1900"):
        assert call_type_of_prefix(prefix) is CallType.INTERSTATE


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        *[("1", True), ("12", True), ("1217", True), ("1217555", True), ("1500", True)],
        *[("1617", False), ("1416", False), ("1800", False), ("44", False)],
    ],
)
def test_a_prefix_that_may_be_in_illinois(prefix: str, expected: bool) -> None:
    assert may_be_in_state(prefix, "US-IL") is expected


def test_every_states_own_area_codes_may_be_in_it() -> None:
    for area_code, state in states_by_area_code().items():
        assert may_be_in_state(f"1{area_code}", state)
