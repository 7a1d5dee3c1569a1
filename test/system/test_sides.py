"""Two releases of a robot side by side, as real processes: they take turns at the wheels, and never drive together."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2: run through `make test`")
pytest.importorskip("edge_ai.msg", reason="needs the built interfaces: run through `make test`")

from std_srvs.srv import Trigger

from edge_ai.msg import ControlStatus

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from processes import Stack
from witness import SHARED, SIDES, Witness, until

PATIENCE = 60.0


class Robot:
    """Both sides, each with the picture of nobody as its camera, and somebody who notes when either speaks."""

    def __init__(self, stack):
        self.stack = stack
        for side in SIDES:
            names = {"__ns": f"/{side}", **{name: f"/{name}" for name in SHARED}}
            self._start(side, "camera", names, {"source": "synthetic://320x240@15"})
            self._start(side, "inference", names, {"warm_up": 1})
            self._start(side, "control", names, {})
            self._start(side, "lifecycle_manager", names, {"autostart": False, "period": 0.1, "retry_longest": 1.0})
        self.witness = Witness(stack.domain)

    def _start(self, side, name, names, params):
        self.stack.start(f"{name}_node", label=f"{side}_{name}", remaps=names, params=params)

    def node(self, side, name):
        return next(node for node in self.stack.nodes if node.label == f"{side}_{name}")

    def ask(self, verb, side, *more, patience=PATIENCE):
        manager = ["--manager", f"/{side}/lifecycle_manager", "--timeout", str(patience)]
        command = [sys.executable, "-m", "edge_ai.nodes.side_agent", verb, *manager, *more]
        done = subprocess.run(command, env=self.stack.env, capture_output=True, text=True, check=False)
        told = json.loads(done.stdout)
        assert done.returncode == (0 if told["ok"] else 1), done.stderr
        return told

    def hand_over(self, old, new):
        alive = ["--topic", "/cmd_vel", "--topic", f"/{new}/inference/results"]
        return self.ask("hand-over", new, "--from", f"/{old}/lifecycle_manager", *alive)

    def call(self, service):
        client = self.witness.node.create_client(Trigger, service)
        assert client.wait_for_service(PATIENCE)
        future = client.call_async(Trigger.Request())
        until(future.done)
        return future.result()


@pytest.fixture
def robot(tmp_path):
    with Stack(tmp_path) as stack:
        stack.env["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
        one = Robot(stack)
        yield one
        one.witness.close()


def test_sides_take_turns_and_never_drive_together(robot):
    began = robot.ask("start", "blue", "--topic", "/cmd_vel")
    assert began["ok"], began
    ready = robot.ask("standby", "green")
    assert {n: node["state"] for n, node in ready["managers"]["/green/lifecycle_manager"]["nodes"].items()} == {
        "camera": "unconfigured",
        "inference": "inactive",
        "control": "inactive",
    }
    assert ready["lease"] == began["lease"]
    assert ready["lease"]["identity"]
    for old, new in (("blue", "green"), ("green", "blue")):
        told = robot.hand_over(old, new)
        assert told["ok"], told
        assert told["stood"] < PATIENCE
    assert robot.witness.turns() == ["blue", "green", "blue"]

    # Whoever starts both all the same, such as by hand, gets one that drives and one that says why it does not.
    told = robot.ask("start", "green", patience=5)
    assert not told["ok"]
    assert "control" in told["message"]
    log = robot.node("green", "control").output()
    assert "another controller that has it" in log
    assert robot.witness.turns() == ["blue", "green", "blue"]

    # The one that drives is killed: the kernel takes the right to drive from it, and the other one goes on.
    robot.node("blue", "control").end(signal.SIGKILL)
    until(lambda: robot.witness.turns()[-1] == "green")
    assert robot.witness.turns() == ["blue", "green", "blue", "green"]


def test_an_emergency_stop_holds_over_the_hand_over(robot):
    assert robot.ask("start", "blue", "--topic", "/cmd_vel")["ok"]
    assert robot.call("/control/emergency_stop").success
    assert robot.hand_over("blue", "green")["ok"]
    states = []
    robot.witness.node.create_subscription(
        ControlStatus, "/green/control/status", lambda m: states.append(m.state), 100
    )
    until(lambda: len(states) > 20)
    assert set(states) == {ControlStatus.EMERGENCY_STOP}
    assert robot.call("/control/reset").success
    until(lambda: states[-1] != ControlStatus.EMERGENCY_STOP)
