"""Real rclpy in one process: the node under test and a probe share an executor on its own thread."""

import os
import sys
import threading
import time
from pathlib import Path

import pytest

rclpy = pytest.importorskip("rclpy", reason="needs ROS 2: run through `make test`, or source a ROS installation")
pytest.importorskip("edge_ai.msg", reason="needs the built interfaces: run through `make test`, or colcon build first")

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from domain import free_domain  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.lifecycle import TransitionCallbackReturn  # noqa: E402

DEADLINE = 15.0


class MuteError(Exception):
    """Raised by a service of a test that must not answer."""


class Ros:
    """A ROS context with given parameters, an executor, and a probe node that listens and speaks."""

    def __init__(self, parameters, file=None):
        kind = {name: "-r" if name.startswith("__") else "-p" for name in parameters}  # such as __ns
        pairs = [word for name, value in parameters.items() for word in (kind[name], f"{name}:={value}")]
        pairs += ["--params-file", str(file)] if file else []
        # A domain of its own: participants of earlier tests may still stand in the graph under the same names.
        rclpy.init(args=["--ros-args", *pairs] if pairs else None, domain_id=free_domain())
        self._executor = SingleThreadedExecutor()
        self._nodes = []
        self.probe = self.add(rclpy.create_node("probe"))
        self._closing = False
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def _spin(self):
        while not self._closing:
            try:
                self._executor.spin_once(timeout_sec=0.05)
            except MuteError:
                continue

    def add(self, node):
        self._nodes.append(node)
        self._executor.add_node(node)
        return node

    def listen(self, kind, topic, qos=10):
        """A list that fills with the messages of a topic."""
        got = []
        self.probe.create_subscription(kind, topic, got.append, qos)
        return got

    def call(self, kind, name, /, **fields):
        """Call a service and return its response."""
        client = self.probe.create_client(kind, name)
        assert client.wait_for_service(DEADLINE), name
        request = kind.Request()
        for field, value in fields.items():
            setattr(request, field, value)
        future = client.call_async(request)
        until(future.done, f"an answer of {name}")
        return future.result()

    def do(self, node, transition):
        """Make a lifecycle transition where the real one happens, on the executor's thread; True if it succeeded."""
        task = self._executor.create_task(getattr(node, f"trigger_{transition}"))
        until(task.done, transition, 30.0)
        return task.result() is TransitionCallbackReturn.SUCCESS

    def close(self):
        self._closing = True
        self._thread.join(DEADLINE)
        for node in self._nodes:
            if hasattr(node, "trigger_shutdown"):
                node.trigger_shutdown()
            node.destroy_node()
        rclpy.shutdown()


def until(condition, what, timeout=DEADLINE):
    """Wait for a condition, and say what was waited for when it does not come."""
    end = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < end, f"waited {timeout} s for {what}"
        time.sleep(0.01)
    return value


@pytest.fixture
def ros(monkeypatch, tmp_path_factory):
    """Start ROS with parameters, ``ros(rate=30.0)``, or with those of a ``file``; each test has its own topics."""
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    started = []

    def start(file=None, **parameters):
        started.append(Ros(parameters, file))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture(name="until")
def _until():
    return until


@pytest.fixture
def mute():
    return MuteError
