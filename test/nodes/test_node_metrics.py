import json
from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from std_srvs.srv import Trigger

from edge_ai.msg import NodeMetrics
from edge_ai.nodes.camera_node import CameraNode
from edge_ai.nodes.control_node import ControlNode
from edge_ai.nodes.inference_node import InferenceNode
from edge_ai.nodes.pipeline_node import PipelineNode
from edge_ai.srv import Profile

SOURCE = "synthetic://320x240@15"


@pytest.fixture
def told(ros):
    """Starts nodes and gives what they tell of themselves, by node: the newest readings."""

    def start(*nodes, **params):
        one = ros(**params)
        got = one.listen(NodeMetrics, "node_metrics", 50)
        for node in [one.add(make()) for make in nodes]:
            assert one.do(node, "configure"), node.fault
            assert one.do(node, "activate"), node.fault

        def newest(name):
            mine = [message for message in list(got) if message.node == name and message.period]
            return {reading.name: reading.value for reading in mine[-1].readings} if mine else {}

        newest.ros, newest.got = one, got
        return newest

    return start


def test_each_node_tells_how_it_fares(told, until):
    newest = told(CameraNode, InferenceNode, ControlNode, **{"camera:source": SOURCE})
    until(lambda: newest("inference").get("rate", 0) > 1, "results")
    until(lambda: newest("camera").get("rate", 0) > 1 and newest("control").get("commands", 0) > 20, "frames, commands")
    inference = newest("inference")
    stages = {"wait_p50", "preprocess_p50", "infer_p50", "postprocess_p50", "age_p50", "age_p99", "processing_p50"}
    assert stages <= set(inference)
    assert 0 < inference["infer_p50"] < inference["processing_p50"] < inference["age_p99"]
    assert {"dropped", "failed", "memory", "cpu"} <= set(inference)
    assert inference["batch"] == 1.0
    assert 0 <= inference["queue"] <= 2
    assert newest("control")["stopped"] == 0.0, "results are fresh"
    assert {"rate", "dropped", "memory", "cpu"} <= set(newest("camera"))


def test_a_composed_node_tells_of_its_parts(told, until):
    newest = told(PipelineNode, **{"pipeline:camera.source": SOURCE})
    until(lambda: newest("pipeline").get("rate", 0) > 1, "results")
    until(lambda: newest("camera").get("rate", 0) > 1 and newest("control").get("commands", 0) > 20, "its parts")
    assert "memory" in newest("pipeline")
    assert "memory" not in newest("camera"), "it is no process of its own"
    assert not newest("router"), "there is no server"


def test_a_node_says_when_it_is_going_to_be_silent(told, until):
    newest = told(ControlNode)
    until(lambda: newest("control"), "metrics")
    before = len(newest.got)
    newest.ros.do(newest.ros._nodes[-1], "deactivate")
    until(lambda: any(not message.period for message in newest.got[before:]), "its word")


def test_memory_is_given_back_on_request(told):
    newest = told(ControlNode)
    answer = newest.ros.call(Trigger, "control/free_memory")
    assert answer.success
    assert "MiB" in answer.message


def test_a_profile_is_taken_while_the_node_goes_on(told, until, tmp_path):
    newest = told(CameraNode, InferenceNode, **{"camera:source": SOURCE})
    until(lambda: newest("inference").get("rate", 0) > 1, "results")
    answer = newest.ros.call(Profile, "inference/profile", kind="trace", seconds=1.0, folder=str(tmp_path))
    assert answer.success, answer.message
    (file,) = [path for path in map(Path, answer.files) if path.suffix == ".json"]
    assert file.parent == tmp_path
    assert {"infer", "preprocess"} <= {event.get("name") for event in json.loads(file.read_text())["traceEvents"]}


@pytest.mark.parametrize("wrong", [{"kind": "guess"}, {"seconds": -1.0}])
def test_a_profile_that_makes_no_sense_is_refused_in_words(told, wrong):
    newest = told(ControlNode)
    answer = newest.ros.call(Profile, "control/profile", **wrong)
    assert not answer.success
    assert str(next(iter(wrong.values()))).strip("-") in answer.message
