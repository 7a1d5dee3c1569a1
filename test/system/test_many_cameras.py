import os
import signal

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from diagnostic_msgs.msg import DiagnosticArray

from edge_ai.msg import InferenceResult

NAMES = ("front", "rear", "left")


def test_cameras_share_a_model_and_one_that_hangs_costs_the_others_nothing(robot):
    results = {name: robot.listen(InferenceResult, f"{name}/inference/results", 200) for name in NAMES}
    diagnostics = robot.listen(DiagnosticArray, "/diagnostics", 200)
    robot.start("inference", inference={"cameras": list(NAMES), "score_threshold": 0.9})
    cameras = {
        name: robot.stack.start(
            "camera_node",
            label=name,
            params={"source": "synthetic://320x240@10", "frame_id": f"{name}_optical"},
            remaps={"__ns": f"/{name}"},
        )
        for name in NAMES
    }
    nodes = ["inference", *(f"{name}/camera" for name in NAMES)]
    robot.start("lifecycle_manager", lifecycle_manager={"node_names": nodes, "period": 0.2})
    robot.until(lambda: all(len(got) >= 10 for got in results.values()), "results of all cameras")
    for name, got in results.items():
        assert {result.header.frame_id for result in got} == {f"{name}_optical"}

    os.kill(cameras["left"].pid, signal.SIGSTOP)
    robot.until(lambda: _quiet(robot, results["left"]), "the hanging camera's last result")
    before = {name: len(got) for name, got in results.items()}

    def since():
        return [len(results[name]) - before[name] for name in ("front", "rear")]

    robot.until(lambda: min(since()) >= 20, "results of both other cameras")
    # Not to the result: on a busy machine images of either are replaced, and this process hears of them in bursts.
    assert max(since()) <= 2 * min(since()), since()
    assert len(results["left"]) == before["left"]

    os.kill(cameras["left"].pid, signal.SIGCONT)
    robot.until(lambda: len(results["left"]) >= before["left"] + 5, "results of the camera that came back")
    robot.until(
        lambda: any(
            pair.key == "left: processed" and int(pair.value) > before["left"]
            for array in diagnostics
            for status in array.status
            if status.name == "inference"
            for pair in status.values
        ),
        "each camera's counts on /diagnostics",
    )


def _quiet(robot, got):
    """Whether a second has brought nothing new."""
    before, end = len(got), robot.probe.get_clock().now().nanoseconds + 10**9
    robot.until(lambda: robot.probe.get_clock().now().nanoseconds > end, "a second to pass")
    return len(got) == before
