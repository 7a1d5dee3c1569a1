"""The newest result drawn on its frame as a JPEG file, only while somebody looks."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from edge_ai.control.command import Command, ControlState
from edge_ai.core.clock import Clock
from edge_ai.core.errors import EdgeAIError
from edge_ai.core.types import Frame, Image, Result, Velocity
from edge_ai.dashboard.params import DashboardParams
from edge_ai.processing.draw import annotate
from edge_ai.processing.image import to_channels
from edge_ai.processing.jpeg import to_jpeg

_ATTENTION = 6.0  # s after which nobody looks any more; pictures that cost much are up to five seconds apart
_WAIT = 1.0  # s for a newer frame
_LEAST_SPEED = 0.05


class PictureFeed:
    """Give it results as they come; it draws those that a viewer asks for and lets go of the others.

    `jpeg` is the provider that `Board.picture` wants.

    Args:
        params: how wide and of what quality.
        clock: ages of the pictures.
    """

    def __init__(self, params: DashboardParams, clock: Clock) -> None:
        self._params, self._clock = params, clock
        self._ready = threading.Condition()
        self._item: tuple[Result, Frame] | None = None
        self._asked: int | None = None
        self._command: Command | None = None
        self._fastest = Velocity(_LEAST_SPEED, _LEAST_SPEED)

    @property
    def watched(self) -> bool:
        """Whether somebody looks."""
        asked = self._asked
        return asked is not None and self._clock.steady_ns() - asked < _ATTENTION * 1e9

    def offer(self, result: Result, frame: Frame) -> None:
        """A result with its frame, from any thread; costs nothing while nobody looks."""
        if self._asked is None:
            return
        with self._ready:
            if self.watched:
                self._item = (result, frame)
                self._ready.notify()
            else:
                self._asked = self._item = None

    def command(self, command: Command) -> None:
        """What the robot does, to be drawn as well."""
        self._command = command
        linear, angular = abs(command.velocity.linear), abs(command.velocity.angular)
        # An arrow of full length is the fastest command seen.
        if linear > self._fastest.linear or angular > self._fastest.angular:
            self._fastest = Velocity(max(self._fastest.linear, linear), max(self._fastest.angular, angular))

    def jpeg(self) -> bytes | None:
        """The newest picture once there is a newer one than that before; None after a second without."""
        self._asked = self._clock.steady_ns()
        with self._ready:
            self._ready.wait_for(lambda: self._item is not None, _WAIT)
            item, self._item = self._item, None
        self._asked = self._clock.steady_ns()
        try:
            return self._draw(*item) if item is not None else None
        except EdgeAIError:
            return None  # a frame nobody can read is reported by whoever infers it

    def _draw(self, result: Result, frame: Frame) -> bytes:
        small, image = _narrowed(result, to_channels(frame.image, frame.encoding, "bgr"), self._params.video_width)
        words: dict[str, Any] = {"age_s": (self._clock.steady_ns() - result.header.steady_ns) / 1e9}
        command = self._command
        if command is not None:
            scale = image.shape[1] / max(frame.image.shape[1], 1)
            words["target"] = [side * scale for side in command.target.box] if command.target else None
            words["command"], words["fastest"] = command.velocity, self._fastest
            words["state"] = ControlState(command.state).name
        return to_jpeg(annotate(image, small, **words), self._params.quality)


def _narrowed(result: Result, image: Image, width: int) -> tuple[Result, Image]:
    """Image and result made smaller together, where the image is wider: drawing on it then costs less."""
    height, before = image.shape[:2]
    if before <= width:
        return result, image
    scale = width / before
    size = (width, max(1, round(height * scale)))
    found = result.detections
    keypoints = found.keypoints * np.array([scale, scale, 1.0], np.float32) if found.keypoints is not None else None
    small = replace(found, boxes=found.boxes * np.float32(scale), keypoints=keypoints)
    # INTER_AREA is prettier and costs three times as much.
    narrow = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return replace(result, detections=small), narrow
