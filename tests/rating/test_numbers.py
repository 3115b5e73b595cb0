import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.numbers import Number, NumberKind, NumberRefusal, Unusable, read_e164, read_keys

keys = st.text(st.sampled_from("0123456789*#"), max_size=20) | st.from_regex(r"1?[2-9]\d{9}", fullmatch=True)


@pytest.mark.parametrize(
    ("keyed", "number"),
    [
        ("6175550101", Number("+16175550101", "US", "US-MA", NumberKind.ORDINARY)),
        ("16175550101", Number("+16175550101", "US", "US-MA", NumberKind.ORDINARY)),
        ("2125550102", Number("+12125550102", "US", "US-NY", NumberKind.ORDINARY)),
        ("7875550103", Number("+17875550103", "PR", "US-PR", NumberKind.ORDINARY)),
        ("4165550104", Number("+14165550104", "CA", None, NumberKind.ORDINARY)),
        ("8765550105", Number("+18765550105", "JM", None, NumberKind.ORDINARY)),
        ("011442079460018", Number("+442079460018", "GB", None, NumberKind.ORDINARY)),
        ("0114402079460018", Number("+442079460018", "GB", None, NumberKind.ORDINARY)),
        ("011525512345678", Number("+525512345678", "MX", None, NumberKind.ORDINARY)),
        ("01116175550101", Number("+16175550101", "US", "US-MA", NumberKind.ORDINARY)),
    ],
)
def test_keyed_numbers_have_one_normal_form(keyed: str, number: Number) -> None:
    assert read_keys(keyed) == number
    assert read_e164(number.e164) == number
    assert "+" + number.digits == number.e164


REFUSED = {
    NumberRefusal.EMERGENCY_NUMBER: [
        "911",
        "1911",
        "9911",
        "91911",
        "112",
        "9115550101",
        "19115550101",
        "9111",
    ],
    NumberRefusal.SERVICE_CODE: [
        *["211", "311", "411", "511", "611", "711", "811", "1411", "4115550101", "988", "933"],
        *["0", "00", "06175550101", "010", "014420", "*67", "*676175550101", "617*5550101", "#", "1010288"],
        "10102886175550101",
    ],
    NumberRefusal.NUMBER_TYPE_BLOCKED: [
        *["9005550101", "19005550101", "6179761234", "6175551212", "8005550101", "8885550101", "5005550101"],
        "011448001111000",
    ],
    NumberRefusal.NUMBER_INVALID: [
        *[
            "",
            "1",
            "5",
            "555",
            "5550101",
            "617555010",
            "61755501011",
            "1617555010",
            "1175550101",
            "6170550101",
        ],
        *[
            "0005550101"[3:],
            "9995550101",
            "2115550"[:2],
            "011",
            "01112",
            "01199912345678",
            "0114420794600181234567",
        ],
        *["6175550101 ", "+16175550101", "six", "٦١٧٥٥٥٠١٠١", "6175550101\n"],
    ],
}


@pytest.mark.parametrize(
    ("keyed", "reason"), [(keyed, reason) for reason, examples in REFUSED.items() for keyed in examples]
)
def test_what_may_not_be_dialled_is_refused_by_name(keyed: str, reason: NumberRefusal) -> None:
    assert read_keys(keyed) == Unusable(reason)


def test_every_refusal_has_an_example() -> None:
    assert set(REFUSED) == set(NumberRefusal)


def test_a_facility_may_let_toll_free_numbers_be_called() -> None:
    allowed = frozenset({NumberKind.ORDINARY, NumberKind.TOLL_FREE})
    number = Number("+18005550101", "US", None, NumberKind.TOLL_FREE)
    assert read_keys("8005550101", allowed_kinds=allowed) == number
    assert read_keys("9005550101", allowed_kinds=allowed) == Unusable(NumberRefusal.NUMBER_TYPE_BLOCKED)


@pytest.mark.parametrize(
    "text", ["16175550101", "+1 617 555 0101", "+1617555010", "", "+", "+1911", "+٤٤٢٠٧٩٤٦٠٠١٨"]
)
def test_e164_is_read_strictly(text: str) -> None:
    assert read_e164(text) == Unusable(NumberRefusal.NUMBER_INVALID)


@given(keys)
def test_any_keys_are_a_number_or_refused(keyed: str) -> None:
    read = read_keys(keyed)
    if isinstance(read, Number):
        assert read.e164[0] == "+"
        assert read.digits.isascii()
        assert read.digits.isdigit()
        assert 7 <= len(read.digits) <= 15
        assert read_e164(read.e164) == read
        assert keyed[-4:] == read.e164[-4:]
        assert keyed[0] in "0123456789"


@given(st.text("0123456789", max_size=12))
def test_no_keys_that_begin_with_an_emergency_number_are_dialled(rest: str) -> None:
    assert read_keys("911" + rest) == Unusable(NumberRefusal.EMERGENCY_NUMBER)


@pytest.mark.parametrize(
    ("e164", "kind"),
    [
        ("+16175551212", NumberKind.DIRECTORY),
        ("+12025551212", NumberKind.DIRECTORY),
        ("+16179761234", NumberKind.PREMIUM),
        ("+19005550101", NumberKind.PREMIUM),
        ("+12027621401", NumberKind.TIME_AND_WEATHER),
        ("+18083354363", NumberKind.TIME_AND_WEATHER),
        ("+12027621402", NumberKind.ORDINARY),
        ("+16175551213", NumberKind.ORDINARY),
        ("+442075551212", NumberKind.ORDINARY),
    ],
)
def test_numbers_that_only_look_ordinary_are_known(e164: str, kind: NumberKind) -> None:
    read = read_e164(e164, allowed_kinds=frozenset(NumberKind))
    assert isinstance(read, Number)
    assert read.kind is kind
    if kind is not NumberKind.ORDINARY:
        assert read_e164(e164) == Unusable(NumberRefusal.NUMBER_TYPE_BLOCKED)
