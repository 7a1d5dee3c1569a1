"""An ONNX graph as pruning reads and edits it."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]


class Graph:
    """Nodes, shapes and constants of a model that is edited in place.

    Args:
        model: an onnx.ModelProto whose shapes are fixed but for the batch.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        _constants_to_initializers(model.graph)
        self._tensors = {tensor.name: tensor for tensor in model.graph.initializer}
        _drop_constant_inputs(model.graph, self._tensors)
        self._values: dict[str, Array] = {}
        self._separate_biases()
        self.shapes = shapes_of(model)
        self.opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 1)

    @property
    def nodes(self) -> Sequence[Any]:
        return list(self.model.graph.node)

    @property
    def inputs(self) -> list[str]:
        return [value.name for value in self.model.graph.input]

    @property
    def outputs(self) -> list[str]:
        return [value.name for value in self.model.graph.output]

    @property
    def constants(self) -> list[str]:
        """The names of its initializers."""
        return list(self._tensors)

    def value(self, name: str) -> Array | None:
        """A constant; None where it is none."""
        from onnx import numpy_helper

        if name not in self._values and name in self._tensors:
            self._values[name] = numpy_helper.to_array(self._tensors[name])
        return self._values.get(name)

    def set_value(self, name: str, array: Array) -> None:
        """Give a constant another value."""
        from onnx import numpy_helper

        self._tensors[name].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(array), name))
        self._values[name] = array

    def set_input(self, node: Any, index: int, array: Array) -> None:
        """Give a node a constant of its own as an input."""
        name = f"{node.output[0]}__pruned_{index}"
        while len(node.input) <= index:
            node.input.append("")
        if name not in self._tensors:
            self._tensors[name] = self.model.graph.initializer.add(name=name)
        self.set_value(name, array)
        node.input[index] = name

    def parameter(self, node: Any, name: str, index: int) -> list[Any] | None:
        """What older opsets have as an attribute and newer ones as an input; None: not given or not constant."""
        found = attribute(node, name)
        if found is None and len(node.input) > index:
            value = self.value(node.input[index])
            found = None if value is None else value.reshape(-1).tolist()
        return found if found is None or isinstance(found, list) else [found]

    def is_computed(self, node: Any, index: int) -> bool:
        """Whether an input is given that is no constant."""
        return len(node.input) > index and bool(node.input[index]) and self.value(node.input[index]) is None

    def drop_unused(self) -> None:
        """Remove nodes that reach no output, and constants that nobody reads."""
        graph = self.model.graph
        needed = set(self.outputs)
        for place in reversed(range(len(graph.node))):  # in place: layers hold on to their nodes
            node = graph.node[place]
            if needed.intersection(node.output):
                needed.update(node.input, captured(node))
            else:
                del graph.node[place]
        for place in reversed(range(len(graph.initializer))):
            if graph.initializer[place].name not in needed:
                del graph.initializer[place]
        self._tensors = {tensor.name: tensor for tensor in graph.initializer}

    def _separate_biases(self) -> None:
        """A vector that several nodes read, often zeros, must not tie their channels together."""
        uses = Counter(name for node in self.nodes for name in (*node.input, *captured(node)))
        for node in self.nodes:
            for index, name in enumerate(node.input):
                tensor = self._tensors.get(name)
                if tensor is not None and uses[name] > 1 and len(tensor.dims) == 1 and node.op_type in _WITH_VECTORS:
                    uses[name] -= 1
                    self.set_input(node, index, self.value(name))  # type: ignore[arg-type]


_WITH_VECTORS = ("Conv", "ConvTranspose", "Gemm", "BatchNormalization", "InstanceNormalization", "Add", "Mul", "PRelu")


def attribute(node: Any, name: str, default: Any = None) -> Any:
    """The value of a node's attribute."""
    from onnx import helper

    for entry in node.attribute:
        if entry.name == name:
            value = helper.get_attribute_value(entry)
            return value.decode() if isinstance(value, bytes) else value
    return default


def set_attribute(node: Any, name: str, value: Any) -> None:
    """Give a node's attribute a value; None removes it."""
    from onnx import helper

    others = [entry for entry in node.attribute if entry.name != name]
    copies = [type(entry).FromString(entry.SerializeToString()) for entry in others]
    node.ClearField("attribute")
    node.attribute.extend(copies)
    if value is not None:
        node.attribute.append(helper.make_attribute(name, value))


def title(node: Any) -> str:
    """What a node is called: its name, else its first output."""
    return str(node.name or node.output[0])


def captured(node: Any) -> set[str]:
    """Every name that is read inside a node's branches and loops."""
    bodies = [a.g for a in node.attribute if a.HasField("g")] + [g for a in node.attribute for g in a.graphs]
    inner = [child for body in bodies for child in body.node]
    names = {name for child in inner for name in child.input} | {v.name for body in bodies for v in body.output}
    return names.union(*(captured(child) for child in inner))


def shapes_of(model: Any) -> dict[str, Shape]:
    """Every tensor whose shape is known once an open batch is 1."""
    import onnx

    copy = onnx.ModelProto.FromString(model.SerializeToString())
    copy.graph.ClearField("value_info")
    for value in copy.graph.input:
        dims = value.type.tensor_type.shape.dim
        if dims and dims[0].dim_value < 1:
            dims[0].dim_value = 1
    for value in copy.graph.output:
        value.type.tensor_type.ClearField("shape")
    graph = onnx.shape_inference.infer_shapes(copy, data_prop=True).graph
    found: dict[str, Shape] = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        dims = value.type.tensor_type.shape.dim
        if value.type.tensor_type.HasField("shape") and all(dim.HasField("dim_value") for dim in dims):
            found[value.name] = tuple(int(dim.dim_value) for dim in dims)
    return found


def simplified(model: Any) -> Any:
    """The model with constants computed and normalisations folded into convolutions, by ONNX Runtime.

    Shapes that are computed from constants become constants, so that channels can be followed through them. A model
    that ONNX Runtime cannot load, or would write with operators of its own, comes back as it is.
    """
    import onnx
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "simplified.onnx"
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(target)
        options.log_severity_level = 4
        try:
            onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
            result = onnx.load(str(target))
        except Exception:  # its bindings raise many kinds, and what it cannot do is no fault of the model
            return model
    domains = {node.domain for node in result.graph.node}
    if domains - {node.domain for node in model.graph.node} - {""}:
        return model
    imports = [opset for opset in result.opset_import if opset.domain in domains | {""}]
    simple = onnx.ModelProto.FromString(model.SerializeToString())  # for what it says of itself
    simple.graph.CopyFrom(result.graph)
    simple.graph.name = model.graph.name
    del simple.opset_import[:]
    simple.opset_import.extend(imports)
    return simple


def _constants_to_initializers(graph: Any) -> None:
    from onnx import numpy_helper

    rest = []
    for node in graph.node:
        value = _constant(node) if node.op_type == "Constant" else None
        if value is None:
            rest.append(type(node).FromString(node.SerializeToString()))
        else:
            graph.initializer.append(numpy_helper.from_array(value, node.output[0]))
    graph.ClearField("node")
    graph.node.extend(rest)


def _constant(node: Any) -> Array | None:
    from onnx import numpy_helper

    for entry in node.attribute:
        if entry.name == "value":
            return np.asarray(numpy_helper.to_array(entry.t))
        if entry.name in ("value_float", "value_floats"):
            return np.array(attribute(node, entry.name), np.float32)
        if entry.name in ("value_int", "value_ints"):
            return np.array(attribute(node, entry.name), np.int64)
    return None


def _drop_constant_inputs(graph: Any, tensors: dict[str, Any]) -> None:
    """Old files list their weights among the inputs, where a caller could replace them by ones of the old shape."""
    kept = [type(v).FromString(v.SerializeToString()) for v in graph.input if v.name not in tensors]
    graph.ClearField("input")
    graph.input.extend(kept)
