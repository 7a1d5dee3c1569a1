import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from edge_ai.core.errors import ParameterError
from edge_ai.nodes.camera_node import CameraNode
from edge_ai.nodes.control_node import ControlNode
from edge_ai.nodes.inference_node import InferenceNode


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"max_age": 99.0}, r"'max_age' of control: got 99.0 \(float\); wanted double 0.02 .. 5 s"),
        ({"max_age": "soon"}, r"'max_age' of control: got 'soon' \(str\); wanted double"),
        ({"max_agee": 0.2}, r"'max_agee' of control does not exist: wanted one of rate, max_age"),
        ({"stop_zone": "[0.5, 0.5, 0.1, 0.1]"}, r"'stop_zone' of control: got .*x1 must be less than x2"),
    ],
)
def test_a_wrong_parameter_is_refused_at_start_by_name_and_range(ros, parameters, words):
    ros(**parameters)
    with pytest.raises(ParameterError, match=words):
        ControlNode()


def test_a_whole_number_does_for_a_double_and_a_device_number_for_a_source(ros):
    one = ros(max_age=1, source=0)
    with pytest.raises(ParameterError, match="'source' of control does not exist"):
        ControlNode()
    del one


def test_a_device_number_is_a_source(ros):
    one = ros(source=2)
    assert one.add(CameraNode()).params[""].source == "2"


def test_descriptors_carry_range_unit_and_words(ros):
    node = ros().add(ControlNode())
    descriptor = node.describe_parameter("max_linear_speed")
    assert descriptor.floating_point_range[0].to_value == 10.0
    assert "Unit: m/s." in descriptor.description
    assert "Limit of the speed." in descriptor.description


def test_lists_come_as_lists(ros):
    node = ros(classes="[person, car]").add(InferenceNode())
    assert node.params[""].classes == ["person", "car"]
