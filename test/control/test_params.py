from __future__ import annotations

import pytest

from edge_ai.control.params import ControlParams
from edge_ai.core.errors import ParameterError
from edge_ai.core.params import specs


def test_default_stops_within_what_is_promised():
    params = ControlParams()
    assert params.max_age + 1 / params.rate <= 0.3
    assert params.rate >= 20


def test_everything_is_described_with_its_unit():
    for spec in specs(ControlParams):
        assert spec.description.endswith("."), spec.name
        if spec.name.startswith("max_") and spec.name != "max_age":
            assert spec.unit.startswith(("m/s", "rad/s")), spec.name


@pytest.mark.parametrize("name", ["rate", "stamped", "base_frame_id"])
def test_what_cannot_change_while_active_says_so(name):
    assert {spec.name: spec.live for spec in specs(ControlParams)}[name] is False


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"rate": 10.0}, "'rate' of control: got 10.0 (float); wanted double 20 .. 1000 Hz"),
        ({"max_age": "soon"}, "'max_age' of control: got 'soon' (str); wanted double 0.02 .. 5 s"),
        ({"follow_by": "tallest"}, "wanted string 'largest' | 'nearest'"),
        ({"max_linear_speed": -0.1}, "'max_linear_speed'"),
        ({"max_linear_speed": float("nan")}, "'max_linear_speed'"),
        ({"stop_zone": [0.0, 0.5, 1.0]}, "a rectangle takes 4 numbers"),
        ({"stop_zone": [0.0, 0.5, 1.0, 1.5]}, "between 0 and 1"),
        ({"stop_zone": [0.5, 0.5, 0.5, 1.0]}, "x1 must be less than x2"),
        ({"max_sped": 1.0}, "'max_sped' of control does not exist"),
    ],
)
def test_refuses(values, words):
    with pytest.raises(ParameterError) as caught:
        ControlParams.parse(values, owner="control")
    assert words in str(caught.value)


def test_takes_a_polygon():
    zone = [0.5, 0.5, 1.0, 1.0, 0.0, 1.0]
    assert ControlParams.parse({"stop_zone": zone}).stop_zone == zone
