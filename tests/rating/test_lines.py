import json
from typing import Any

import pytest

from rating.lines import answer, reply

PER_SECOND = {"from_s": 0, "price": "0.05", "per_s": 60, "increment_s": 1}
BY_MINUTE = {"from_s": 0, "price": "0.10", "per_s": 60, "increment_s": 60}
TARIFF = {"connect_fee": "0.15", "rates": [PER_SECOND], "rounding": {"method": "up", "decimals": 2}}
ALL_WEEK = [1, 2, 3, 4, 5, 6, 7]
BY_TIME = [
    {
        "weekdays": ALL_WEEK,
        "start": "08:00:00",
        "rates": [BY_MINUTE],
        "taxes": [{"name": "day", "fixed": "0.01"}],
    },
    {"weekdays": ALL_WEEK, "start": "18:00:00", "rates": [PER_SECOND | {"price": "0.06"}]},
]


def rated(**line: Any) -> dict[str, Any]:
    reply: dict[str, Any] = json.loads(answer(json.dumps(line)))
    return reply


def minutes(**line: Any) -> dict[str, Any]:
    return rated(**{"tariff": {"rates": [BY_MINUTE]}, **line})


def test_a_call_is_rated_as_its_line_says() -> None:
    assert rated(id="a1", tariff=TARIFF, call={"seconds": 24}) == {
        "id": "a1",
        "cost": "0.17",
        "connect_fee": "0.15",
        "billed_seconds": 24,
        "tax": "0.00",
        "max_seconds": None,
        "balance_after": None,
    }


@pytest.mark.parametrize("seconds", ["24.5", "24.500"])
def test_seconds_are_exact_as_text_and_as_number(seconds: str) -> None:
    line = '{"tariff": {"rates": [{"from_s": 0, "price": 1}]}, "call": {"seconds": %s}}'
    assert reply(line % seconds) == reply(line % f'"{seconds}"')
    assert reply(line % seconds)["cost"] == "1.00"


def test_taxes_are_told_one_by_one() -> None:
    taxes = [{"name": "state", "percent": "6.25"}, {"name": "911", "fixed": "0.10"}]
    answered = rated(tariff=TARIFF | {"taxes": taxes}, call={"seconds": 24})
    assert answered["tax"] == "0.11"
    assert answered["taxes"] == [{"name": "state", "amount": "0.01"}, {"name": "911", "amount": "0.10"}]


def test_a_call_ends_where_the_balance_does() -> None:
    answered = minutes(call={"seconds": 3_600}, balance="0.25")
    assert (answered["cost"], answered["max_seconds"], answered["balance_after"]) == ("0.20", 120, "0.05")


def test_a_call_ends_where_no_more_was_requested() -> None:
    answered = minutes(call={"seconds": 3_600}, balance="5.00", requested_s=90)
    assert (answered["cost"], answered["max_seconds"], answered["balance_after"]) == ("0.20", 90, "4.80")


def test_a_call_ends_at_a_highest_cost_that_disconnects() -> None:
    tariff = {"rates": [BY_MINUTE], "max_cost": "0.55", "max_cost_then": "disconnect"}
    answered = rated(tariff=tariff, call={"seconds": 3_600})
    assert (answered["cost"], answered["max_seconds"]) == ("0.50", 300)


def test_a_call_that_costs_too_much_at_once_is_refused() -> None:
    tariff = {"rates": [BY_MINUTE], "max_cost": "0.09", "max_cost_then": "disconnect"}
    for more in ({"balance": "5"}, {}):
        assert rated(tariff=tariff, call={"seconds": 60}, **more) == {"refused": "max_cost"}
    assert rated(tariff={**tariff, "max_cost_then": "free"}, call={"seconds": 60})["cost"] == "0.09"


def test_a_call_goes_on_at_a_highest_cost_that_is_free_afterwards() -> None:
    tariff = {"rates": [BY_MINUTE], "max_cost": "0.55", "max_cost_then": "free"}
    answered = rated(tariff=tariff, call={"seconds": 3_600}, balance="1")
    assert (answered["cost"], answered["max_seconds"], answered["billed_seconds"]) == ("0.55", None, 3_600)


def test_a_minimum_is_the_least_that_a_call_costs() -> None:
    assert rated(tariff={"rates": [BY_MINUTE], "minimum": "0.25"}, call={"seconds": 1})["cost"] == "0.25"


def test_without_a_length_nothing_is_rated_and_the_longest_talk_is_told() -> None:
    answered = minutes(balance="5.00", requested_s=3_600)
    assert (answered["cost"], answered["billed_seconds"], answered["max_seconds"]) == ("0.00", 0, 3_000)
    assert minutes(call={}, requested_s="1.999")["max_seconds"] == 1


def test_a_balance_that_lasts_for_years_is_no_unlimited_one() -> None:
    assert minutes(balance=1_000_000)["max_seconds"] == 600_000_000
    assert rated(tariff={"rates": [{"from_s": 0, "price": 0}]}, balance=0)["max_seconds"] is None


def test_a_balance_below_the_first_increment_is_refused() -> None:
    assert minutes(id=3, call={"seconds": 1}, balance="0.099999") == {"id": 3, "refused": "funds_too_low"}
    assert minutes(call={"seconds": 1}, balance="0.10")["balance_after"] == "0.00"
    assert minutes(call={"seconds": 1}, balance="-1") == {"refused": "funds_too_low"}


def test_a_tariff_without_rates_is_refused_and_not_free() -> None:
    assert rated(tariff={"rates": []}, call={"seconds": 1}) == {"refused": "no_rate"}
    assert rated(tariff_by_time=[], call={"seconds": 1, "start": "2026-05-20T12:00:00Z"}) == {
        "refused": "no_rate"
    }


def by_time(call: dict[str, Any], **line: Any) -> dict[str, Any]:
    return rated(**{"tariff_by_time": BY_TIME, "timezone": "America/New_York", "call": call, **line})


def test_the_time_of_a_call_decides_its_price_and_its_taxes() -> None:
    day = by_time({"start": "2026-05-20T12:00:00", "seconds": 61})
    night = by_time({"start": "2026-05-21T02:00:00Z", "seconds": 61})
    assert (day["cost"], day["tax"]) == ("0.20", "0.01")
    assert (night["cost"], night["tax"]) == ("0.061", "0.00")
    over = by_time({"start": "2026-05-20T17:59:00-04:00", "end": "2026-05-20T18:01:00-04:00"})
    assert (over["cost"], over["tax"]) == ("0.16", "0.01")


def test_taxes_are_those_in_force_also_where_the_price_is_always_the_same() -> None:
    same = [BY_TIME[0], {"weekdays": ALL_WEEK, "start": "18:00", "rates": [BY_MINUTE]}]
    assert by_time({"start": "2026-05-20T12:00:00", "seconds": 1}, tariff_by_time=same)["tax"] == "0.01"
    assert by_time({"start": "2026-05-20T20:00:00", "seconds": 1}, tariff_by_time=same)["tax"] == "0.00"


def test_a_balance_is_followed_through_the_week() -> None:
    assert by_time({"start": "2026-05-20T17:50:00"}, balance="1.61")["max_seconds"] == 1_200
    assert by_time({"start": "2026-05-20T17:50:00"}, balance="1000000000")["max_seconds"] is None


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        ("2026-03-08T01:30:00", "2026-03-08T03:30:00", 3_600),
        ("2026-11-01T00:30:00", "2026-11-01T02:30:00", 10_800),
        ("2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00", 3_600),
        ("2026-11-01T01:30:00", "2026-11-01T01:30:00-05:00", 3_600),
    ],
)
def test_a_call_over_a_clock_change_lasts_as_long_as_the_time_that_passed(
    start: str, end: str, seconds: int
) -> None:
    assert by_time({"start": start, "end": end})["billed_seconds"] == seconds


STEP = BY_MINUTE
SECOND = {"seconds": 1}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({}, "field tariff: expected either tariff or tariff_by_time"),
        (
            {"tariff": {"rates": [STEP]}},
            "field call.seconds: expected how long the call lasted, or a balance or requested_s",
        ),
        ({"tariff": {}, "call": SECOND}, "field tariff.rates: expected a value"),
        ({"tariff": 5, "call": SECOND}, "field tariff: expected a group of fields"),
        ({"tariff": {"rates": 5}, "call": SECOND}, "field tariff.rates: expected a list"),
        (
            {"tariff": {"rates": [STEP], "max_cots": "1"}, "call": SECOND},
            "field tariff.max_cots: expected no such field",
        ),
        (
            {"tariff": {"rates": [STEP | {"from_s": 1}]}, "call": SECOND},
            "field tariff.rates.0.from_s: expected 0: the first step begins with the talk",
        ),
        (
            {"tariff": {"rates": [STEP, STEP]}, "call": SECOND},
            "field tariff.rates.1.from_s: expected more than 0, where the step before begins",
        ),
        (
            {"tariff": {"rates": [STEP | {"per_s": 0}]}, "call": SECOND},
            "field tariff.rates.0.per_s: expected a whole number of at least 1",
        ),
        (
            {"tariff": {"rates": [STEP | {"per_s": "60"}]}, "call": SECOND},
            "field tariff.rates.0.per_s: expected a whole number",
        ),
        (
            {"tariff": {"rates": [STEP | {"price": 0.05}]}, "call": SECOND},
            'field tariff.rates.0.price: expected an amount in quotes, such as "0.05", to be exact',
        ),
        (
            {"tariff": {"rates": [STEP | {"price": True}]}, "call": SECOND},
            'field tariff.rates.0.price: expected an amount in quotes, such as "0.05", to be exact',
        ),
        (
            {"tariff": {"rates": [STEP], "minimum": "-1"}, "call": SECOND},
            "field tariff.minimum: expected an amount that is not negative, not '-1'",
        ),
        (
            {"tariff": {"rates": [STEP], "max_cost": "1", "max_cost_then": "ring"}, "call": SECOND},
            "field tariff.max_cost_then: expected 'free' or 'disconnect'",
        ),
        (
            {"tariff": {"rates": [STEP], "rounding": {"method": "odd"}}, "call": SECOND},
            "field tariff.rounding.method: expected 'up', 'down' or 'middle'",
        ),
        (
            {"tariff": {"rates": [STEP], "rounding": {"decimals": 7}}, "call": SECOND},
            "field tariff.rounding.decimals: expected a whole number of at most 6",
        ),
        (
            {"tariff": {"rates": [STEP], "taxes": [{"name": "a"}]}, "call": SECOND},
            "field tariff.taxes.0: expected either percent or fixed",
        ),
        (
            {"tariff": {"rates": [STEP], "taxes": [{"name": "a", "percent": 6.25}]}, "call": SECOND},
            'field tariff.taxes.0.percent: expected a percentage in quotes, such as "6.25"',
        ),
        (
            {"tariff": {"rates": [STEP]}, "call": {"seconds": -1}},
            "field call.seconds: expected seconds from 0 to 1000000000 with at most three decimals, such as 24 or 24.5",
        ),
        (
            {"tariff": {"rates": [STEP]}, "requested_s": "1.0001"},
            "field requested_s: expected seconds from 0 to 1000000000 with at most three decimals, such as 24 or 24.5",
        ),
        (
            {"tariff": {"rates": [STEP]}, "call": SECOND, "balance": 0.5},
            'field balance: expected an amount in quotes, such as "0.05", to be exact',
        ),
        (
            {"tariff": {"rates": [STEP]}, "call": {"end": "2026-01-01T00:00:00Z"}},
            "field call.start: expected a time beside call.end",
        ),
        (
            {"tariff": {"rates": [STEP]}, "call": {"start": "noon"}},
            'field call.start: expected a time such as "2026-03-08T01:30:00-05:00"',
        ),
        (
            {"tariff": {"rates": [STEP]}, "call": {"start": "9999-01-01", "seconds": 1}},
            "field call.start: expected a year from 1970 to 2199",
        ),
        (
            {"tariff": {"rates": [STEP]}, "call": {"start": "2026-01-01T00:00", "seconds": 1}},
            "field call.start: expected an offset, or a timezone in the line",
        ),
        (
            {"tariff": {"rates": [STEP]}, "call": {"start": "2026-01-01T00:01Z", "end": "2026-01-01T00:00Z"}},
            "field call.end: expected a time not before call.start (an offset tells repeated times apart)",
        ),
        (
            {
                "tariff": {"rates": [STEP]},
                "call": {"start": "2026-01-01T00:00Z", "end": "2026-01-01T00:01Z", "seconds": 1},
            },
            "field call.seconds: expected none beside call.end, or the same",
        ),
        (
            {"tariff": {"rates": [STEP]}, "call": SECOND, "timezone": "Mars"},
            'field timezone: expected a time zone of the IANA database, such as "America/New_York"',
        ),
        (
            {"tariff_by_time": BY_TIME, "call": SECOND, "timezone": "UTC"},
            "field call.start: expected a time, on which the tariff depends",
        ),
        (
            {"tariff_by_time": BY_TIME, "call": {"start": "2026-01-01T00:00Z"} | SECOND},
            'field timezone: expected a time zone of the IANA database, such as "America/New_York"',
        ),
        (
            {
                "tariff_by_time": [*BY_TIME, BY_TIME[0]],
                "call": {"start": "2026-01-01T00:00Z"} | SECOND,
                "timezone": "UTC",
            },
            "field tariff_by_time: expected other starts: two entries start on the same day at the same time",
        ),
        (
            {"tariff_by_time": [BY_TIME[0] | {"weekdays": [0]}]},
            "field tariff_by_time.0.weekdays.0: expected a whole number of at least 1",
        ),
        (
            {"tariff_by_time": [BY_TIME[0] | {"weekdays": []}]},
            "field tariff_by_time.0.weekdays: expected a list that is not empty",
        ),
        (
            {"tariff_by_time": [BY_TIME[0] | {"start": "24:00"}]},
            'field tariff_by_time.0.start: expected a time of day such as "08:00" or "23:59:59"',
        ),
        (
            {
                "tariff_by_time": [BY_TIME[0] | {"rates": [STEP | {"from_s": 6}]}],
                "timezone": "UTC",
                "call": {"start": "2026-01-01T00:00Z"} | SECOND,
            },
            "field tariff_by_time.0.rates.0.from_s: expected 0: the first step begins with the talk",
        ),
        ({"id": [1]}, "field id: expected a text or a whole number"),
    ],
)
def test_a_mistake_is_told_with_its_field_and_what_was_expected(line: dict[str, Any], said: str) -> None:
    assert rated(**line) == {"error": said}


@pytest.mark.parametrize(
    "line", ["", "nonsense", "[]", "5", '{"a": NaN, ', "[" * 100_000, '{"tariff": ' + "9" * 5_000 + "}"]
)
def test_what_is_no_json_object_is_told_so(line: str) -> None:
    assert reply(line) == {"error": "field line: expected one JSON object"}


def test_a_field_that_is_given_twice_is_not_guessed() -> None:
    assert reply('{"balance": "1", "balance": "2"}') == {"error": "field balance: expected it only once"}


def test_numbers_that_are_none_are_refused() -> None:
    line = '{"tariff": {"rates": []}, "balance": NaN}'
    assert reply(line)["error"].startswith("field balance: expected an amount in quotes")


def test_an_id_comes_back_with_a_mistake_too() -> None:
    assert rated(id="x\ud800", call={"seconds": "many"})["id"] == "x\ud800"
