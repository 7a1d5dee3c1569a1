import re

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from rcl_interfaces.msg import Log
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy

from edge_ai.core.errors import ParameterError
from edge_ai.nodes.camera_node import CameraNode
from edge_ai.nodes.control_node import ControlNode
from edge_ai.nodes.inference_node import InferenceNode
from edge_ai.nodes.qos import SENSOR

IMAGES = "qos_overrides./camera/image_raw"


def offered(node, topic):
    (info,) = node.get_publishers_info_by_topic(topic)
    return info.qos_profile


def asked(node, topic):
    (info,) = node.get_subscriptions_info_by_topic(topic)
    return info.qos_profile


def test_overrides_hold_over_two_lifecycle_cycles(ros, until):
    one = ros(**{"source": "synthetic://160x120@5", f"{IMAGES}.publisher.reliability": "reliable"})
    node = one.add(CameraNode())
    for _ in range(2):
        assert one.do(node, "configure"), node.fault
        until(lambda: node.count_publishers("camera/image_raw"), "the camera's topic")
        assert offered(node, "camera/image_raw").reliability == ReliabilityPolicy.RELIABLE
        assert offered(node, "camera/image_raw/compressed").reliability == ReliabilityPolicy.BEST_EFFORT, (
            "not asked for"
        )
        assert one.do(node, "activate")
        assert one.do(node, "deactivate")
        assert one.do(node, "cleanup")
        until(lambda: not node.count_publishers("camera/image_raw"), "the end of the topic")
    assert SENSOR.reliability == ReliabilityPolicy.BEST_EFFORT, "the profile that all topics share is as it was"
    assert SENSOR.depth == 1


def test_a_subscription_is_overridden_by_a_parameter_file_under_the_resolved_name(ros, until, tmp_path):
    path = tmp_path / "qos.yaml"
    path.write_text(
        "/**:\n  ros__parameters:\n    warm_up: 0\n    qos_overrides:\n      /camera/image_raw:\n"
        "        subscription: {reliability: reliable, depth: 3}\n"
    )
    one = ros(file=path)
    said = one.listen(Log, "/rosout")
    node = one.add(InferenceNode())
    for _ in range(2):
        assert one.do(node, "configure"), node.fault
        assert one.do(node, "activate"), node.fault
        until(lambda: node.count_subscribers("camera/image_raw"), "the subscription")
        assert asked(node, "camera/image_raw").reliability == ReliabilityPolicy.RELIABLE
        until(lambda: any("depth' is 3: what waits in a queue is acted on late" in m.msg for m in said), "the warning")
        said.clear()
        assert one.do(node, "deactivate")
        assert one.do(node, "cleanup")
        until(lambda: not node.count_subscribers("camera/image_raw"), "the end of the subscription")
    assert node.get_parameter(f"{IMAGES}.subscription.depth").value == 3
    changed = node.set_parameters([Parameter(f"{IMAGES}.subscription.depth", value=4)])[0]
    assert not changed.successful, "a topic that exists keeps its QoS"


def test_a_status_may_be_latched_for_who_comes_late(ros, until):
    one = ros(
        **{"source": "synthetic://160x120@5", "qos_overrides./camera/status.publisher.durability": "transient_local"}
    )
    node = one.add(CameraNode())
    assert one.do(node, "configure"), node.fault
    until(lambda: node.count_publishers("camera/status"), "the topic")
    assert offered(node, "camera/status").durability == DurabilityPolicy.TRANSIENT_LOCAL


@pytest.mark.parametrize(
    ("kind", "name", "value", "words"),
    [
        (CameraNode, f"{IMAGES}.publisher.reliability", "sometimes", "got 'sometimes'; wanted reliable or best_effort"),
        (CameraNode, f"{IMAGES}.publisher.reliability", 1, "got 1; wanted reliable or best_effort"),
        (CameraNode, f"{IMAGES}.publisher.depth", 0, r"got 0; wanted int 1 \.\. 1000"),
        (CameraNode, f"{IMAGES}.publisher.depth", "deep", "got 'deep'; wanted int"),
        (CameraNode, f"{IMAGES}.publisher.history", "keep_all", "got 'keep_all'; wanted keep_last"),
        (
            CameraNode,
            f"{IMAGES}.publisher.lifespan",
            5,
            "policy 'lifespan'; wanted one of history, depth, reliability$",
        ),
        (ControlNode, "qos_overrides./cmd_vel.publisher.durability", "transient_local", "policy 'durability'"),
    ],
)
def test_a_wrong_override_is_refused_by_name_at_configure(ros, kind, name, value, words):
    one = ros(**{name: value} | ({"source": "synthetic"} if kind is CameraNode else {}))
    node = one.add(kind())
    assert not one.do(node, "configure")
    assert name in node.fault
    assert re.search(words, node.fault), node.fault


@pytest.mark.parametrize(
    "name", ["qos_overrides.camera.publisher.depth", f"{IMAGES}.depth", f"{IMAGES}.reader.depth", "qos_overrides.x"]
)
def test_what_cannot_be_an_override_is_refused_at_start(ros, name):
    ros(**{name: 2})
    with pytest.raises(ParameterError, match="is no QoS override: wanted qos_overrides"):
        ControlNode()
