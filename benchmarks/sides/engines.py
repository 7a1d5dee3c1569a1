"""Models that take batches, and ONNX Runtime that runs them on one thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

WIDTH = 2048
_SEED = 20


class Engine:
    """A session whose first input and first output have the batch as first dimension.

    Args:
        path: an ONNX file.
        most: items in a batch at most.
    """

    def __init__(self, path: str, most: int) -> None:
        options = onnxruntime.SessionOptions()
        # The other core is for whoever sends the items.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        given = self._session.get_inputs()[0]
        self.shape = tuple(given.shape[1:])
        self._name, self._outputs = given.name, [self._session.get_outputs()[0].name]
        self._batch = np.zeros((most, *self.shape), np.float32)

    def item(self) -> Any:
        """Something to run, float32 of `shape`."""
        return np.random.default_rng(_SEED).random(self.shape, np.float32)

    def run(self, items: Sequence[Any]) -> Any:
        """The outputs (N, ...) of N items."""
        batch = self._batch[: len(items)]
        for place, item in zip(batch, items, strict=True):
            place[...] = item
        return self._session.run(self._outputs, {self._name: batch})[0]


def layers_model(path: Path, width: int, layers: int) -> None:
    """Write a chain of matrix products whose time goes into fetching weights: what batching is for.

    Args:
        path: of the file; one that is there stays as it is.
        width: of each layer; the model takes (n, width) float32 and gives as much.
        layers: how many.
    """
    if path.exists():
        return
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(_SEED)
    names = ["x0", *(f"x{number}" for number in range(1, layers + 1))]
    weights = [
        numpy_helper.from_array((random.standard_normal((width, width)) / width**0.5).astype(np.float32), f"w{number}")
        for number in range(layers)
    ]
    nodes = [helper.make_node("MatMul", [names[i], f"w{i}"], [names[i + 1]]) for i in range(layers)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width]) for name in (names[0], names[-1])]
    graph = helper.make_graph(nodes, "layers", ends[:1], ends[1:], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))


def batched_model(source: Path, path: Path) -> None:
    """Write a model with a batch of any size where the given one has a batch of 1.

    Args:
        source: an ONNX file whose inputs and outputs begin with 1, as do the constants that it reshapes to.
        path: of the new file; one that is there stays as it is.
    """
    if path.exists():
        return
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(source))
    for end in [*model.graph.input, *model.graph.output]:
        end.type.tensor_type.shape.dim[0].dim_param = "n"
    targets = {node.input[1] for node in model.graph.node if node.op_type == "Reshape"}
    for constant in model.graph.initializer:
        if constant.name in targets:
            shape = numpy_helper.to_array(constant).copy()
            shape[0] = 0  # as the input has it
            constant.CopyFrom(numpy_helper.from_array(shape, constant.name))
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
