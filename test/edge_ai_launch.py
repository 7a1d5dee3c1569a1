"""The whole robot as `ros2 launch` starts it. By hand: launch_test test/edge_ai_launch.py"""

import json
import os
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

import launch_testing
import psutil
import rclpy
from ament_index_python.packages import get_package_share_path
from geometry_msgs.msg import Twist
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription, SetLaunchConfiguration
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_testing.actions import ReadyToTest
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image

from edge_ai.msg import ControlStatus, InferenceResult
from edge_ai.nodes.convert import time_to_ns
from edge_ai.nodes.qos import SENSOR

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

from domain import free_domain

# Set before anything starts: never a domain in which somebody's robot listens.
os.environ["ROS_DOMAIN_ID"] = str(free_domain())
DEADLINE = 60.0
NAMESPACE = "under_test"


def generate_test_description():
    """Camera, inference, control and their manager on a synthetic camera."""
    file = get_package_share_path("edge_ai") / "launch/edge_ai.launch.py"
    # Free ports, whoever else is on this machine.
    ports = Path(tempfile.mkdtemp()) / "ports.yaml"
    free = {"dashboard": {"port": 0}, "monitor": {"metrics_port": 0}}
    ports.write_text(json.dumps({f"/**/{node}": {"ros__parameters": values} for node, values in free.items()}))
    arguments = {"namespace": NAMESPACE, "source": "synthetic://320x240@15", "params_file": str(ports)}
    robot = IncludeLaunchDescription(PythonLaunchDescriptionSource(str(file)), launch_arguments=arguments.items())
    # On a loaded machine nodes take their time to end.
    patience = SetLaunchConfiguration("sigterm_timeout", str(DEADLINE))
    return LaunchDescription([patience, robot, ReadyToTest()])


class TestWholeRobot(unittest.TestCase):
    """While it runs."""

    @classmethod
    def setUpClass(cls):
        cls.context = rclpy.Context()
        rclpy.init(context=cls.context)
        cls.node = rclpy.create_node("probe", namespace=NAMESPACE, context=cls.context)
        cls.executor = SingleThreadedExecutor(context=cls.context)
        cls.executor.add_node(cls.node)
        cls.closing = threading.Event()
        cls.thread = threading.Thread(target=cls.spin, daemon=True)
        cls.thread.start()
        cls.images = cls.listen(Image, "camera/image_raw", SENSOR)
        cls.results = cls.listen(InferenceResult, "inference/results")
        cls.status = cls.listen(ControlStatus, "control/status")
        cls.commands = cls.listen(Twist, "cmd_vel")

    @classmethod
    def tearDownClass(cls):
        cls.closing.set()
        cls.thread.join(DEADLINE)
        cls.node.destroy_node()
        rclpy.shutdown(context=cls.context)

    @classmethod
    def spin(cls):
        while not cls.closing.is_set():
            cls.executor.spin_once(timeout_sec=0.1)

    @classmethod
    def listen(cls, kind, topic, qos=50):
        got = []
        cls.node.create_subscription(kind, topic, got.append, qos)
        return got

    def setUp(self):
        self.until(lambda: self.state() == ControlStatus.NO_TARGET, "fresh results, with nobody to follow")

    def until(self, condition, what):
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end, f"waited {DEADLINE} s for {what}"
            time.sleep(0.02)

    def state(self):
        return self.status[-1].state if self.status else None

    def kill(self, name):
        """End a node of the launch as a crash does."""
        found = [p for p in psutil.Process().children() if f"__node:={name}" in p.cmdline()]
        assert len(found) == 1, name
        found[0].kill()

    def deactivate(self, name):
        client = self.node.create_client(ChangeState, f"{name}/change_state")
        assert client.wait_for_service(DEADLINE), name
        request = ChangeState.Request()
        request.transition.id = Transition.TRANSITION_DEACTIVATE
        client.call_async(request)

    def test_images_results_and_commands_flow(self):
        self.until(lambda: len(self.results) > 10 and len(self.images) > 10, "images and results")
        stamps = [time_to_ns(r.header.stamp) for r in self.results]
        assert {time_to_ns(i.header.stamp) for i in self.images}.intersection(stamps), "results carry images' stamps"
        assert stamps == sorted(set(stamps)), "in order, each once"
        before = len(self.commands)
        self.until(lambda: len(self.commands) > before + 20, "commands that keep coming")
        assert all(c.linear.x == 0 and c.angular.z == 0 for c in self.commands), "nobody there, no motion"

    def test_a_killed_control_node_comes_back(self):
        self.kill("control")
        dead = self.node.get_clock().now().nanoseconds + 10**9  # by then, and launch waits longer to start it again
        self.until(lambda: time_to_ns(self.status[-1].header.stamp) > dead, "commands of a new control node")
        self.until(lambda: self.state() == ControlStatus.NO_TARGET, "fresh results again")

    def test_a_deactivated_camera_stops_the_robot(self):
        # The manager would bring the camera back at once; dead, it does so when launch has started it again.
        self.kill("lifecycle_manager")
        self.deactivate("camera")
        self.until(lambda: self.state() == ControlStatus.STALE, "the stop")
        latest = self.status[-1]
        assert (latest.command.linear.x, latest.command.angular.z) == (0, 0)
        self.until(lambda: self.state() == ControlStatus.NO_TARGET, "the camera to be brought back")


@launch_testing.post_shutdown_test()
class TestAfterCtrlC(unittest.TestCase):
    """What the nodes leave behind."""

    def test_every_node_ended_in_order(self, proc_info):
        launch_testing.asserts.assertExitCodes(proc_info, allowable_exit_codes=[0, -9])

    def test_nobody_left_a_traceback(self, proc_output):
        text = "".join(output.text.decode(errors="replace") for output in proc_output)
        assert "all active: camera, inference, control" in text
        assert "all active: monitor, recorder, dashboard" in text
        assert "Traceback" not in text
