import math

import pytest

from edge_ai.optimization.report.words import UNKNOWN, between, number, percent, points, scaled, shortened


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0312, "0.0312"),
        (0.1, "0.1"),
        (0.000123456, "0.000123"),
        (1e-9, "0"),
        (9.899, "9.90"),
        (12.34, "12.3"),
        (1234.5, "1\u202f234"),
        (-0.35, "\u22120.35"),
        (None, UNKNOWN),
        (math.nan, UNKNOWN),
        (-math.inf, UNKNOWN),
        (True, UNKNOWN),
        ("12", UNKNOWN),
    ],
)
def test_numbers_have_three_digits_and_no_exponent(value, text):
    assert number(value) == text


def test_units_stand_apart_and_powers_get_their_letter():
    assert number(9.9, "ms") == "9.90\u00a0ms"
    assert number(2.0, "\u00d7") == "2.00\u00d7"
    assert scaled(3_990_000, "B") == "3.99\u00a0MB"
    assert scaled(512, "B") == "512\u00a0B"
    assert scaled(1.31e9) == "1.31\u00a0G"


def test_shares_are_percentages_and_differences_points():
    assert percent(0.3085) == "30.85\u00a0%"
    assert points(-0.0035) == "\u22120.35"
    assert points(0.02) == "+2.00"
    assert points(math.nan) == percent(None) == UNKNOWN


def test_an_estimate_has_its_interval_where_that_is_known():
    assert between({"value": 0.004, "low": -0.001, "high": 0.009}, factor=100) == ("0.4", "\u22120.1 to 0.9")
    assert between({"p50": 9.9, "low": None, "high": 10.1}, "ms", center="p50") == ("9.90\u00a0ms", "")
    assert between(None) == between({}) == between({"value": math.nan, "low": 1, "high": 2}) == (UNKNOWN, "")


def test_names_lose_their_middle():
    short = shortened("/backbone/stage1/block2/conv/Conv", 20)
    assert len(short) == 20
    assert short.startswith("/backb")
    assert short.endswith("conv/Conv")
    assert shortened("conv1", 20) == "conv1"
