"""The README's table of topics and services against what the nodes really offer."""

import re
from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from sensor_msgs.msg import Image

from edge_ai.nodes.camera_node import CameraNode
from edge_ai.nodes.control_node import ControlNode
from edge_ai.nodes.dashboard_node import DashboardNode
from edge_ai.nodes.inference_node import InferenceNode
from edge_ai.nodes.monitor_node import MonitorNode
from edge_ai.nodes.qos import SENSOR
from edge_ai.nodes.recorder_node import RecorderNode

ROOT = Path(__file__).resolve().parents[2]
NODES = ("camera", "inference", "control")
# These listen to more than the table says, see the text below it.
WATCHERS = ("monitor", "recorder", "dashboard")
# What every ROS node and every lifecycle node has, and the optional topics that the text below the table names.
COMMON = re.compile(
    r"/rosout|/parameter_events|.*transition_event|/inference/(detections|classification)|/clock|.*/(free_memory|profile)"
)


def documented():
    row = re.compile(r"^\| `([\w/]+)` \| (\w+)/(\w+) \|([^|]*)\|([^|]*)\|$", re.M)
    rows = row.findall((ROOT / "README.md").read_text())
    said = {}
    for name, package, kind, sources, sinks in rows:
        for side, nodes in (("from", sources), ("to", sinks)):
            for node in filter(None, (n.strip() for n in nodes.split(","))):
                said.setdefault(node, set()).add((side, "/" + name.lstrip("/"), f"{package}/{kind}"))
    return said


def offered(node, name):
    sides = {
        "from": node.get_publisher_names_and_types_by_node(name, "/"),
        "to": node.get_subscriber_names_and_types_by_node(name, "/"),
    }
    found = {
        (side, topic, kind.replace("/msg/", "/"))
        for side, topics in sides.items()
        for topic, kinds in topics
        for kind in kinds
        if not COMMON.fullmatch(topic)
    }
    services = node.get_service_names_and_types_by_node(name, "/")
    ours = ("std_srvs/", "edge_ai/")
    return found | {
        ("from", service, kind.replace("/srv/", "/"))
        for service, kinds in services
        for kind in kinds
        if kind.startswith(ours) and not COMMON.fullmatch(service)
    }


def from_here(topics):
    """Those that a node is the source of."""
    return {topic for topic in topics if topic[0] == "from"}


def test_topics_and_services_are_as_documented(ros, until, tmp_path):
    quiet = {"dashboard:port": 0, "monitor:metrics_port": 0, "monitor:mitigation": "none"}
    one = ros(**{"camera:source": "synthetic", "recorder:folder": tmp_path, **quiet})
    robot, watch = (CameraNode, InferenceNode, ControlNode), (MonitorNode, RecorderNode, DashboardNode)
    for node in [one.add(make()) for make in (*robot, *watch)]:
        assert one.do(node, "configure"), node.fault
        assert one.do(node, "activate"), node.fault
    one.listen(Image, "inference/annotated", SENSOR)  # what control says is drawn for whoever watches, and only then
    said = documented()
    # The graph learns of new topics a little after they are made.
    until(lambda: all(len(offered(one.probe, name)) >= len(said[name]) for name in (*NODES, *WATCHERS)), "the graph")
    assert {name: offered(one.probe, name) for name in NODES} == {name: said[name] for name in NODES}
    for name in WATCHERS:
        assert from_here(offered(one.probe, name)) == from_here(said[name]), name
        assert said[name] <= offered(one.probe, name), name
