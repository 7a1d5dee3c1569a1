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
_GLANCE = 0.1  # s between two looks whether it is over


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
        setup: ``video`` that it plays; ``rate`` in Hz; ``poll``: seconds between two looks into an empty queue, as
            many tutorials have it; 0 or none: it waits on the queue.
    """

    def __init__(self, setup: Task) -> None:
        self._images, self._period = pictures(setup["video"]), 1.0 / setup["rate"]
        self._poll = setup.get("poll", 0.0)
        self._card = ModelCard.load(shipped_card())
        # ONNX Runtime as it comes.
        self._session = onnxruntime.InferenceSession(str(self._card.model_path), providers=["CPUExecutionProvider"])
        self._post = PostProcessor(self._card)
        self._begin()

    def measure(self, task: Task) -> dict[str, Any]:
        """Run from empty queues for ``seconds`` after ``warm`` seconds.

        Returns:
            ``instants`` and ``ages`` of the results in seconds, and the processor time used (``cpu_s``).
        """
        self._begin()
        threads = [threading.Thread(target=work, daemon=True) for work in (self._capture, self._infer, self._use)]
        for thread in threads:
            thread.start()
        self._over.wait(task.get("warm", 0.0))
        self._used = []
        before = time.process_time()
        self._over.wait(task["seconds"])
        spent, used = time.process_time() - before, list(self._used)
        self._over.set()
        for thread in threads:  # a process that ends within an inference aborts
            thread.join()
        return {"instants": [at for at, _ in used], "ages": [age for _, age in used], "cpu_s": spent}

    def _begin(self) -> None:
        self._frames: queue.Queue[tuple[float, Image]] = queue.Queue(DEPTH)
        self._results: queue.Queue[tuple[float, int]] = queue.Queue(DEPTH)
        self._over = threading.Event()
        self._used: list[tuple[float, float]] = []

    def _capture(self) -> None:
        taken, index = time.monotonic(), 0
        while not self._over.wait(max(0.0, taken - time.monotonic())):
            self._put(self._frames, (taken, self._images[index % len(self._images)]))
            taken, index = taken + self._period, index + 1

    def _infer(self) -> None:
        names = [output.name for output in self._session.get_outputs()]
        while (item := self._get(self._frames)) is not None:
            taken, image = item
            tensor, placement = to_tensor(image, self._card)
            outputs = dict(zip(names, self._session.run(names, {self._card.input.name: tensor}), strict=True))
            self._put(self._results, (taken, len(self._post(outputs, placement))))

    def _use(self) -> None:
        while (item := self._get(self._results)) is not None:
            now = time.monotonic()
            self._used.append((now, now - item[0]))

    def _get(self, source: queue.Queue[Any]) -> Any:
        """The next item, or None once it is over."""
        while not self._over.is_set():
            try:
                return source.get(block=not self._poll, timeout=_GLANCE)
            except queue.Empty:
                if self._poll:
                    time.sleep(self._poll)
        return None

    def _put(self, target: queue.Queue[Any], item: Any) -> None:
        while not self._over.is_set():
            try:
                return target.put(item, timeout=_GLANCE)
            except queue.Full:
                continue
        return None


if __name__ == "__main__":
    serve(lambda setup: nullcontext(QueuePipeline(setup)))
