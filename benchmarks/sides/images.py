"""One end of a topic of images: sends them at a rate, or receives them, by messages or as bytes."""

from __future__ import annotations

import os
import time
from contextlib import closing
from typing import Any

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image

from benchmarks.machine import holdings
from benchmarks.sides.serve import Task, serve
from edge_ai.core.clock import NS
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.nodes.images import frame_from_cdr, frame_from_msg, image_to_cdr, image_to_msg
from edge_ai.nodes.qos import SENSOR
from edge_ai.nodes.ros_clock import RosClock
from edge_ai.realtime.heap import keep_freed_memory

_SETTLE = 1.0  # s for both ends to know each other
_LAST = 1.0  # s for what is under way to arrive


class ImageEnd:
    """A sender or a receiver.

    Args:
        setup: ``role`` "send" or "receive"; ``form`` "message" or "bytes"; ``keep`` memory that is freed; ``width`` and
            ``height`` of the images; ``rate`` in Hz.
    """

    def __init__(self, setup: Task) -> None:
        if setup["keep"]:
            keep_freed_memory()
        rclpy.init()
        self._setup, self._node = setup, rclpy.create_node(setup["role"])
        self._clock = RosClock(self._node)
        self._ages: list[float] = []
        self._seen: set[int] = set()
        raw = setup["form"] == "bytes"
        if setup["role"] == "send":
            shape = (setup["height"], setup["width"], 3)
            self._pixels = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
            self._make = image_to_cdr if raw else image_to_msg
            self._publisher = self._node.create_publisher(Image, "images", SENSOR)
        else:
            self._read: Any = frame_from_cdr if raw else frame_from_msg
            self._node.create_subscription(Image, "images", self._take, SENSOR, raw=raw)
            self._executor = SingleThreadedExecutor()
            self._executor.add_node(self._node)

    def measure(self, task: Task) -> dict[str, Any]:
        """Send ``count`` images or receive what comes of them, after as many again as warm up.

        Returns:
            ``cpu_ms`` of this process for each image, ``rss_mib`` that it holds, and a receiver's ``got`` and ``ages``
            in seconds.
        """
        return self._send(task["count"]) if self._setup["role"] == "send" else self._receive(task["count"])

    def close(self) -> None:
        """Leave ROS."""
        self._node.destroy_node()
        rclpy.try_shutdown()

    def _send(self, count: int) -> dict[str, Any]:
        end = time.monotonic() + 20
        while not self._publisher.get_subscription_count() and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(_SETTLE)
        used, due = 0.0, time.monotonic()
        for index in range(-count, count):
            if index == 0:
                used = time.process_time()
            stamp = self._clock.stamp_ns()
            header = FrameHeader(stamp, stamp, f"{index}", index, self._setup["width"], self._setup["height"])
            self._publisher.publish(self._make(Frame(header, self._pixels)))
            due += 1 / self._setup["rate"]
            time.sleep(max(0.0, due - time.monotonic()))
        return self._answer(time.process_time() - used, count)

    def _receive(self, count: int) -> dict[str, Any]:
        used, end = None, time.monotonic() + 40 + 2 * count / self._setup["rate"]
        while time.monotonic() < end:
            self._executor.spin_once(timeout_sec=0.2)
            if self._seen and used is None:
                used = time.process_time()
            if count - 1 in self._seen:
                break
            if self._seen:
                end = min(end, time.monotonic() + _LAST + count / self._setup["rate"])
        spent = time.process_time() - used if used is not None else 0.0
        return {**self._answer(spent, max(1, len(self._seen))), "got": len(self._seen), "ages": self._ages}

    def _take(self, message: Any) -> None:
        frame = self._read(message, self._clock)
        index = int(frame.header.frame_id)
        if index >= 0:
            self._seen.add(index)
            self._ages.append((self._clock.stamp_ns() - frame.header.stamp_ns) / NS)

    def _answer(self, seconds: float, images: int) -> dict[str, Any]:
        return {"cpu_ms": seconds * 1e3 / images, "rss_mib": holdings(os.getpid())["rss_mib"]}


if __name__ == "__main__":
    serve(lambda setup: closing(ImageEnd(setup)))
