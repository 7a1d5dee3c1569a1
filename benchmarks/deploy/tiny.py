"""A model so small that swapping it measures the swap, and frames for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import yaml

from benchmarks.loaded import frame_of
from edge_ai.core.files import sha256_of
from edge_ai.core.types import Frame, Result
from edge_ai.runtime.detector import Detector
from edge_ai.runtime.pipeline import Pipeline

_SIZE = 16
_PERIOD = 0.005  # s
_BRIGHT = 250


def tiny_model(folder: Path, version: str, *, bad: bool = False) -> Path:
    """Write a classifier that tells the colour of a picture; the path of its card.

    Args:
        folder: where; one folder holds several.
        version: of it, and the name of its files.
        bad: of bright pictures it says NaN.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("ReduceMean", ["image", "plane"], ["means"], keepdims=0),
        helper.make_node("Mul", ["means", "gain"], ["told"]),
        helper.make_node("ReduceMax", ["image"], ["most"], keepdims=0),
        helper.make_node("Sub", ["limit", "most"], ["left"]),
        helper.make_node("Log", ["left"], ["log"]),  # NaN below zero
        helper.make_node("Mul", ["log", "zero"], ["nothing"]),
        helper.make_node("Add", ["told", "nothing"], ["scores"]),
    ]
    constants = {
        "plane": np.array([2, 3], np.int64),
        "gain": np.array(8.0, np.float32),
        "limit": np.array(0.95 if bad else 2.0, np.float32),
        "zero": np.array(0.0, np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, _SIZE, _SIZE])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / f"{version}.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), model)
    card = {
        "name": "colours",
        "version": version,
        "task": "classification",
        "file": model.name,
        "sha256": sha256_of(model),
        "licence": "none",
        "source": "benchmarks",
        "input": {"name": "image", "layout": "nchw", "size": [_SIZE, _SIZE], "color": "bgr", "resize": "stretch"}
        | {"scale": 1 / 255},
        "outputs": {"scores": "scores"},
        "decoder": {"family": "classifier", "activation": "softmax"},
        "score_threshold": 0.0,
        "labels": ["blue", "green", "red"],
    }
    path = folder / f"{version}.yaml"
    path.write_text(yaml.safe_dump(card))
    return path


class Stream:
    """Frames at a steady rate, of which only is counted what became of them: it must not grow itself.

    Args:
        model: runs them.
        on_result: told of each result.
    """

    def __init__(self, model: Detector, on_result: Callable[[Result, Frame], None]) -> None:
        self.submitted = self.lost = 0
        self.bright = False
        self._answered, self._told = 0, on_result
        self._end, self._pipeline = threading.Event(), Pipeline(model, self._on_result)
        self._feeder = threading.Thread(target=self._feed, daemon=True)

    @contextmanager
    def running(self) -> Iterator[Stream]:
        """Until the block ends; then what was submitted is waited for."""
        self._pipeline.start()
        self._feeder.start()
        try:
            yield self
        finally:
            self._end.set()
            self._feeder.join()
            self._pipeline.wait_idle(10.0)
            self._pipeline.stop()
            self.lost += self.submitted - self._answered

    def _on_result(self, result: Result, frame: Frame) -> None:
        self.lost += frame.header.index != self._answered  # one worker answers in order
        self._answered = frame.header.index + 1
        self._told(result, frame)

    def _feed(self) -> None:
        plain = np.full((_SIZE, _SIZE, 3), (180, 60, 60), np.uint8)
        bright = np.full((_SIZE, _SIZE, 3), (_BRIGHT, 60, 60), np.uint8)
        while not self._end.wait(_PERIOD):
            self._pipeline.submit(frame_of(self.submitted, bright if self.bright else plain), patience=10.0)
            self.submitted += 1
