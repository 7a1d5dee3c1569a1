from itertools import pairwise

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from edge_ai.msg import CameraStatus
from edge_ai.nodes.camera_node import CameraNode
from edge_ai.nodes.qos import SENSOR


def active(ros, **parameters):
    one = ros(**parameters)
    node = one.add(CameraNode())
    topics = {
        "image": one.listen(Image, "camera/image_raw", SENSOR),
        "info": one.listen(CameraInfo, "camera/camera_info", SENSOR),
        "jpeg": one.listen(CompressedImage, "camera/image_raw/compressed", SENSOR),
        "status": one.listen(CameraStatus, "camera/status", 50),
    }
    assert one.do(node, "configure")
    assert one.do(node, "activate")
    return one, node, topics


def stamp(message):
    return message.header.stamp.sec, message.header.stamp.nanosec


def test_every_topic_carries_the_stamp_of_the_capture(ros, until):
    _, _, topics = active(ros, source="synthetic://320x240@30", frame_id="eye")
    until(lambda: all(len(got) > 5 for got in topics.values()), "five of each")
    image, info, jpeg = topics["image"][-1], topics["info"][-1], topics["jpeg"][-1]
    assert (image.width, image.height, image.encoding, image.header.frame_id) == (320, 240, "bgr8", "eye")
    assert (info.width, info.height, info.k[0]) == (320, 240, 0.0)
    assert jpeg.format.startswith("bgr8; jpeg")
    stamps = [stamp(m) for m in topics["image"]]
    assert stamps == sorted(set(stamps))
    by_stamp = {stamp(s): s.frame_index for s in topics["status"] if s.state == CameraStatus.STREAMING}
    indices = [by_stamp[s] for s in stamps if s in by_stamp]
    assert len(indices) > 3
    assert indices == sorted(set(indices))


def test_the_rate_cap_changes_while_it_runs_and_nothing_else_does(ros, until):
    one, _, topics = active(ros, source="synthetic://320x240@30")

    def put(name, value):
        parameter = Parameter(name, value=value).to_parameter_msg()
        return one.call(SetParameters, "camera/set_parameters", parameters=[parameter]).results[0]

    assert put("max_rate", 5.0).successful
    status = topics["status"]
    status.clear()
    until(lambda: len(status) >= 4, "frames")
    steps = [b.frame_index - a.frame_index for a, b in pairwise(status[1:])]
    assert min(steps) >= 5, "every sixth, or the fifth where the machine was late"
    assert not put("frame_id", "rear").successful
    assert put("max_rate", 0.0).successful
    status.clear()
    until(lambda: any(b.frame_index - a.frame_index == 1 for a, b in pairwise(status)), "all frames again")


def test_calibration_reaches_camera_info(ros, until, tmp_path):
    path = tmp_path / "eye.yaml"
    path.write_text(
        "image_width: 320\nimage_height: 240\ncamera_name: eye\n"
        "camera_matrix: {rows: 3, cols: 3, data: [300, 0, 160, 0, 300, 120, 0, 0, 1]}\n"
        "distortion_model: plumb_bob\n"
        "distortion_coefficients: {rows: 1, cols: 5, data: [0.1, 0, 0, 0, 0]}\n"
        "rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}\n"
        "projection_matrix: {rows: 3, cols: 4, data: [300, 0, 160, 0, 0, 300, 120, 0, 0, 0, 1, 0]}\n"
    )
    _, _, topics = active(ros, source="synthetic://320x240@30", calibration=str(path))
    until(lambda: topics["info"], "camera_info")
    assert topics["info"][0].k[0] == 300.0
    assert topics["info"][0].distortion_model == "plumb_bob"


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"source": "/no/such/video.avi"}, "no such file"),
        ({"source": "synthetic", "calibration": "/no/such/eye.yaml"}, "eye.yaml"),
    ],
)
def test_configure_fails_with_the_reason(ros, parameters, words):
    one = ros(**parameters)
    node = one.add(CameraNode())
    assert not one.do(node, "configure")
    assert words in node.fault


def test_it_can_be_brought_down_and_up_again(ros, until):
    one, node, topics = active(ros, source="synthetic://320x240@30")
    for _ in range(3):
        until(lambda: len(topics["image"]) > 2, "images")
        assert one.do(node, "deactivate")
        assert one.do(node, "cleanup")
        topics["image"].clear()
        assert one.do(node, "configure")
        assert one.do(node, "activate")


def test_a_file_may_go_as_fast_as_it_is_consumed(ros, until, tmp_path):
    import cv2
    import numpy as np

    from edge_ai.msg import InferenceResult

    path = str(tmp_path / "v.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for i in range(30):
        writer.write(np.full((48, 64, 3), i * 8, np.uint8))
    writer.release()
    one = ros(source=path, realtime="false")
    answers = one.probe.create_publisher(InferenceResult, "inference/results", 1)
    seen = []

    def consume(image):
        seen.append(image)
        answers.publish(InferenceResult(header=image.header))

    one.probe.create_subscription(Image, "camera/image_raw", consume, SENSOR)
    status = one.listen(CameraStatus, "camera/status", 50)
    node = one.add(CameraNode())
    one.do(node, "configure")
    until(lambda: node.count_subscribers("camera/image_raw"), "the consumer")
    one.do(node, "activate")
    until(lambda: status and status[-1].state == CameraStatus.ENDED, "the end")
    until(lambda: len(seen) >= 29, "every frame but perhaps the first, sent while the two were still meeting")
