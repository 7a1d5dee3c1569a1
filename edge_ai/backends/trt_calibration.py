"""INT8 calibration by TensorRT itself, for models without Q/DQ operators, up to TensorRT 10."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_ai.backends import trt_api
from edge_ai.backends.cuda_memory import Cuda, Memory
from edge_ai.backends.tensors import Array
from edge_ai.core.errors import BackendError

if TYPE_CHECKING:
    import tensorrt as trt

log = logging.getLogger(__name__)

Feeds = Mapping[str, Array]


def calibrate(
    module: Any,
    cuda: Cuda,
    builder: trt.Builder,
    network: trt.INetworkDefinition,
    config: Any,
    feeds: Iterator[Feeds],
) -> None:
    """Have a build calibrate itself.

    Args:
        module: tensorrt.
        cuda: the device; memory on it is freed with the configuration.
        builder, network: of the build.
        config: an IBuilderConfig of a TensorRT that still calibrates.
        feeds: the batches, all of the first one's shapes, which need not be those that the engine is for.

    Raises:
        BackendError: there is no batch.
    """
    first = next(feeds, None)
    if first is None:
        raise BackendError("calibration for int8", got="no picture", mend="give engine_calibration a folder of images")
    config.int8_calibrator = _calibrator_class(module)(cuda, first, feeds)
    inputs = [network.get_input(i) for i in range(network.num_inputs)]
    open_ones = [tensor.name for tensor in inputs if min(tensor.shape, default=1) < 0]
    if open_ones:
        profile = builder.create_optimization_profile()
        for name in open_ones:
            profile.set_shape(name, *[first[name].shape] * 3)
        config.set_calibration_profile(profile)


def _calibrator_class(module: Any) -> Any:
    base = trt_api.optional(module, "IInt8EntropyCalibrator2")

    class Calibrator(base):  # type: ignore[misc, valid-type]
        """Hands TensorRT one batch after another."""

        def __init__(self, cuda: Cuda, first: Feeds, others: Iterator[Feeds]) -> None:
            base.__init__(self)
            self._cuda, self._stream = cuda, cuda.stream()
            self._next: Feeds | None = first
            self._others = others
            self._size = len(next(iter(first.values())))
            self._memory: dict[str, Memory] = {}
            self._batches = 0

        def get_batch_size(self) -> int:
            return self._size

        def get_batch(self, names: list[str]) -> list[int] | None:
            batch, self._next = self._next or next(self._others, None), None
            if batch is None:
                log.info("calibrated on %d batches of %d", self._batches, self._size)
                return None
            for name in names:
                array = np.ascontiguousarray(batch[name])
                if name not in self._memory:
                    self._memory[name] = self._cuda.memory(array.nbytes)
                self._stream.copy_in(self._memory[name].pointer, array)
            self._stream.synchronize()
            self._batches += 1
            return [self._memory[name].pointer for name in names]

        def read_calibration_cache(self) -> bytes | None:
            return None

        def write_calibration_cache(self, cache: bytes) -> None:
            """Not kept: the engine is."""

    return Calibrator
