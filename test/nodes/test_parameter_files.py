"""Board profiles and what is prepared, read by ROS itself, which knows less of YAML than YAML does."""

from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from edge_ai.nodes.camera_node import CameraNode
from edge_ai.nodes.inference_node import InferenceNode
from edge_ai.nodes.monitor_node import MonitorNode
from edge_ai.nodes.pipeline_node import PipelineNode
from edge_ai.platforms.detect import detect
from edge_ai.runtime.prepared import Prepared, marks, prepared_path, write_prepared
from edge_ai.runtime.profiles import profile_values

PROFILES = sorted((Path(__file__).resolve().parents[2] / "config/profiles").glob("*.yaml"))
NODES = {"camera": CameraNode, "inference": InferenceNode, "pipeline": PipelineNode, "monitor": MonitorNode}


def named(values, prefix=""):
    for name, value in values.items():
        if isinstance(value, dict):
            yield from named(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def holds(node, wanted):
    """Whether a node has the values."""
    return {name: node.get_parameter(name).value for name, _ in wanted} == dict(wanted)


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_every_node_takes_its_part_of_a_profile(ros, path):
    one = ros(file=path)
    for name, kind in NODES.items():
        assert holds(one.add(kind()), list(named(profile_values(path, name)))), name


def test_a_prepared_file_is_one_that_ros_reads(ros, own_folders):
    prepared = Prepared(
        machine=marks(detect()), profile="generic_pc", detected=True, inputs="0123", model="", engine=""
    )
    nodes = {
        "inference": {"engine_workspace": 2816, "model": "/data/card ß.yaml"},
        "monitor": {"power": {"mode": ""}},
    }
    write_prepared(prepared_path(), prepared, nodes, "made by a test")
    one = ros(file=prepared_path())
    for name, values in nodes.items():
        assert holds(one.add(NODES[name]()), list(named(values)))
