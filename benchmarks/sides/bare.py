"""The bare loop: preprocess and session.run on one thread, the engine set as the pipeline sets it by default."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import Any

import numpy as np
import onnxruntime

from benchmarks.sides.replay import pictures
from benchmarks.sides.serve import Task, serve
from edge_ai.backends.onnxrt import spin_entries
from edge_ai.backends.options import BackendOptions, Spinning
from edge_ai.processing.card import ModelCard
from edge_ai.processing.resize import Preprocessor
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.resources import shipped_card


def session_for(card: ModelCard, *, spinning: Spinning) -> onnxruntime.InferenceSession:
    """A session on the CPU with the pipeline's default number of threads."""
    params = InferenceParams()
    threads = BackendOptions(
        backend=params.backend, providers=tuple(params.providers), threads=params.threads, spinning=spinning
    ).thread_count
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    for key, value in spin_entries(spinning, onnxruntime.__version__).items():
        options.add_session_config_entry(key, value)
    return onnxruntime.InferenceSession(str(card.model_path), options, providers=["CPUExecutionProvider"])


class BareLoop:
    """Preprocess, run, again.

    Args:
        setup: ``video`` whose pictures it takes; ``spinning``: whether idle inference threads spin.
    """

    def __init__(self, setup: Task) -> None:
        card = ModelCard.load(shipped_card())
        self._session = session_for(card, spinning=setup["spinning"])
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._tensor = np.zeros(card.input.shape, card.input.dtype)
        self._feeds = {card.input.name: self._tensor}
        self._preprocessor, self._images = Preprocessor(card.input), pictures(setup["video"])

    def measure(self, task: Task) -> dict[str, Any]:
        """Loop for ``seconds`` after ``warm`` seconds; returns the ``durations`` of all frames in seconds."""
        self._loop(task["warm"])
        return {"durations": self._loop(task["seconds"])}

    def _loop(self, seconds: float) -> list[float]:
        durations: list[float] = []
        begun = before = time.perf_counter()
        while before - begun < seconds:
            self._preprocessor.prepare(self._images[len(durations) % len(self._images)], "bgr8", self._tensor)
            self._session.run(self._outputs, self._feeds)
            now = time.perf_counter()
            durations.append(now - before)
            before = now
        return durations


if __name__ == "__main__":
    serve(lambda setup: nullcontext(BareLoop(setup)))
