"""The node that listens: with as little work as can be while others are measured."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image

from edge_ai.capture.synthetic import read_index
from edge_ai.msg import CameraStatus, ControlStatus, InferenceResult
from edge_ai.nodes.convert import time_to_ns
from edge_ai.nodes.images import frame_from_msg
from edge_ai.nodes.qos import SENSOR
from edge_ai.nodes.reader import Held, Inbox, Reader
from edge_ai.nodes.ros_clock import RosClock

_STORED = {
    "raw_results": (InferenceResult, "inference/results"),
    "raw_commands": (ControlStatus, "control/status"),
}
"""What is stored as it comes and read afterwards."""
# Deep enough that this process loses nothing of what reliable writers send.
_ALL = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)


class Listener(Node):
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
            made = self._subscriptions_made.pop(name)
            self.destroy_subscription(made.stop()[0].subscription if isinstance(made, Reader) else made)
        for name in set(topics) - set(self._subscriptions_made):
            self._subscriptions_made[name] = (
                self._hear_raw(name, *_STORED[name.rpartition("/")[2]])
                if name.rpartition("/")[2] in _STORED
                else self.create_subscription(*kinds[name])
            )
        self.heard = {name: [] for name in ("processed", *topics)}

    def forget(self) -> dict[str, list[Any]]:
        """What was heard so far; begins anew."""
        heard, self.heard = self.heard, {name: [] for name in self.heard}
        return heard

    def _hear_raw(self, name: str, kind: Any, topic: str) -> Any:
        def on_ready(inbox: Inbox) -> None:
            while (message := inbox.take()) is not None:
                self.heard[name].append((time.monotonic(), time.time_ns(), message))

        camera, slash, _ = name.rpartition("/")
        held = self.create_subscription(kind, f"{camera}{slash}{topic}", id, _ALL, raw=True, callback_group=Held())
        return Reader(self, [Inbox(held)], on_ready, name)

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


def read_later(heard: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Read what was only stored as it came, so that listening takes next to nothing from the nodes.

    Returns:
        What was heard. For each of ``raw_results``, when it came (``at``), its ``age`` then and the age that its
        stages' timings add up to (``said``; 0 where it has none), in seconds. Of ``raw_commands`` the first that heeds
        each result: when it came, and the ``age`` of the result when it was decided, by the controller's own clock.
    """
    readers = {"raw_results": _results, "raw_commands": _commands}
    return {
        name: readers[name.rpartition("/")[2]](what) if name.rpartition("/")[2] in readers else what
        for name, what in heard.items()
    }


def _results(stored: Sequence[tuple[float, int, bytes]]) -> list[dict[str, float]]:
    read = []
    for at, now_ns, data in stored:
        message = deserialize_message(data, InferenceResult)
        said = sum(stage.duration for stage in message.timings)
        read.append({"at": at, "age": (now_ns - time_to_ns(message.header.stamp)) / 1e9, "said": said})
    return read


def _commands(stored: Sequence[tuple[float, int, bytes]]) -> list[dict[str, float]]:
    read, last = [], -1
    for at, _, data in stored:
        message = deserialize_message(data, ControlStatus)
        stamp = time_to_ns(message.result_stamp)
        if message.has_result and stamp != last:
            last = stamp
            read.append({"at": at, "age": message.age})
    return read
