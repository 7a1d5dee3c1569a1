"""The way tutorials do it, for contrast: a thread a stage and a queue of ten between two of them."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import nullcontext
from typing import Any

import cv2
import numpy as np
import onnxruntime

from benchmarks.sides.replay import pictures
from benchmarks.sides.serve import Task, serve
from edge_ai.core.types import FloatArray, Image
from edge_ai.processing.card import ModelCard
from edge_ai.processing.postprocess import PostProcessor
from edge_ai.processing.resize import Placement, place
from edge_ai.runtime.resources import shipped_card

DEPTH = 10


def to_tensor(image: Image, card: ModelCard) -> tuple[FloatArray, Placement]:
    """Preprocessing in plain numpy."""
    placement, (width, height) = place(image.shape[1::-1], card.input)
    canvas = np.full((*card.input.size[::-1], 3), card.input.pad_value, np.uint8)
    left, top = placement.offset_x, placement.offset_y
    canvas[top : top + height, left : left + width] = cv2.resize(image, (width, height))
    normal = (canvas.astype(np.float32) - np.array(card.input.mean, np.float32)) / np.array(card.input.std, np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[np.newaxis]), placement


class QueuePipeline:
    """Capture, inference and use on threads, with queues that block when full.

    The camera, like a file, an RTSP server or a driver with many buffers, keeps the frames nobody has read yet.

    Args:
        setup: ``video`` that it plays; ``rate`` in Hz.
    """

    def __init__(self, setup: Task) -> None:
        self._images, self._period = pictures(setup["video"]), 1.0 / setup["rate"]
        self._card = ModelCard.load(shipped_card())
        # ONNX Runtime as it comes.
        self._session = onnxruntime.InferenceSession(str(self._card.model_path), providers=["CPUExecutionProvider"])
        self._post = PostProcessor(self._card)
        self._frames: queue.Queue[tuple[float, Image]] = queue.Queue(DEPTH)
        self._results: queue.Queue[tuple[float, int]] = queue.Queue(DEPTH)
        self._over = threading.Event()
        self.instants: list[float] = []
        self.ages: list[float] = []

    def measure(self, task: Task) -> dict[str, Any]:
        """Run once for ``seconds``; returns ``instants`` and ``ages`` of the results in seconds."""
        threads = [threading.Thread(target=work, daemon=True) for work in (self._capture, self._infer, self._use)]
        for thread in threads:
            thread.start()
        self._over.wait(task["seconds"])
        self._over.set()
        threads[1].join()  # a process that ends within an inference aborts
        return {"instants": list(self.instants), "ages": list(self.ages)}

    def _capture(self) -> None:
        taken, index = time.monotonic(), 0
        while True:
            time.sleep(max(0.0, taken - time.monotonic()))
            self._frames.put((taken, self._images[index % len(self._images)]))
            taken, index = taken + self._period, index + 1

    def _infer(self) -> None:
        names = [output.name for output in self._session.get_outputs()]
        while not self._over.is_set():
            taken, image = self._frames.get()
            tensor, placement = to_tensor(image, self._card)
            outputs = dict(zip(names, self._session.run(names, {self._card.input.name: tensor}), strict=True))
            self._results.put((taken, len(self._post(outputs, placement))))

    def _use(self) -> None:
        while True:
            taken, _found = self._results.get()
            now = time.monotonic()
            self.instants.append(now)
            self.ages.append(now - taken)


if __name__ == "__main__":
    serve(lambda setup: nullcontext(QueuePipeline(setup)))
