"""INT8 calibration by TensorRT itself, for models without Q/DQ operators, up to TensorRT 10."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge_ai.backends.cuda_memory import Cuda, Memory
from edge_ai.backends.tensors import Array

log = logging.getLogger(__name__)


def calibrator(module: Any, cuda: Cuda, feeds: Iterator[Mapping[str, Array]], model_path: Path) -> Any:
    """A calibrator that hands TensorRT one batch after another.

    Args:
        module: tensorrt.
        cuda: the device; its memory is freed with the calibrator.
        feeds: the batches, all of one shape.
        model_path: for messages.
    """

    class Calibrator(module.IInt8EntropyCalibrator2):  # type: ignore[misc]
        def __init__(self) -> None:
            module.IInt8EntropyCalibrator2.__init__(self)
            self._stream = cuda.stream()
            self._memory: dict[str, Memory] = {}
            self._first: Mapping[str, Array] | None = next(feeds, None)
            self._batches = 0

        def get_batch_size(self) -> int:
            return 1 if self._first is None else len(next(iter(self._first.values())))

        def get_batch(self, names: list[str]) -> list[int] | None:
            batch, self._first = (self._first, None) if self._first is not None else (next(feeds, None), None)
            if batch is None:
                log.info("calibrated '%s' on %d batches", model_path, self._batches)
                return None
            for name in names:
                array = np.ascontiguousarray(batch[name])
                if name not in self._memory:
                    self._memory[name] = cuda.memory(array.nbytes)
                self._stream.copy_in(self._memory[name].pointer, array)
            self._stream.synchronize()
            self._batches += 1
            return [self._memory[name].pointer for name in names]

        def read_calibration_cache(self) -> bytes | None:
            return None

        def write_calibration_cache(self, cache: bytes) -> None:
            """Not kept: the engine is."""

    return Calibrator()
