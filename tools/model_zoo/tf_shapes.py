"""TensorFlow's operations that move elements: slices, stacks, look-ups and new shapes."""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType

import numpy as np
from onnx import helper

from model_zoo.errors import ConversionError
from model_zoo.graph import Tensor
from model_zoo.tf_arithmetic import together
from model_zoo.tf_graph import Converter, Laid, Op

Part = slice | int | None | EllipsisType
INT64 = helper.np_dtype_to_tensor_dtype(np.dtype(np.int64))
CHANNELS_FIRST = (0, 2, 3, 1)  # where each axis of TensorFlow's lies


def _reshape(op: Op) -> Laid:
    value, shape = op.inputs
    return op.last(op.graph.add("Reshape", value.last, op.graph.constant(shape.known(), np.int64)))


def _shaped(op: Op, tensor: Tensor, shape: Sequence[int]) -> Laid:
    if tensor.sizes() == tuple(shape):
        return op.last(tensor)
    return op.last(op.graph.add("Reshape", tensor, op.graph.constant(shape, np.int64)))


def _expand_dims(op: Op) -> Laid:
    value, axis = op.inputs
    shape = list(value.shape)
    place = int(axis.known())
    shape.insert(place if place >= 0 else place + len(shape) + 1, 1)
    return _shaped(op, value.last, shape)


def _squeeze(op: Op) -> Laid:
    (value,) = op.inputs
    rank = len(value.shape)
    axes = [axis % rank for axis in op.integers("squeeze_dims")]
    shape = [size for axis, size in enumerate(value.shape) if not (axis in axes if axes else size == 1)]
    return _shaped(op, value.last, shape)


def _concat(op: Op) -> Laid:
    *values, axis = op.inputs
    place = int(axis.known()) % len(values[0].shape)
    tensors, first = together(op, *values)
    joined = op.graph.add("Concat", *tensors, axis=CHANNELS_FIRST[place] if first else place)
    return op.first(joined) if first else op.last(joined)


def _pack(op: Op) -> Laid:
    place = op.integer("axis") % (len(op.inputs[0].shape) + 1)
    axes = op.graph.constant([place], np.int64)
    return op.last(op.graph.add("Concat", *(op.graph.add("Unsqueeze", v.last, axes) for v in op.inputs), axis=place))


def _unpack(op: Op) -> list[Laid]:
    (value,) = op.inputs
    place = op.integer("axis") % len(value.shape)
    numbers = range(value.shape[place])
    return [
        op.last(op.graph.add("Gather", value.last, op.graph.constant(number, np.int64), axis=place))
        for number in numbers
    ]


def _split(op: Op) -> list[Laid]:
    axis, value = op.inputs
    place, parts = int(axis.known()) % len(value.shape), op.integer("num_split")
    sizes = op.graph.constant([value.shape[place] // parts] * parts, np.int64)
    return [op.last(part) for part in op.graph.add_many("Split", parts, value.last, sizes, axis=place)]


def _strided_slice(op: Op) -> Laid:
    value, *limits = op.inputs
    parts = _parts(op, *(limit.known().tolist() for limit in limits))
    shape = np.broadcast_to(np.int8(0), value.shape)[tuple(parts)].shape
    if 0 in shape:
        raise ConversionError("nothing is left of it")
    starts, ends, axes, steps = [], [], [], []
    for axis, part in enumerate(_of_each_axis(parts, len(value.shape))):
        begin, end, step = part.indices(value.shape[axis])
        if (begin, end, step) != (0, value.shape[axis], 1):
            starts.append(begin)
            ends.append(end if end >= 0 else -value.shape[axis] - 1)  # backwards to the very first
            axes.append(axis)
            steps.append(step)
    tensor = value.last
    if axes:
        tensor = op.graph.add("Slice", tensor, *(op.graph.constant(n, np.int64) for n in (starts, ends, axes, steps)))
    return _shaped(op, tensor, shape)


def _parts(op: Op, begins: list[int], ends: list[int], steps: list[int]) -> list[Part]:
    """The slice as NumPy has it."""

    def masked(name: str, place: int) -> bool:
        return bool(op.integer(f"{name}_mask") >> place & 1)

    parts: list[Part] = []
    for place, (begin, end, step) in enumerate(zip(begins, ends, steps, strict=True)):
        if masked("ellipsis", place):
            parts.append(...)
        elif masked("new_axis", place):
            parts.append(None)
        elif masked("shrink_axis", place):
            parts.append(begin)
        else:
            first, last = masked("begin", place), masked("end", place)
            parts.append(slice(None if first else begin, None if last else end, step))
    return parts


def _of_each_axis(parts: Sequence[Part], rank: int) -> list[slice]:
    """One slice for each axis of what is sliced."""
    present = [part for part in parts if part is not None]
    missing = rank - len([part for part in present if part is not ...])
    slices: list[slice] = []
    for part in present:
        if part is ...:
            slices += [slice(None)] * missing
        elif isinstance(part, int):
            slices.append(slice(part, part + 1 or None))
        else:
            slices.append(part)
    return slices + [slice(None)] * (rank - len(slices))


def _shape(op: Op) -> Laid:
    return op.last(op.graph.constant(op.inputs[0].shape, op.type("out_type")))


def _size(op: Op) -> Laid:
    return op.last(op.graph.constant(np.prod(op.inputs[0].shape), op.type("out_type")))


def _range(op: Op) -> Laid:
    start, limit, step = (value.known() for value in op.inputs)
    return op.last(op.graph.constant(np.arange(start, limit, step), start.dtype))


def _fill(op: Op) -> Laid:
    shape, value = (value.known() for value in op.inputs)
    return op.last(op.graph.constant(np.full(shape, value), value.dtype))


def _tile(op: Op) -> Laid:
    value, times = op.inputs
    return op.last(op.graph.add("Tile", value.last, op.graph.constant(times.known(), np.int64)))


def _gather(op: Op) -> Laid:
    value, places, axis = op.inputs
    if op.integer("batch_dims"):
        raise ConversionError("there is no converter for batch_dims")
    return op.last(op.graph.add("Gather", value.last, places.last, axis=int(axis.known()) % len(value.shape)))


def _gather_nd(op: Op) -> Laid:
    value, places = op.inputs
    return op.last(op.graph.add("GatherND", value.last, op.graph.add("Cast", places.last, to=INT64)))


CONVERTERS: dict[str, Converter] = {
    "ConcatV2": _concat,
    "ExpandDims": _expand_dims,
    "Fill": _fill,
    "GatherNd": _gather_nd,
    "GatherV2": _gather,
    "Pack": _pack,
    "Range": _range,
    "Reshape": _reshape,
    "Shape": _shape,
    "Size": _size,
    "Split": _split,
    "Squeeze": _squeeze,
    "StridedSlice": _strided_slice,
    "Tile": _tile,
    "Unpack": _unpack,
}
