"""The limit: preprocess, session.run and decode in a bare loop without ROS, on as many threads as is asked for."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext
from typing import Any

import numpy as np
import onnxruntime

from benchmarks.sides.replay import pictures
from benchmarks.sides.serve import Task, serve
from edge_ai.backends.onnxrt import spin_entries
from edge_ai.backends.options import Spinning
from edge_ai.processing.card import ModelCard
from edge_ai.processing.postprocess import PostProcessor
from edge_ai.processing.resize import Preprocessor
from edge_ai.realtime.process import prepare_process
from edge_ai.runtime.resources import shipped_card


class Limit:
    """As fast as this model goes on this machine with our own preprocessing and decoding and nothing around them.

    Args:
        setup: ``video`` whose pictures it takes.
    """

    def __init__(self, setup: Task) -> None:
        prepare_process()
        self._card, self._images = ModelCard.load(shipped_card()), pictures(setup["video"])
        self._post = PostProcessor(self._card)
        self._session: Any = None
        self._made: tuple[int, Spinning] | None = None

    def measure(self, task: Task) -> dict[str, Any]:
        """Loop for ``seconds`` after ``warm`` seconds.

        Args:
            task: ``workers`` that loop side by side over one session, its ``threads`` and whether they spin
                (``spinning``).

        Returns:
            ``durations`` of the frames and ``instants`` of their ends in seconds, and the processor time used
            (``cpu_s``).
        """
        self._open(task["threads"], task["spinning"])
        self._run(task["workers"], task["warm"])
        before = time.process_time()
        ends = sorted(self._run(task["workers"], task["seconds"]))
        used = time.process_time() - before
        return {"instants": [end for end, _ in ends], "durations": [took for _, took in ends], "cpu_s": used}

    def _open(self, threads: int, spinning: Spinning) -> None:
        """Have one session alive, never two: an idle one's threads could take cores from the other's."""
        if self._made == (threads, spinning):
            return
        self._session = None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        for key, value in spin_entries(spinning, onnxruntime.__version__).items():
            options.add_session_config_entry(key, value)
        self._session = onnxruntime.InferenceSession(
            str(self._card.model_path), options, providers=["CPUExecutionProvider"]
        )
        self._made = threads, spinning

    def _run(self, workers: int, seconds: float) -> list[tuple[float, float]]:
        ends: list[tuple[float, float]] = []
        threads = [threading.Thread(target=self._loop, args=(seconds, i, ends)) for i in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return ends

    def _loop(self, seconds: float, index: int, ends: list[tuple[float, float]]) -> None:
        names = [output.name for output in self._session.get_outputs()]
        tensor = np.zeros(self._card.input.shape, self._card.input.dtype)
        feeds, preprocessor = {self._card.input.name: tensor}, Preprocessor(self._card.input)
        begun = before = time.monotonic()
        while before - begun < seconds:
            image = self._images[(index + len(ends)) % len(self._images)]
            placement = preprocessor.prepare(image, "bgr8", tensor)
            self._post(dict(zip(names, self._session.run(names, feeds), strict=True)), placement)
            now = time.monotonic()
            ends.append((now, now - before))
            before = now


if __name__ == "__main__":
    serve(lambda setup: nullcontext(Limit(setup)))
