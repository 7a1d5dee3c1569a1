"""What is written without ROS is byte for byte what rclpy writes."""

import importlib
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mcap_ros2.decoder import DecoderFactory
from rosbags import typesys

from edge_ai.capture.calibration import Calibration
from edge_ai.control.command import Command, ControlState
from edge_ai.control.tracker import Target
from edge_ai.core.errors import EdgeAIError
from edge_ai.core.types import Classification, Detections, FrameHeader, Result, Segmentation, Velocity
from edge_ai.monitoring.alert import Alert, Level
from edge_ai.monitoring.mitigation import MitigationStatus
from edge_ai.monitoring.readings import Sample
from edge_ai.monitoring.steps import StepState, StepStatus
from edge_ai.recording import fields, messages
from edge_ai.recording.cdr import encode
from edge_ai.recording.schemas import fields_of

ROOT = Path(__file__).resolve().parents[2]
STAMP = 1_800_000_000_123_456_789
HEADER = FrameHeader(STAMP, 7, "camera_optical", 3, 640, 480)
FOUND = Detections(
    np.array([[1, 2, 30, 40], [5.5, 6.25, 70, 80]], np.float32),
    np.array([0.9, 0.3], np.float32),
    np.array([0, 1], np.int32),
    ("person", "dög"),
)
RESULT = Result(HEADER, FOUND, "nanodet", "1", timings={"wait": 0.001, "infer": 0.02}, reason="édge: near")
TARGET = Target(0, (1.0, 2.0, 30.0, 40.0), 0.9, 0, "person", 5)
COMMAND = Command(Velocity(0.2, -0.1), ControlState.FOLLOWING, "following", 0.04, HEADER, TARGET, 10, 1, 0)
ALERT = Alert("cpu", Level.ERROR, "cpu 0.97 > 0.9", STAMP, True, "cpu", 0.97, 0.9, "throttle")
READINGS = {
    "cpu": 0.5, "cpu/0": 0.4, "cpu/1": 0.6, "memory": 0.7, "memory_used": 3e9, "memory_total": 8e9, "disk_free": 1e10,
    "temperature": 61.5, "temperature/tj": 61.5, "power": 12.0, "power/VDD_IN": 12.0, "network/eth0/rx": 1e4,
    "throttled": 1.0, "inference/rate": 21.0, "inference/age_p50": 0.08, "fps": 21.0, "age": 0.08,
    "monitor/load": 0.004,
}  # fmt: skip
SAMPLE = Sample(STAMP, 7, READINGS, {"board": "PC", "power_mode": "MAXN"}, {"jtop": "silent"})
STEP = StepStatus("slower", StepState.TAKEN, "fps low", STAMP, {"fps": 9.0}, {"fps": 15.0})
LADDER = MitigationStatus(1, 2, "slower: taken", (STEP, StepStatus("stop", StepState.READY)))
UPDATE = {"state": "probation", "active": "nanodet 2", "candidate": "nanodet 2", "progress": 0.25, "message": "wächst"}
UPDATE |= {"checks": ["sha256", "golden answers: 4 of 4"], "passed": [True, False], "switches": 3, "rollbacks": 1}
CALIBRATION = Calibration(640, 480, "plumb_bob", (0.1, 0.2, 0.3, 0.4, 0.5), (1.0,) * 9, (2.0,) * 9, (3.0,) * 12)

POINTS = np.array([[[1, 2, 0.5], [3, 4, 0.25]]], np.float32)
CASES = {
    "result": (messages.RESULT, messages.inference_result(RESULT, 4)),
    "empty result": (messages.RESULT, messages.inference_result(Result(HEADER, Detections(), "m", "1"))),
    "keypoints": (
        messages.RESULT,
        messages.inference_result(
            replace(
                RESULT,
                detections=replace(
                    FOUND,
                    boxes=FOUND.boxes[:1],
                    scores=FOUND.scores[:1],
                    class_ids=FOUND.class_ids[:1],
                    keypoints=POINTS,
                    keypoint_names=("nose", "tail"),
                ),
            )
        ),
    ),
    "classes": (
        messages.RESULT,
        messages.inference_result(
            replace(
                RESULT,
                classification=Classification(np.array([0.7], np.float32), np.array([1], np.int32), ("a", "b")),
                segmentation=Segmentation(np.arange(35, dtype=np.uint8).reshape(5, 7), ("x",)),
            )
        ),
    ),
    "command": (messages.CONTROL_STATUS, messages.control_status(COMMAND, STAMP, "base_link")),
    "standing still": (
        messages.CONTROL_STATUS,
        messages.control_status(replace(COMMAND, header=None, target=None, age_s=None), STAMP, "base_link"),
    ),
    "alert": (messages.ALERT, messages.alert(ALERT)),
    "system": (messages.SYSTEM_STATUS, messages.system_status(SAMPLE, [ALERT], 30.0)),
    "unknown system": (messages.SYSTEM_STATUS, messages.system_status(Sample(STAMP, 7))),
    "model update": (messages.MODEL_UPDATE, messages.model_update(UPDATE, STAMP)),
    "ladder": (messages.MITIGATION_STATUS, messages.mitigation_status(LADDER, STAMP)),
    "router": (messages.ROUTER_STATUS, messages.router_status({"policy": "rules", "rtt": math.nan}, STAMP)),
    "camera info": (messages.CAMERA_INFO, messages.camera_info(CALIBRATION, STAMP, "camera_optical")),
    "no calibration": (messages.CAMERA_INFO, messages.camera_info(Calibration.none(640, 480), STAMP, "c")),
    "card": (messages.STRING, messages.text("name: nanodet\nü: 1\n")),
    "jpeg": (messages.COMPRESSED_IMAGE, messages.compressed_image(bytes(range(256)) * 3 + b"x", STAMP, "cam")),
}


@pytest.mark.parametrize("case", CASES)
def test_as_rclpy_writes_it(case):
    pytest.importorskip("rclpy", reason="needs ROS 2")
    from rclpy.serialization import deserialize_message, serialize_message

    name, data = CASES[case]
    package, _, kind = name.split("/")
    message = deserialize_message(data, getattr(importlib.import_module(f"{package}.msg"), kind))
    assert same(serialize_message(message), data)


def same(theirs, ours):
    """Fast CDR leaves whatever it finds in the bytes between fields; ours are zero."""
    return len(theirs) == len(ours) and all(a == b or b == 0 for a, b in zip(theirs, ours, strict=True))


@pytest.mark.parametrize("case", CASES)
def test_every_field_comes_back_by_the_schema_that_goes_with_it(case):
    name, data = CASES[case]
    assert decoded(name, data) is not None


def test_numbers_and_words_come_back():
    result = decoded(messages.RESULT, CASES["result"][1])
    assert result.header.stamp.sec * 10**9 + result.header.stamp.nanosec == STAMP
    assert [one.class_name for one in result.detections] == ["person", "dög"]
    assert result.detections[1].y_min == 6.25
    system = decoded(messages.SYSTEM_STATUS, CASES["system"][1])
    assert system.cpu_core_load == pytest.approx([0.4, 0.6])
    assert [(one.name, one.value) for one in system.power] == [("VDD_IN", 12.0), ("total", 12.0)]
    assert [one.name for one in system.node_rates] == ["inference"]
    assert system.faults == ["jtop: silent"]
    assert system.throttled
    assert math.isnan(decoded(messages.SYSTEM_STATUS, CASES["unknown system"][1]).cpu_load)


def test_the_same_fields_as_the_nodes_make():
    pytest.importorskip("rclpy", reason="needs ROS 2")
    from rclpy.serialization import serialize_message

    from edge_ai.nodes import convert

    assert same(serialize_message(convert.result_to_msg(RESULT, 4)), CASES["result"][1])
    status = convert.command_to_status(COMMAND, convert.ns_to_time(STAMP), "base_link")
    assert same(serialize_message(status), CASES["command"][1])


def test_a_field_that_the_type_has_not_is_refused():
    with pytest.raises(EdgeAIError, match="volume"):
        encode(messages.STRING, {"volume": 1})


def test_a_value_that_does_not_fit_is_refused():
    with pytest.raises(EdgeAIError, match="does not fit"):
        encode(messages.ALERT, {"level": 300})
    with pytest.raises(EdgeAIError, match="does not fit"):
        encode(messages.CAMERA_INFO, {"k": [1.0]})


def test_what_is_missing_is_zero():
    assert encode(messages.CAMERA_INFO, {}) == messages.encode(
        messages.CAMERA_INFO, {"header": fields.header(0), "k": [0.0] * 9, "r": [0.0] * 9, "p": [0.0] * 12}
    )


def test_without_ros_and_away_from_the_source_tree(tmp_path):
    """As pip installs it: definitions beside the code and under share/edge_ai."""
    script = (
        "from edge_ai.recording.messages import schema_text; print(len(schema_text('edge_ai/msg/InferenceResult')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"PATH": "/usr/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 1000


def test_setup_cfg_ships_the_definitions():
    text = (ROOT / "setup.cfg").read_text()
    assert "share/edge_ai/msg = msg/*" in text
    assert "edge_ai.recording = interfaces/*/*.msg" in text


@pytest.mark.parametrize("path", sorted((ROOT / "edge_ai/recording/interfaces").rglob("*.msg")), ids=lambda p: p.stem)
def test_bundled_definitions_are_those_of_ros(path):
    store = typesys.get_typestore(typesys.Stores.ROS2_JAZZY)
    ours = [(field, kind.replace("/msg/", "/")) for field, kind in fields_of(f"{path.parent.name}/{path.stem}")]
    text, _ = store.generate_msgdef(f"{path.parent.name}/msg/{path.stem}", ros_version=2)
    lines = [line.split() for line in text.partition("=" * 10)[0].splitlines() if "=" not in line and line.strip()]
    assert ours == [(field, kind) for kind, field, *_ in lines]


def decoded(name, data):
    from mcap.records import Schema

    schema = Schema(1, messages.schema_text(name).encode(), "ros2msg", name)
    return DecoderFactory().decoder_for("cdr", schema)(data)
