from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")
pytest.importorskip("mcap")

from mcap.reader import make_reader
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image, Imu
from std_msgs.msg import String
from std_srvs.srv import Trigger

from edge_ai.msg import Alert, CameraStatus, ControlStatus, NodeMetrics, Reading, RecorderStatus
from edge_ai.nodes.camera_node import CameraNode
from edge_ai.nodes.control_node import ControlNode
from edge_ai.nodes.inference_node import InferenceNode
from edge_ai.nodes.qos import ALERTS, LATCHED, SENSOR
from edge_ai.nodes.recorder_node import RecorderNode
from edge_ai.recording.reader import RecordingReader


def topics(path):
    """Messages by topic of a recording."""
    found = {}
    with Path(path).open("rb") as file:
        for _, channel, _ in make_reader(file).iter_messages():
            found[channel.topic] = found.get(channel.topic, 0) + 1
    return found


@pytest.fixture
def record(ros, until, tmp_path):
    """Starts an active recorder beside other nodes; its files lie in ``folder``."""

    class Record:
        folder = tmp_path / "recordings"

        def __init__(self, *nodes, **params):
            given = {"recorder:folder": self.folder, "recorder:after": 0.5, **params}
            self.ros = ros(**given)
            self.status = self.ros.listen(RecorderStatus, "recorder/status")
            self.node = RecorderNode()
            self.nodes = [self.ros.add(make()) for make in nodes]
            for node in (*self.nodes, self.ros.add(self.node)):
                assert self.ros.do(node, "configure"), node.fault
                assert self.ros.do(node, "activate"), node.fault

        def listening(self, *names):
            """Wait until it listens to these topics."""
            until(lambda: set(names) <= set(self.node._topics.topics), f"it to listen to {names}")

        def heard(self, topic):
            """Whether it has messages of a topic in memory."""
            return any(entry.topic == topic for entry in self.node._recorder._memory.ring.since(0))

        def files(self):
            return sorted(self.folder.glob("*.mcap"))

        def written(self):
            """The one file, once it is whole."""
            until(lambda: self.status and self.status[-1].files and not self.status[-1].recording, "a whole file")
            (file,) = self.files()
            return file

    return Record


def test_what_a_robot_saw_and_did_is_written_on_request(record, until):
    nodes = (CameraNode, InferenceNode, ControlNode)
    it = record(*nodes, **{"camera:source": "synthetic://320x240@15"})
    wanted = ("/camera/image_raw", "/camera/status", "/inference/results", "/inference/card", "/control/status")
    it.listening(*wanted, "/node_metrics", "/diagnostics")
    until(lambda: it.node._recorder.status.buffered > 2.0, "two seconds in memory")
    answer = it.ros.call(Trigger, "recorder/record")
    assert answer.success
    file = it.written()
    assert str(file) == answer.message
    found = topics(file)
    for topic in ("/camera/status", "/inference/results", "/control/status", "/node_metrics", "/diagnostics"):
        assert found[topic] > 1, topic
    assert found["/inference/card"] == 1
    assert found["/camera/camera_info"] >= 1
    read = RecordingReader(file)
    frames = {frame.header.stamp_ns: frame for frame in read.frames()}
    assert next(iter(frames.values())).image.shape == (240, 320, 3)
    assert frames.keys() & read.results().keys(), "frames with what was said about them"
    assert it.status[-1].files == 1
    assert not it.status[-1].fault


def test_an_alert_begins_a_recording_but_not_one_from_before(record, until):
    it = record()
    publisher = it.ros.probe.create_publisher(Alert, "monitor/alerts", ALERTS)
    publisher.publish(Alert(name="memory", level=Alert.WARN, active=True))
    it.listening("/monitor/alerts")
    until(lambda: len(it.status) > 1, "a second without a recording")
    assert not it.files()
    publisher.publish(Alert(name="cpu", level=Alert.WARN, message="cpu 99 % is above 90 %", active=True))
    found = topics(it.written())
    assert found["/monitor/alerts"] == 1
    assert "cpu" in it.status[-1].reason


def test_only_errors_begin_one_where_that_is_wanted(record, until):
    it = record()
    parameter = Parameter("triggers", value=["error"]).to_parameter_msg()
    assert it.ros.call(SetParameters, "recorder/set_parameters", parameters=[parameter]).results[0].successful
    publisher = it.ros.probe.create_publisher(Alert, "monitor/alerts", ALERTS)
    it.listening("/monitor/alerts")
    publisher.publish(Alert(name="cpu", level=Alert.WARN, active=True))
    publisher.publish(Alert(name="temperature", level=Alert.ERROR, active=True))
    it.written()
    assert "temperature" in it.status[-1].reason


def test_an_emergency_stop_begins_one_when_it_begins(record, until):
    it = record()
    publisher = it.ros.probe.create_publisher(ControlStatus, "control/status", 10)
    it.listening("/control/status")
    stopped = ControlStatus(state=ControlStatus.EMERGENCY_STOP)
    until(lambda: publisher.publish(stopped) or it.files(), "a file")
    until(lambda: publisher.publish(stopped) or not it.node._recorder.status.recording, "its end, though it lasts")
    assert len(it.files()) == 1
    assert "emergency stop" in it.node._recorder.status.reason


def test_a_node_that_falls_silent_begins_one_unless_it_said_so(record, until):
    it = record()
    publisher = it.ros.probe.create_publisher(NodeMetrics, "node_metrics", 10)
    it.listening("/node_metrics")
    for node in ("camera", "inference"):
        publisher.publish(NodeMetrics(node=node, period=1.0, readings=[Reading(name="memory", value=1e8)]))
    publisher.publish(NodeMetrics(node="inference"))
    it.written()
    assert "camera" in it.status[-1].reason
    assert "inference" not in it.status[-1].reason


def test_a_camera_that_gives_up_begins_one_once(record, until):
    it = record()
    publisher = it.ros.probe.create_publisher(CameraStatus, "camera/status", 10)
    it.listening("/camera/status")
    publisher.publish(CameraStatus(state=CameraStatus.RECONNECTING, detail="no route to host"))
    until(lambda: it.heard("/camera/status"), "the message")
    assert not it.files()
    failed = CameraStatus(state=CameraStatus.FAILED, detail="gave up after 5 tries")
    until(lambda: publisher.publish(failed) or it.files(), "a file")
    until(lambda: publisher.publish(failed) or not it.node._recorder.status.recording, "its end, though it is said on")
    assert it.node._recorder.status.reason == "crash: camera: gave up after 5 tries"
    assert len(it.files()) == 1


def test_a_publisher_that_promises_less_than_those_before_it_is_heard_too(record, until):
    it = record(**{"recorder:topics": "[imu/data]"})
    it.ros.probe.create_publisher(Imu, "imu/data", LATCHED)
    it.listening("/imu/data")
    late = it.ros.probe.create_publisher(Imu, "imu/data", SENSOR)
    until(lambda: late.publish(Imu()) or it.heard("/imu/data"), "its messages")


def test_what_is_latched_is_in_every_file_and_other_topics_may_be_named(record, until):
    it = record(**{"recorder:before": 0.5, "recorder:topics": "[imu/data, gone]"})
    latched = it.ros.probe.create_publisher(String, "inference/card", LATCHED)
    latched.publish(String(data="name: a model"))
    imu = it.ros.probe.create_publisher(Imu, "imu/data", 10)
    it.listening("/inference/card", "/imu/data")
    until(lambda: imu.publish(Imu()) or it.node._recorder.status.messages > 20, "messages")
    until(lambda: len(it.status) > 2, "the card to be old")
    assert it.ros.call(Trigger, "recorder/record").success
    found = topics(it.written())
    assert found["/inference/card"] == 1


def test_a_torn_image_is_counted_and_harms_nobody(record, until):
    it = record()
    publisher = it.ros.probe.create_publisher(Image, "camera/image_raw", 1)
    it.listening("/camera/image_raw")
    until(lambda: publisher.publish(Image(height=9, width=9, encoding="bgr8")) or it.node._recorder.status.lost, "loss")
    assert it.ros.call(Trigger, "recorder/record").success


def test_without_a_recorder_nobody_is_told_that_one_records(ros):
    one = ros()
    one.add(RecorderNode())
    answer = one.call(Trigger, "recorder/record")
    assert not answer.success
    assert "not active" in answer.message


def test_a_topic_that_makes_trouble_silences_no_other(record, until, monkeypatch):
    it = record()
    publishers = {
        "/monitor/alerts": (it.ros.probe.create_publisher(Alert, "monitor/alerts", ALERTS), Alert(name="x")),
        "/node_metrics": (it.ros.probe.create_publisher(NodeMetrics, "node_metrics", 10), NodeMetrics(node="x")),
    }
    it.listening(*publishers)
    lines = it.node._topics._lines
    first, second = (topic for topic in lines if topic in publishers)

    def broken():
        raise RuntimeError("what nobody foresaw")

    monkeypatch.setattr(lines[first].mailbox, "all", broken)
    publisher, message = publishers[second]
    taken = it.node._recorder._memory.ring.since
    publisher.publish(message)
    until(lambda: any(entry.topic == second for entry in taken(0)), "the other's message")
