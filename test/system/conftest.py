"""Real processes on a ROS domain of their own, and a probe in this process that listens and speaks."""

import os
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

rclpy = pytest.importorskip("rclpy", reason="needs ROS 2: run through `make test`, or source a ROS installation")
pytest.importorskip("edge_ai.msg", reason="needs the built interfaces: run through `make test`, or colcon build first")

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
sys.path.insert(0, str(ROOT / "test" / "system"))

from processes import Stack  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402

DEADLINE = 60.0
NODES = ("camera", "inference", "control")
WATCHERS = ("monitor", "recorder", "dashboard")


class Robot:
    """Nodes as processes, and what a probe hears of them."""

    def __init__(self, folder):
        self.stack = Stack(folder)
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=self.stack.domain)
        self.probe = rclpy.create_node("probe", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.probe)
        self._closing = False
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()
        self.nodes = {}
        self._clients = {}

    def _spin(self):
        while not self._closing:
            self._executor.spin_once(timeout_sec=0.05)

    def start(self, *names, **params):
        """Start nodes by short name with the parameters given for each: ``start("camera", camera={...})``."""
        for name in names:
            self.nodes[name] = self.stack.start(f"{name}_node", params=params.get(name))
        return self

    def whole(self, **params):
        """Camera, inference, control and their manager."""
        manager = {"node_names": list(NODES), "period": 0.1, **params.pop("lifecycle_manager", {})}
        return self.start(*NODES, "lifecycle_manager", lifecycle_manager=manager, **params)

    def watched(self, *watchers, **params):
        """Those that watch a robot, all if none is named, and their manager; state and recordings in folders here."""
        watchers = watchers or WATCHERS
        own = {
            "monitor": {"metrics_port": 0, "mitigation": "none"},
            "recorder": {"folder": str(self.recordings)},
            "dashboard": {"port": 0},
        }
        self.start(*watchers, **{name: {**own[name], **params.get(name, {})} for name in watchers})
        manager = {"node_names": list(watchers), "period": 0.2}
        remaps = {"__node": "watch_manager"}
        self.nodes["watch_manager"] = self.stack.start(
            "lifecycle_manager_node", label="watch_manager", params=manager, remaps=remaps
        )
        return self

    @property
    def recordings(self):
        """Where the recorder writes."""
        return self.stack.folder / "recordings"

    def listen(self, kind, topic, qos=50):
        """A list that fills with the messages of a topic."""
        got = []
        self.probe.create_subscription(kind, topic, got.append, qos)
        return got

    def call(self, kind, name, /, **fields):
        """Call a service and return its response."""
        if (kind, name) not in self._clients:
            self._clients[kind, name] = self.probe.create_client(kind, name)
        client = self._clients[kind, name]
        assert client.wait_for_service(DEADLINE), name
        request = kind.Request()
        for field, value in fields.items():
            setattr(request, field, value)
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            future = client.call_async(request)
            again = time.monotonic() + 3.0
            while time.monotonic() < again:
                if future.done():
                    return future.result()
                time.sleep(0.01)
        raise AssertionError(f"no answer from {name}")

    def until(self, condition, what, timeout=DEADLINE):
        """Wait for a condition; shows the nodes' logs when it does not come."""
        end = time.monotonic() + timeout
        while not (value := condition()):
            if time.monotonic() > end:
                logs = "\n".join(f"--- {node.label}\n{node.output()[-1500:]}" for node in self.stack.nodes)
                pytest.fail(f"waited {timeout} s for {what}\n{logs}")
            time.sleep(0.02)
        return value

    def close(self):
        self.stack.__exit__(None, None, None)
        self._closing = True
        self._thread.join(DEADLINE)
        rclpy.shutdown(context=self._context)


@pytest.fixture
def robot(tmp_path):
    one = Robot(tmp_path / "nodes")
    yield one
    one.close()


@pytest.fixture(scope="module")
def lasting_robot(tmp_path_factory):
    """As `robot`, for all tests of a file: to start one takes a while."""
    one = Robot(tmp_path_factory.mktemp("nodes"))
    yield one
    one.close()


@pytest.fixture(scope="session")
def walkers(tmp_path_factory):
    """A video of people, since only they are followed; its path. Without the demo's, the demo's picture moves."""
    real = Path(os.environ.get("EDGE_AI_VTEST") or ROOT / "out/data/vtest.avi")
    if real.is_file():
        return str(real)
    made = tmp_path_factory.mktemp("walkers") / "walkers.avi"
    picture = cv2.imread(str(ROOT / "doc/demo.jpg"))
    writer = cv2.VideoWriter(str(made), cv2.VideoWriter_fourcc(*"MJPG"), 10.0, picture.shape[1::-1])
    for i in range(50):
        writer.write(np.roll(picture, 2 * abs(25 - i), axis=1))
    writer.release()
    return str(made)
