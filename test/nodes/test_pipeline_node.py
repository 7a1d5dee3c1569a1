import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from geometry_msgs.msg import Twist
from sensor_msgs.msg import Image

from edge_ai.msg import CameraStatus, ControlStatus, InferenceResult
from edge_ai.nodes.pipeline_node import PipelineNode
from edge_ai.nodes.qos import SENSOR


def test_the_composed_robot_speaks_on_the_same_topics_and_stops_with_its_camera(ros, until):
    one = ros(**{"camera.source": "synthetic://320x240@30", "inference.warm_up": 1})
    node = one.add(PipelineNode())
    results = one.listen(InferenceResult, "inference/results")
    commands = one.listen(Twist, "cmd_vel")
    control = one.listen(ControlStatus, "control/status", 50)
    camera = one.listen(CameraStatus, "camera/status", 50)
    assert one.do(node, "configure"), node.fault
    assert one.do(node, "activate")
    until(lambda: len(results) > 3 and commands and camera, "results, commands and captures", 30)
    until(lambda: control[-1].state == ControlStatus.NO_TARGET, "nobody seen")  # on a busy machine some are stale
    stamps = {(s.header.stamp.sec, s.header.stamp.nanosec) for s in camera}
    assert (results[-2].header.stamp.sec, results[-2].header.stamp.nanosec) in stamps
    images = one.listen(Image, "camera/image_raw", SENSOR)
    until(lambda: images, "images once somebody subscribes")
    node._robot.capturer.stop()
    until(lambda: control[-1].state == ControlStatus.STALE, "the stop")
    assert commands[-1].linear.x == 0
    assert one.do(node, "deactivate")


def test_configure_fails_with_the_reason_of_either_part(ros):
    one = ros(**{"camera.source": "/no/such/video.avi"})
    node = one.add(PipelineNode())
    assert not one.do(node, "configure")
    assert "no such file" in node.fault
