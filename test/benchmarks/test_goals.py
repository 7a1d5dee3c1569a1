import json
import math

import pytest

from benchmarks.goals import Goal, table


@pytest.mark.parametrize(
    ("value", "bound", "better", "met"),
    [
        (0.95, 0.95, "higher", True),
        (0.9499, 0.95, "higher", False),
        (2.5, 2.5, "lower", True),
        (2.51, 2.5, "lower", False),
        (0, 0, "lower", True),
        (None, 0, "lower", False),
        (None, 0, "higher", False),
        (math.nan, 1, "lower", False),
        (math.nan, 1, "higher", False),
        (math.inf, 1, "higher", True),
    ],
)
def test_a_goal_is_met_at_its_bound_and_never_without_a_figure(value, bound, better, met):
    assert Goal("g", value, bound, better).met is met


def test_a_goal_as_json_has_the_keys_of_a_report():
    assert Goal("age", 2.0, 2.5, "lower").as_json() == {
        "name": "age",
        "value": 2.0,
        "bound": 2.5,
        "better": "lower",
        "met": True,
    }


@pytest.mark.parametrize("value", [None, math.nan])
def test_what_was_not_measured_is_null_in_json(value):
    assert json.loads(json.dumps(Goal("age", value, 1, "lower").as_json(), allow_nan=False))["value"] is None


def test_the_table_shows_every_goal_and_hides_no_miss():
    lines = table([Goal("a", 1.0, 2, "lower"), Goal("b", 3.0, 2, "lower"), Goal("c", None, 1, "higher")]).splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["met", "MISSED", "MISSED"]
    assert "not measured" in lines[3]
    assert "at least 1" in lines[3]
    assert lines[-1] == "1 of 3 goals met, 2 missed"
