"""Brings nodes up, listens to them for a while, takes them down: the ROS end of the measurements."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image

from benchmarks.machine import holdings, seconds_used
from benchmarks.sides.serve import Task, serve
from edge_ai.capture.synthetic import read_index
from edge_ai.msg import CameraStatus, ControlStatus, InferenceResult
from edge_ai.nodes.base import RosClock
from edge_ai.nodes.convert import time_to_ns
from edge_ai.nodes.images import frame_from_msg
from edge_ai.nodes.qos import SENSOR

_PATIENCE = 60.0
RAW = "raw_results"
# Deep enough that this process loses nothing of what reliable writers send.
_ALL = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)


class Probe(Node):
    """Listens to the topics asked for, and to what the nodes say about themselves once a second.

    Attributes:
        heard: what came since `forget`, by topic; ``processed`` is how many results a node says it has had.
        counters: what each node said last.
    """

    def __init__(self) -> None:
        super().__init__("benchmark")
        self.clock = RosClock(self)
        self.heard: dict[str, list[Any]] = {"processed": []}
        self.counters: dict[str, dict[str, int]] = {}
        self._last_stamp = -1
        self._subscriptions_made: dict[str, Any] = {}
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)

    def hear(self, topics: Sequence[str]) -> None:
        """Listen to these topics and to no others; "front/raw_results" are those of the camera of that name."""
        kinds: dict[str, tuple[Any, ...]] = {
            "results": (InferenceResult, "inference/results", self._on_result, _ALL),
            "commands": (ControlStatus, "control/status", self._on_command, _ALL),
            "captured": (CameraStatus, "camera/status", self._on_captured, _ALL),
            "pulses": (ControlStatus, "control/status", self._on_pulse, _ALL),
            "images": (Image, "camera/image_raw", self._on_image, SENSOR),
        }
        for name in set(self._subscriptions_made) - set(topics):
            self.destroy_subscription(self._subscriptions_made.pop(name))
        for name in set(topics) - set(self._subscriptions_made):
            self._subscriptions_made[name] = (
                self._hear_raw(name) if name.endswith(RAW) else self.create_subscription(*kinds[name])
            )
        self.heard = {name: [] for name in ("processed", *topics)}

    def forget(self) -> dict[str, list[Any]]:
        """What was heard so far; begins anew."""
        heard, self.heard = self.heard, {name: [] for name in self.heard}
        return heard

    def _hear_raw(self, name: str) -> Any:
        def on_raw(message: bytes) -> None:
            self.heard[name].append((time.monotonic(), time.time_ns(), message))

        topic = f"{name.removesuffix(RAW)}inference/results"
        return self.create_subscription(InferenceResult, topic, on_raw, _ALL, raw=True)

    def _on_result(self, message: InferenceResult) -> None:
        timings = {stage.stage: stage.duration for stage in message.timings}
        self.heard["results"].append({"at": time.monotonic(), "timings": timings})

    def _on_command(self, message: ControlStatus) -> None:
        stamp = time_to_ns(message.result_stamp)
        if message.has_result and stamp != self._last_stamp:
            self._last_stamp = stamp
            self.heard["commands"].append({"at": time.monotonic(), "age": message.age})

    def _on_pulse(self, message: ControlStatus) -> None:
        if message.has_result:
            self.heard["pulses"].append(time.monotonic())

    def _on_captured(self, message: CameraStatus) -> None:
        if message.state == CameraStatus.STREAMING and message.captured:
            self.heard["captured"].append({"at": time.monotonic(), "index": message.frame_index})

    def _on_image(self, message: Image) -> None:
        frame = frame_from_msg(message, self.clock)
        age = (self.clock.steady_ns() - frame.header.steady_ns) / 1e9
        self.heard["images"].append({"at": time.monotonic(), "age": age, "index": read_index(frame.image)})

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            counts = {pair.key: int(pair.value) for pair in status.values if pair.value.isdecimal()}
            self.counters[status.name] = counts
            if "processed" in counts:
                at = time_to_ns(message.header.stamp) / 1e9
                self.heard["processed"].append({"at": at, "count": counts["processed"]})


class Conductor:
    """Drives the lifecycle of nodes while a probe listens.

    Args:
        setup: ``nodes`` in the order of activation, which is that of listening before speaking; ``topics`` to hear.

    Raises:
        RuntimeError: a node does not appear or cannot be configured.
    """

    def __init__(self, setup: Task) -> None:
        rclpy.init()
        self._probe = Probe()
        self._topics = setup["topics"]
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._probe)
        self._clients = {
            name: self._probe.create_client(ChangeState, f"{name}/change_state") for name in setup["nodes"]
        }
        for name in self._clients:
            self._change(name, Transition.TRANSITION_CONFIGURE)

    def measure(self, task: Task) -> dict[str, Any]:
        """Activate the nodes, listen for ``seconds`` after ``warm`` seconds, deactivate them.

        Args:
            task: with ``unheard`` nothing is subscribed to but the nodes' diagnostics; ``pids`` are processes whose
                use of the processors is wanted; ``nodes`` are those to activate, else all; ``hung`` is a process that
                hangs from its activation to the end.

        Returns:
            What was heard within those seconds, by topic, and with ``pids`` the processor time ``cpu_s`` that they
            used meanwhile; for a task ``whole``, all from the first frame to the last and what the nodes have
            counted, as ``counters``.
        """
        if task.get("whole"):
            return self._measure_whole(task)
        if "cycles" in task:
            return self._measure_cycles(task)
        self._probe.hear([] if task.get("unheard") else self._topics)
        names = [name for name in self._clients if name in task.get("nodes", self._clients)]
        self._up(names)
        if "hung" in task:
            os.kill(task["hung"], signal.SIGSTOP)
        self._listen(task["warm"])
        self._probe.forget()
        before = seconds_used(task.get("pids", []))
        self._listen(task["seconds"])
        heard = self._probe.forget()
        used = seconds_used(task.get("pids", [])) - before
        if "hung" in task:
            os.kill(task["hung"], signal.SIGCONT)
        self._down(reversed(names))
        return {**read_later(heard), **({"cpu_s": used} if "pids" in task else {})}

    def _measure_whole(self, task: Task) -> dict[str, Any]:
        self._probe.hear(self._topics)
        self._up(self._clients, settle=2.0)
        self._listen(task["seconds"])
        self._down(["camera"])
        self._listen(0.5)
        self._probe.counters.clear()
        self._listen(2.5)  # diagnostics come once a second
        counters = dict(self._probe.counters)
        self._down([name for name in self._clients if name != "camera"])
        return {**read_later(self._probe.forget()), "counters": counters}

    def _measure_cycles(self, task: Task) -> dict[str, Any]:
        """Bring all nodes up and down and clean them up, time after time; what their processes hold after each time."""
        self._probe.hear(self._topics)
        held = []
        for _ in range(task["cycles"]):
            self._up(self._clients)
            self._listen(task["seconds"])
            self._down(reversed(self._clients))
            for name in self._clients:
                self._change(name, Transition.TRANSITION_CLEANUP)
            held.append({str(pid): holdings(pid) for pid in task["pids"]})
            for name in self._clients:
                self._change(name, Transition.TRANSITION_CONFIGURE)
        return {"held": held}

    def close(self) -> None:
        """Leave ROS."""
        self._probe.destroy_node()
        rclpy.try_shutdown()

    def _up(self, names: Iterable[str], settle: float = 0.0) -> None:
        self._probe.forget()
        for name in names:
            if name == "camera":
                self._listen(settle)  # until its publishers know all who listen
            self._change(name, Transition.TRANSITION_ACTIVATE)

    def _down(self, names: Iterable[str]) -> None:
        for name in names:
            self._change(name, Transition.TRANSITION_DEACTIVATE)

    def _change(self, name: str, transition: int) -> None:
        client = self._clients[name]
        if not client.wait_for_service(_PATIENCE):
            raise RuntimeError(f"node {name} did not appear within {_PATIENCE:g} s")
        request = ChangeState.Request()
        request.transition.id = transition
        future = client.call_async(request)
        self._executor.spin_until_future_complete(future, _PATIENCE)
        if not future.done() or not future.result().success:
            raise RuntimeError(f"transition {transition} of node {name} failed; its log says why")

    def _listen(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)


def read_later(heard: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Read results that were only stored as they came, so that listening takes next to nothing from the nodes.

    Returns:
        What was heard, and for each of ``raw_results`` when it came (``at``), its ``age`` then and the age that its
        stages' timings add up to (``said``; 0 where it has none), in seconds.
    """
    return {name: [_read(*one) for one in what] if name.endswith(RAW) else what for name, what in heard.items()}


def _read(at: float, now_ns: int, data: bytes) -> dict[str, float]:
    message = deserialize_message(data, InferenceResult)
    said = sum(stage.duration for stage in message.timings)
    return {"at": at, "age": (now_ns - time_to_ns(message.header.stamp)) / 1e9, "said": said}


if __name__ == "__main__":
    serve(lambda setup: closing(Conductor(setup)))
