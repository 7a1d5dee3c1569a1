"""What one inference of an ONNX model costs, counted from its graph.

Written by hand because it is short: `onnx` infers the shapes, and four kinds of operators make up the work. The
libraries that count (onnx-tool and others) bring a shape inference of their own, which would have to agree with it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_ai.core.errors import ModelError
from edge_ai.optimization.onnx_graph import library
from edge_ai.platforms.workload import Workload

Shape = tuple[int, ...]

_WEIGHT = {"Conv": 1, "ConvInteger": 1, "QLinearConv": 3}
_MATRICES = {"MatMul": (0, 1), "MatMulInteger": (0, 1), "QLinearMatMul": (0, 3), "Gemm": (0, 1)}
COUNTED = (*_WEIGHT, "ConvTranspose", *_MATRICES)
"""Operators that are counted; all others are cheap beside them, or fused into them by TensorRT."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What an inference costs at the model's own input size, batch 1.

    Attributes:
        flops: operations, a multiply-accumulate counting 2.
        weights: numbers in initializers and constants.
        activations: numbers that the counted operators write.
        operators: how many of each counted kind there are.
        left_out: nodes whose operations could not be counted: of other domains, or inside loops and branches.
        size: (width, height) of the image input; (1, 1) where no input has four dimensions.
    """

    flops: int
    weights: int
    activations: int
    operators: Mapping[str, int]
    left_out: tuple[str, ...]
    size: tuple[int, int]

    def workload(self, name: str) -> Workload:
        """The same as the prediction of speed takes it.

        Raises:
            ModelError: nothing was counted.
        """
        if not self.flops:
            raise ModelError(f"model '{name}'", got="no operator that could be counted", wanted=", ".join(COUNTED))
        count = sum(self.operators.values())
        return Workload(name, self.flops * 1e-9, max(self.weights, 1), self.activations, count, self.size)


def count(path: Path | str, size: tuple[int, int] | None = None) -> Cost:
    """Count what one inference of an ONNX model costs.

    Args:
        path: the model; weights in files of their own need not be there.
        size: (width, height) where the model leaves them open; ignored where it does not.

    Raises:
        ModelError: no such file, not an ONNX model, or the shapes of what is to be counted cannot be inferred.
        EdgeAIError: `onnx` is not installed.
    """
    onnx = library()
    try:
        model = onnx.load(str(path), load_external_data=False)
    except OSError as error:
        raise ModelError(f"model '{path}'", got=error.strerror, wanted="a readable file") from None
    except Exception as error:  # protobuf raises its own kinds, which differ by its release
        got = f"{type(error).__name__}: {error}"
        raise ModelError(f"model '{path}'", got=got, wanted="an ONNX model", mend="export it again") from None
    image = close_shapes(model.graph, size, path)
    try:
        graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception as error:  # likewise
        raise ModelError(f"model '{path}'", got=f"shapes that contradict each other ({error})") from None
    return _Counter(graph, path).cost(image)


class _Counter:
    """Goes through one graph."""

    def __init__(self, graph: Any, path: Path | str) -> None:
        self._graph, self._path = graph, path
        self._shapes = _shapes(graph)

    def cost(self, size: tuple[int, int]) -> Cost:
        flops = activations = 0
        operators: dict[str, int] = {}
        left_out = []
        for node in self._graph.node:
            if node.domain not in ("", "ai.onnx") or node.op_type in ("Loop", "If", "Scan"):
                left_out.append(f"{node.name or node.output[0]} ({node.op_type})")
            elif node.op_type in COUNTED:
                flops += 2 * self._multiplications(node)
                activations += math.prod(self._shape(node, node.output[0]))
                operators[node.op_type] = operators.get(node.op_type, 0) + 1
        return Cost(flops, self._weights(), activations, operators, tuple(left_out), size)

    def _multiplications(self, node: Any) -> int:
        """A number of a convolution's output takes (C_in / groups) x kernel, of a matrix product's the inner side."""
        if node.op_type == "ConvTranspose":  # each number of the input goes into (C_out / groups) x kernel
            return math.prod(self._shape(node, node.input[0])) * math.prod(self._shape(node, node.input[1])[1:])
        out = math.prod(self._shape(node, node.output[0]))
        if node.op_type in _WEIGHT:
            return out * math.prod(self._shape(node, node.input[_WEIGHT[node.op_type]])[1:])
        left = self._shape(node, node.input[_MATRICES[node.op_type][0]])
        transposed = any(a.name == "transA" and a.i for a in node.attribute)
        return out * left[0 if transposed else -1]

    def _weights(self) -> int:
        constants = [a.t for n in self._graph.node if n.op_type == "Constant" for a in n.attribute if a.name == "value"]
        return sum(math.prod(tensor.dims) for tensor in (*self._graph.initializer, *constants))

    def _shape(self, node: Any, name: str) -> Shape:
        if name not in self._shapes:
            mend = "give its input size, or write the shapes into it: python3 -m onnxsim in.onnx out.onnx"
            got = f"no shape of '{name}' at {node.op_type} '{node.name}'"
            raise ModelError(f"model '{self._path}'", got=got, wanted="shapes that can be inferred", mend=mend)
        return self._shapes[name]


def close_shapes(graph: Any, size: tuple[int, int] | None, path: Path | str) -> tuple[int, int]:
    """Give open dimensions of the inputs a value, batch 1, and say how large the image input is."""
    known = {tensor.name for tensor in graph.initializer}
    image = (1, 1)
    for value in graph.input:
        dims = value.type.tensor_type.shape.dim
        if value.name in known or not dims:
            continue
        if dims[0].dim_value < 1:
            dims[0].dim_value = 1
        if len(dims) == 4:
            image = _close_image(dims, size, f"model '{path}': input '{value.name}'")
        elif any(dim.dim_value < 1 for dim in dims):
            raise ModelError(f"model '{path}': input '{value.name}'", got="open dimensions", wanted="fixed ones")
    return image


def _close_image(dims: Any, size: tuple[int, int] | None, what: str) -> tuple[int, int]:
    """NHWC where the last dimension is that of colours, else NCHW."""
    row = 1 if dims[3].dim_value in (1, 3, 4) and dims[1].dim_value not in (1, 3, 4) else 2
    if dims[3 if row == 1 else 1].dim_value < 1:
        raise ModelError(what, got="an open number of channels", wanted="a fixed one")
    for index, side in ((row, 1), (row + 1, 0)):
        if dims[index].dim_value < 1:
            if size is None:
                raise ModelError(what, got="open width or height", wanted="fixed ones, or a size to count for")
            dims[index].dim_value = size[side]
    return int(dims[row + 1].dim_value), int(dims[row].dim_value)


def _shapes(graph: Any) -> dict[str, Shape]:
    """Every tensor whose shape is known to the last number."""
    found: dict[str, Shape] = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        dims = value.type.tensor_type.shape.dim
        if value.type.tensor_type.HasField("shape") and all(dim.HasField("dim_value") for dim in dims):
            found[value.name] = tuple(int(dim.dim_value) for dim in dims)
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.name == "value":
                found[node.output[0]] = tuple(attribute.t.dims)
    return found
