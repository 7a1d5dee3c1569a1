import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from edge_ai.msg import CameraStatus, ControlStatus, InferenceResult
from edge_ai.nodes.convert import time_to_ns


def stamp(message):
    return time_to_ns(message.header.stamp)


def test_compressed_images_are_enough_to_follow_people(robot, walkers):
    robot.whole(
        camera={"source": walkers, "loop": True, "jpeg_quality": 70},
        inference={"transport": "compressed"},
    )
    captures = robot.listen(CameraStatus, "camera/status")
    results = robot.listen(InferenceResult, "inference/results")
    status = robot.listen(ControlStatus, "control/status", 500)
    robot.until(lambda: any(s.state == ControlStatus.FOLLOWING for s in status), "someone to follow")
    robot.until(lambda: captures and results and stamp(results[-1]) > stamp(captures[0]), "a result of a known capture")
    last = results[-1]
    robot.until(lambda: stamp(last) in {stamp(c) for c in captures}, "the capture of that result")
    robot.until(lambda: robot.probe.count_subscribers("camera/image_raw/compressed") == 1, "who listens")
    assert robot.probe.count_subscribers("camera/image_raw") == 0, "no raw image was asked for"


@pytest.mark.parametrize("reliability", ["best_effort", "reliable"])
def test_images_pass_with_the_qos_that_a_parameter_asks_for(robot, reliability):
    robot.whole(
        camera={
            "source": "synthetic://320x240@15",
            "qos_overrides./camera/image_raw.publisher.reliability": "reliable",
        },
        inference={"qos_overrides./camera/image_raw.subscription.reliability": reliability},
    )
    results = robot.listen(InferenceResult, "inference/results")
    robot.until(lambda: len(results) > 3, "results")
    # Images pass before the probe has heard of those two: discovery is each participant's own.
    (asked,) = robot.until(lambda: robot.probe.get_subscriptions_info_by_topic("camera/image_raw"), "who listens")
    (offered,) = robot.until(lambda: robot.probe.get_publishers_info_by_topic("camera/image_raw"), "who publishes")
    assert asked.qos_profile.reliability.name.lower() == reliability
    assert offered.qos_profile.reliability.name == "RELIABLE"
