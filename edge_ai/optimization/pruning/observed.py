"""What a model computes inside on real inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from edge_ai.core.errors import ModelError
from edge_ai.optimization.progress import Feeds
from edge_ai.optimization.pruning.analysis import Layer
from edge_ai.optimization.pruning.graph import Array, Graph, attribute

PLACES = 10_000
"""At about how many places a layer is looked at, over all pictures."""


def tensors(model: Any, names: Sequence[str], feeds: Feeds) -> Iterator[Mapping[str, Array]]:
    """Some of a model's tensors, inputs too, for one picture after the other.

    Raises:
        ModelError: ONNX Runtime cannot run the model on them.
    """
    inputs = {value.name for value in model.graph.input}
    inner = [name for name in dict.fromkeys(names) if name not in inputs]
    session = _session(model, inner) if inner else None
    for feed in feeds():
        found = {name: feed[name] for name in names if name in feed}
        if session is not None:
            read = {value.name for value in session.get_inputs()}
            try:
                values = session.run(inner, {name: array for name, array in feed.items() if name in read})
            except Exception as error:  # its bindings raise many kinds
                raise ModelError("running the model", got=f"{type(error).__name__}: {error}") from None
            found.update(zip(inner, values, strict=True))
        yield found


def _session(model: Any, names: Sequence[str]) -> Any:
    """A session of the part of a model that leads to some tensors."""
    import onnx
    import onnxruntime

    types = {value.name: value.type.tensor_type.elem_type for value in _inferred(model)}
    part = onnx.ModelProto.FromString(model.SerializeToString())
    part.graph.ClearField("output")
    for name in names:
        element = types.get(name, onnx.TensorProto.FLOAT)
        part.graph.output.append(onnx.helper.make_tensor_value_info(name, element, None))
    Graph(part).drop_unused()
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(part.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its bindings raise many kinds
        raise ModelError("looking into the model", got=f"{type(error).__name__}: {error}") from None


def _inferred(model: Any) -> list[Any]:
    import onnx

    graph = onnx.shape_inference.infer_shapes(model).graph
    return [*graph.value_info, *graph.output]


class Places:
    """Where a layer is looked at: some places of its output and what it reads for them.

    Args:
        layer: a convolution of one group, or a matrix product.
        kernel: the sides of its kernel; () for a matrix product.
        pictures: over how many pictures the places are spread.
    """

    def __init__(self, layer: Layer, kernel: Sequence[int], pictures: int) -> None:
        self._node, self._kernel = layer.node, tuple(kernel)
        self._images = layer.channel_axis == 1
        self._each = max(1, PLACES // max(pictures, 1))

    def outputs(self, array: Array, picture: int) -> Array:
        """Rows of output channels [places, C_out]."""
        rows = np.moveaxis(array, 1, -1) if self._images else array
        return np.asarray(rows.reshape(-1, rows.shape[-1])[self._chosen(rows.shape[:-1], picture)])

    def inputs(self, array: Array, sides: Sequence[int], picture: int) -> Array:
        """Rows of what a kernel covers [places, C_in x kernel], in the order of the weight.

        Args:
            array: the layer's input.
            sides: those of its output, without batch and channels.
            picture: its number; the same places as of `outputs` with that number.
        """
        if not self._images:
            return np.asarray(array.reshape(-1, array.shape[-1])[self._chosen(array.shape[:-1], picture)])
        rank = len(self._kernel)
        strides = attribute(self._node, "strides") or [1] * rank
        dilations = attribute(self._node, "dilations") or [1] * rank
        padding = [(0, 0), (0, 0), *self._padding(array.shape[2:], sides, strides, dilations)]
        padded = np.moveaxis(np.pad(array, padding), 1, -1)
        shape = (array.shape[0], *sides)
        batch, *corner = np.unravel_index(self._chosen(shape, picture), shape)
        taps = []
        for offset in np.ndindex(*self._kernel):
            steps = zip(corner, offset, strides, dilations, strict=True)
            at = (place * stride + tap * dilation for place, tap, stride, dilation in steps)
            where: tuple[Array, ...] = (batch, *at)
            taps.append(padded[where])
        return np.stack(taps, axis=2).reshape(len(batch), -1)

    def _padding(
        self, before: Sequence[int], after: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
    ) -> list[tuple[int, int]]:
        kind, rank = attribute(self._node, "auto_pad", "NOTSET"), len(self._kernel)
        if not kind.startswith("SAME"):
            pads = attribute(self._node, "pads") or [0] * 2 * rank
            return list(zip(pads[:rank], pads[rank:], strict=True))
        found = []
        for have, want, side, stride, dilation in zip(before, after, self._kernel, strides, dilations, strict=True):
            total = max((want - 1) * stride + (side - 1) * dilation + 1 - have, 0)
            less, more = total // 2, total - total // 2
            found.append((less, more) if kind == "SAME_UPPER" else (more, less))
        return found

    def _chosen(self, sides: Sequence[int], picture: int) -> Array:
        count = int(np.prod(sides))
        if count <= self._each:
            return np.arange(count)
        return np.sort(np.random.default_rng(picture).choice(count, self._each, replace=False))
