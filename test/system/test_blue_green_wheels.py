"""Two releases of a whole robot, deployed by the command line: its wheels change hands, and no two ever drive."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytest.importorskip("rclpy", reason="needs ROS 2: run through `make test`")
pytest.importorskip("edge_ai.msg", reason="needs the built interfaces: run through `make test`")

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from environment import executable
from processes import Stack
from witness import SHARED, SIDES, Witness, until

# All nodes of a side in one tree of processes, as in a container.
SIDE = "import json, subprocess, sys\n[c.wait() for c in [subprocess.Popen(w) for w in json.loads(sys.argv[1])]]"
PATIENCE = 90.0


class Robot:
    """Both sides, the plan that deploys them, and a witness who notes when either controller drives."""

    def __init__(self, folder, stack):
        self.folder, self.stack, self.path = folder, stack, folder / "plan.yaml"
        self.witness = Witness(stack.domain)

    def _nodes(self, side, **inference):
        params = {
            "camera": {"source": "synthetic://320x240@15"},
            "inference": {"warm_up": 1, **inference},
            "control": {},
            "lifecycle_manager": {"autostart": False, "period": 0.1, "retry_longest": 1.0},
        }
        names = [f"__ns:=/{side}", *(f"{name}:=/{name}" for name in SHARED)]
        remaps = [word for name in names for word in ("-r", name)]
        for node, values in params.items():
            listing = self.folder / f"{side}_{node}_{len(inference)}.yaml"
            listing.write_text(json.dumps({"/**": {"ros__parameters": values}}))
            program = executable(f"{node}_node", self.stack.env)
            yield [program, "--ros-args", *remaps, *(["--params-file", str(listing)] if values else [])]

    def plan(self, serve, **inference):
        """Write a plan; ``inference`` are parameters of the side that is to serve."""
        sides = {}
        for side in SIDES:
            nodes = list(self._nodes(side, **(inference if side == serve else {})))
            command = [sys.executable, "-S", "-c", SIDE, json.dumps(nodes)]
            topics = ["/cmd_vel", f"/{side}/inference/results"]
            sides[side] = {
                "release": side,
                "process": {"command": command, "environment": self.stack.env},
                "ros": {"managers": [f"/{side}/lifecycle_manager"], "topics": topics},
            }
        agent = [sys.executable, "-m", "edge_ai.nodes.side_agent"]
        plan = {"serve": serve, "sides": sides, "hand_over": {"agent": agent, "timeout": 30.0}, "probation": 0.5}
        self.path.write_text(yaml.safe_dump(plan))

    def deploy(self, *words):
        """The command as a process that goes on."""
        command = [sys.executable, "-m", "edge_ai.cli.main", "deploy", "blue-green", str(self.path), *words]
        return subprocess.Popen(
            command, env=self.stack.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def ends(self, *words):
        """Its exit status and what it said."""
        deployer = self.deploy(*words)
        said, _ = deployer.communicate(timeout=3 * PATIENCE)
        return deployer.returncode, said

    def steps(self):
        """What the journal says."""
        return [json.loads(line)["step"] for line in (self.folder / "plan.journal.jsonl").read_text().splitlines()]

    def close(self):
        """End the sides and the witness."""
        from edge_ai.deployment.blue_green.make import make_sides
        from edge_ai.deployment.blue_green.plan import load_plan
        from edge_ai.deployment.containers import ContainerEngine

        for side in make_sides(load_plan(self.path), self.folder, ContainerEngine()).values():
            side.stop(5.0)
        self.witness.close()


@pytest.fixture
def robot(tmp_path):
    with Stack(tmp_path) as stack:
        stack.env["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
        robot = Robot(tmp_path, stack)
        try:
            yield robot
        finally:
            robot.close()


def test_the_wheels_change_hands_and_no_two_ever_drive(robot):
    robot.plan("blue")
    status, said = robot.ends()
    assert status == 0, said
    robot.plan("green")
    status, said = robot.ends()
    assert status == 0, said
    assert "one lock decides who drives" in said
    assert "the robot stood for" in said
    until(lambda: robot.witness.turns() == ["blue", "green"], PATIENCE)

    # A release whose model is not there is not even tried: the robot does not stand for a moment.
    robot.plan("blue", model="/nowhere/card.yaml")
    robot.path.write_text(robot.path.read_text().replace("timeout: 30.0", "timeout: 20.0"))
    status, said = robot.ends()
    assert status == 1, said
    assert "inference unconfigured" in said
    assert robot.witness.turns() == ["blue", "green"]

    # The deployer is killed while the wheels change hands; whoever comes next ends that.
    robot.plan("blue")
    deployer = robot.deploy()
    until(lambda: robot.steps()[-1] == "switching", PATIENCE)
    deployer.kill()
    deployer.communicate()
    status, said = robot.ends("--resume")
    assert status == 0, said
    until(lambda: robot.witness.turns() == ["blue", "green", "blue"], PATIENCE)
    seen = len(robot.witness.spoke["green"])
    before = len(robot.witness.spoke["blue"])
    until(lambda: len(robot.witness.spoke["blue"]) > before + 10, PATIENCE)
    assert len(robot.witness.spoke["green"]) == seen
