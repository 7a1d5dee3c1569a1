"""inference/annotated: what the model saw and what the robot does about it, drawn only while somebody looks."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from sensor_msgs.msg import Image

from edge_ai.control.command import Command, ControlState
from edge_ai.core.errors import EdgeAIError
from edge_ai.core.types import Frame, Result, Velocity
from edge_ai.msg import ControlStatus
from edge_ai.nodes import convert, pixels
from edge_ai.nodes.qos import SENSOR
from edge_ai.processing.draw import annotate
from edge_ai.processing.image import to_channels
from edge_ai.runtime.latest import LatestSlot


@dataclass(frozen=True, slots=True)
class Overlay:
    """What the robot does, to be drawn over a picture.

    Attributes:
        target: box x1, y1, x2, y2 in px of the one followed; None if nobody is.
        command: the velocity commanded.
        state: why, in a word or two.
    """

    target: tuple[float, float, float, float] | None
    command: Velocity
    state: str


def overlay_of_command(command: Command) -> Overlay:
    """From the controller in this process."""
    box = command.target.box if command.target is not None else None
    return Overlay(box, command.velocity, command.state.name.replace("_", " "))


def overlay_of_status(message: ControlStatus) -> Overlay:
    """From a control node elsewhere."""
    target = message.target
    box = (target.x_min, target.y_min, target.x_max, target.y_max) if message.has_target else None
    velocity = Velocity(message.command.linear.x, message.command.angular.z)
    known = message.state in ControlState.__members__.values()
    return Overlay(box, velocity, ControlState(message.state).name.replace("_", " ") if known else str(message.state))


class Annotator:
    """Draws on a thread of its own, so that pictures for people never slow the robot; publishes them on ``topic``."""

    def __init__(self, node: Any, topic: str) -> None:
        self._node = node
        self._publisher = node.publisher(Image, topic, SENSOR)
        self._slot: LatestSlot[tuple[Result, Frame]] = LatestSlot()
        self._overlay: Overlay | None = None
        # An arrow of full length is the fastest command seen; what the control node's limits are is its own affair.
        self._fastest = Velocity(0.05, 0.05)
        self._thread = threading.Thread(target=self._work, name="annotate", daemon=True)
        self._thread.start()

    def overlay(self, overlay: Overlay) -> None:
        """What the robot does; drawn over the next picture."""
        self._overlay = overlay
        linear, angular = abs(overlay.command.linear), abs(overlay.command.angular)
        self._fastest = Velocity(max(self._fastest.linear, linear), max(self._fastest.angular, angular))

    @property
    def watched(self) -> bool:
        """Whether somebody subscribes."""
        return bool(self._publisher.get_subscription_count())

    def offer(self, result: Result, frame: Frame) -> None:
        """A result to draw, if somebody subscribes."""
        if self.watched:
            self._slot.put((result, frame))

    def destroy(self) -> None:
        """End the thread and take the topic down."""
        self._slot.close()
        self._thread.join()
        self._node.destroy_publisher(self._publisher)

    def _work(self) -> None:
        while (item := self._slot.get()) is not None:
            result, frame = item
            try:
                picture = annotate(to_channels(frame.image, frame.encoding, "bgr"), result, **self._words(result))
            except EdgeAIError as error:
                self._node.get_logger().error(f"annotated image: {error}", throttle_duration_sec=5.0)
                continue
            header = convert.header_to_msg(result.header)
            self._publisher.publish(pixels.array_to_msg(picture, "bgr8", header))

    def _words(self, result: Result) -> dict[str, Any]:
        age = (self._node.clock.steady_ns() - result.header.steady_ns) / 1e9
        overlay = self._overlay
        if overlay is None:
            return {"age_s": age}
        return {
            "age_s": age,
            "target": overlay.target,
            "command": overlay.command,
            "state": overlay.state,
            "fastest": self._fastest,
        }
