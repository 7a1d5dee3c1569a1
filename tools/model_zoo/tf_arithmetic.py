"""TensorFlow's operations on every element, and sums and maxima over axes."""

from __future__ import annotations

from functools import partial

import numpy as np
from onnx import helper

from model_zoo.errors import ConversionError
from model_zoo.graph import Tensor
from model_zoo.tf_graph import TO_FIRST, Converter, Laid, Op


def together(op: Op, *values: Laid) -> tuple[list[Tensor], bool]:
    """Values in one order of their axes so that they broadcast as in TensorFlow, and whether that is channels first.

    Channels come first where a value already has them so and the others follow without cost.
    """
    follow = all(value.is_first or value.value is not None or len(value.shape) == 4 for value in values)
    if not (follow and any(value.is_first for value in values)):
        return [value.last for value in values], False
    return [value.first if len(value.shape) == 4 else _widened(op, value) for value in values], True


def _widened(op: Op, value: Laid) -> Tensor:
    array = value.known()
    wide = array.reshape((1,) * (4 - array.ndim) + array.shape)
    return op.graph.constant(wide.transpose(TO_FIRST)) if array.ndim else value.last


def _placed(op: Op, tensor: Tensor, first: bool) -> Laid:
    return op.first(tensor) if first else op.last(tensor)


def _elementwise(op: Op, operator: str) -> Laid:
    tensors, first = together(op, *op.inputs)
    return _placed(op, op.graph.add(operator, *tensors), first)


def _relu6(op: Op) -> Laid:
    tensors, first = together(op, *op.inputs)
    limits = (op.graph.constant(np.float32(limit)) for limit in (0, 6))
    return _placed(op, op.graph.add("Clip", *tensors, *limits), first)


def _add_n(op: Op) -> Laid:
    tensors, first = together(op, *op.inputs)
    total = tensors[0]
    for tensor in tensors[1:]:
        total = op.graph.add("Add", total, tensor)
    return _placed(op, total, first)


def _squared_difference(op: Op) -> Laid:
    tensors, first = together(op, *op.inputs)
    difference = op.graph.add("Sub", *tensors)
    return _placed(op, op.graph.add("Mul", difference, difference), first)


def _floor_div(op: Op) -> Laid:
    (a, b), first = together(op, *op.inputs)
    if np.issubdtype(a.dtype, np.integer):  # ONNX rounds whole numbers towards zero
        return _placed(op, op.graph.add("Div", op.graph.add("Sub", a, op.graph.add("Mod", a, b)), b), first)
    return _placed(op, op.graph.add("Floor", op.graph.add("Div", a, b)), first)


def _floor_mod(op: Op) -> Laid:
    (a, b), first = together(op, *op.inputs)
    if np.issubdtype(a.dtype, np.integer):
        return _placed(op, op.graph.add("Mod", a, b), first)
    floor = op.graph.add("Floor", op.graph.add("Div", a, b))
    return _placed(op, op.graph.add("Sub", a, op.graph.add("Mul", floor, b)), first)


def _cast(op: Op) -> Laid:
    tensors, first = together(op, *op.inputs)
    kind = helper.np_dtype_to_tensor_dtype(op.type("DstT"))
    return _placed(op, op.graph.add("Cast", *tensors, to=kind), first)


def _rsqrt(op: Op) -> Laid:
    tensors, first = together(op, *op.inputs)
    return _placed(op, op.graph.add("Reciprocal", op.graph.add("Sqrt", *tensors)), first)


def _select(op: Op) -> Laid:
    condition, *values = op.inputs
    if len(condition.shape) == 1 and len(values[0].shape) > 1:  # it chooses rows
        rows = (condition.shape[0], *(1 for _ in values[0].shape[1:]))
        condition = op.last(op.graph.add("Reshape", condition.last, op.graph.constant(rows, np.int64)))
    tensors, first = together(op, condition, *values)
    return _placed(op, op.graph.add("Where", *tensors), first)


def _reduce(op: Op, operator: str) -> Laid:
    value, axes = op.inputs
    rank, keep = len(value.shape), op.flag("keep_dims")
    chosen = sorted(int(axis) % rank for axis in np.atleast_1d(axes.known()))
    if value.is_first and keep and chosen == [1, 2]:
        if operator == "ReduceMean":
            return op.first(op.graph.add("GlobalAveragePool", value.first))
        chosen, first = [2, 3], True
    else:
        first = False
    source = value.first if first else value.last
    if operator == "ReduceSum":  # the first to take its axes as an input
        tensor = op.graph.add(operator, source, op.graph.constant(chosen, np.int64), keepdims=int(keep))
    else:
        tensor = op.graph.add(operator, source, axes=chosen, keepdims=int(keep))
    return _placed(op, tensor, first)


def _arg_max(op: Op) -> Laid:
    value, axis = op.inputs
    found = op.graph.add("ArgMax", value.last, axis=int(axis.known()) % len(value.shape), keepdims=0)
    return op.last(op.graph.add("Cast", found, to=helper.np_dtype_to_tensor_dtype(op.type("output_type"))))


def _top_k(op: Op) -> list[Laid]:
    value, count = op.inputs
    wanted = op.graph.constant([int(count.known())], np.int64)
    scores, places = op.graph.add_many("TopK", 2, value.last, wanted, sorted=int(op.flag("sorted")))
    return [
        op.last(scores),
        op.last(op.graph.add("Cast", places, to=helper.np_dtype_to_tensor_dtype(np.dtype(np.int32)))),
    ]


def activated(op: Op, tensor: Tensor, functions: list[str]) -> Tensor:
    """A tensor after the functions that TensorFlow fused into the operation before them.

    Raises:
        ConversionError: a function that is not known.
    """
    for function in functions:
        if function == "Relu6":
            tensor = op.graph.add("Clip", tensor, *(op.graph.constant(np.float32(limit)) for limit in (0, 6)))
        elif function in ("Relu", "Sigmoid", "Elu"):
            tensor = op.graph.add(function, tensor)
        else:
            raise ConversionError(f"there is no converter for a fused {function}")
    return tensor


SAME_ELSEWHERE = {
    "Abs": "Abs",
    "Add": "Add",
    "AddV2": "Add",
    "BiasAdd": "Add",
    "Equal": "Equal",
    "Exp": "Exp",
    "Greater": "Greater",
    "GreaterEqual": "GreaterOrEqual",
    "Less": "Less",
    "LogicalAnd": "And",
    "Maximum": "Max",
    "Minimum": "Min",
    "Mul": "Mul",
    "RealDiv": "Div",
    "Reciprocal": "Reciprocal",
    "Relu": "Relu",
    "Sigmoid": "Sigmoid",
    "Sub": "Sub",
}
"""TensorFlow's name of an operation on every element, and ONNX's."""

CONVERTERS: dict[str, Converter] = {
    **{kind: partial(_elementwise, operator=operator) for kind, operator in SAME_ELSEWHERE.items()},
    "AddN": _add_n,
    "ArgMax": _arg_max,
    "Cast": _cast,
    "FloorDiv": _floor_div,
    "FloorMod": _floor_mod,
    "Identity": lambda op: op.inputs[0],
    "Max": partial(_reduce, operator="ReduceMax"),
    "Mean": partial(_reduce, operator="ReduceMean"),
    "Relu6": _relu6,
    "Rsqrt": _rsqrt,
    "Select": _select,
    "SquaredDifference": _squared_difference,
    "Sum": partial(_reduce, operator="ReduceSum"),
    "TopKV2": _top_k,
}
