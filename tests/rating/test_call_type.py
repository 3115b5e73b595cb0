import pytest

from rating.call_type import CallType, call_type
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
