from typing import Literal

import pytest

from edge_ai.core.errors import ParameterError
from edge_ai.core.params import Params, param, specs


class Sample(Params):
    rate: float = param(20.0, "Frames a second.", unit="Hz", ge=1, le=100, live=True)
    count: int = param(0, "How many.", ge=0)
    mode: Literal["a", "b"] = param("a", "Which.")
    names: list[str] = param(["x"], "Which ones.")


def test_defaults_hold():
    assert Sample.parse({}).rate == 20.0


def test_a_whole_number_does_for_a_double():
    assert Sample.parse({"rate": 5}).rate == 5.0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"rate": 1000.0}, ["'rate' of cam", "got 1000.0", "1 .. 100 Hz"]),
        ({"rate": "fast"}, ["'rate' of cam", "got 'fast' (str)", "double"]),
        ({"rate": float("nan")}, ["'rate'", "nan", "finite"]),
        ({"count": 1.5}, ["'count'", "1.5 (float)", "int >= 0"]),
        ({"mode": "z"}, ["'mode'", "'z'", "'a' | 'b'"]),
        ({"names": [1]}, ["'names'", "string[]"]),
        ({"tempo": 1}, ["'tempo' of cam does not exist", "rate, count, mode, names"]),
    ],
)
def test_a_refusal_names_parameter_value_and_range(values, words):
    with pytest.raises(ParameterError) as caught:
        Sample.parse(values, owner="cam")
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_all_refusals_come_at_once():
    with pytest.raises(ParameterError, match=r"'rate'.*'count'"):
        Sample.parse({"rate": 0, "count": -1})


def test_a_change_is_checked_and_leaves_the_original_alone():
    before = Sample.parse({})
    assert before.changed(rate=30.0).rate == 30.0
    assert before.rate == 20.0
    with pytest.raises(ParameterError):
        before.changed(rate=0.0)


def test_specs_describe_every_parameter():
    rate, count, mode, names = specs(Sample)
    assert (rate.type, rate.unit, rate.range, rate.live) == ("double", "Hz", "1 .. 100", True)
    assert (count.type, count.range, count.live) == ("int", ">= 0", False)
    assert (mode.type, mode.choices) == ("string", ("a", "b"))
    assert (names.type, names.default) == ("string[]", ["x"])
