"""What an engine does on the pretended GPU: run the ONNX on the CPU, between the addresses it was given."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_ai_doubles import memory, settings, state
from edge_ai_doubles.errors import ILLEGAL_ADDRESS, CudaError
from edge_ai_doubles.state import NOW


@dataclass(frozen=True)
class Binding:
    """A tensor as one execution uses it; the shape is None for an output whose size only the run tells."""

    name: str
    address: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...] | None


class Execution:
    """One run of an engine, with its addresses and shapes frozen.

    Args:
        session: an onnxruntime.InferenceSession.
        inputs: where to read.
        outputs: where to write.
        half: round to half precision, as an engine does that was built with it.
        owner: the execution context; its scratch memory must live until the run.
    """

    def __init__(self, session: Any, inputs: list[Binding], outputs: list[Binding], half: bool, owner: object) -> None:
        self.session, self.inputs, self.outputs, self.half = session, inputs, outputs, half
        self.owner = weakref.ref(owner)

    def __call__(self) -> None:
        """Do it."""
        if self.owner() is None:
            raise CudaError(ILLEGAL_ADDRESS)
        NOW.executions += 1
        limit = settings.fault("device_lost")
        if limit and NOW.executions > limit:
            state.lose(ILLEGAL_ADDRESS)
            raise CudaError(ILLEGAL_ADDRESS)
        wanted = {node.name: _ORT_DTYPES[node.type] for node in self.session.get_inputs()}
        feeds = {b.name: _read(b).astype(wanted[b.name], copy=False) for b in self.inputs}
        answers = self.session.run([b.name for b in self.outputs], feeds)
        for binding, answer in zip(self.outputs, answers, strict=True):
            _write(binding, self._spoiled(np.asarray(answer)))

    def _spoiled(self, answer: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if np.issubdtype(answer.dtype, np.floating):
            if self.half:
                answer = np.clip(answer, -65504, 65504).astype(np.float16).astype(answer.dtype)
            if settings.fault("engine_wrong"):
                answer = answer * answer.dtype.type(0.25)
            if settings.fault("engine_nan"):
                answer = np.full_like(answer, np.nan)
        elif settings.fault("engine_wrong"):
            answer = np.zeros_like(answer)
        return answer


_ORT_DTYPES = {
    f"tensor({name})": np.dtype(numpy_name)
    for name, numpy_name in {
        "float": "float32",
        "float16": "float16",
        "double": "float64",
        "int8": "int8",
        "uint8": "uint8",
        "int32": "int32",
        "int64": "int64",
        "bool": "bool",
    }.items()
}


def _read(binding: Binding) -> np.ndarray[Any, Any]:
    shape = binding.shape or ()
    count = int(np.prod(shape, dtype=np.int64))
    view = memory.kernel_view(binding.address, count * binding.dtype.itemsize)
    return np.frombuffer(view, binding.dtype, count).reshape(shape).copy()


def _write(binding: Binding, answer: np.ndarray[Any, Any]) -> None:
    data = np.ascontiguousarray(answer.astype(binding.dtype, copy=False)).tobytes()
    memory.kernel_view(binding.address, len(data))[:] = data
