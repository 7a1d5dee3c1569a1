"""TensorFlow's convolutions, poolings and resizing: all with the channels first in ONNX."""

from __future__ import annotations

from functools import partial

import numpy as np

from model_zoo.errors import ConversionError
from model_zoo.graph import Pads, Tensor, same_pads
from model_zoo.tf_arithmetic import activated
from model_zoo.tf_graph import Converter, Laid, Op


def _conv(op: Op, *, depthwise: bool) -> Laid:
    picture, kernel, *extra = op.inputs
    weight = kernel.known()  # height, width, channels in, channels out (or per channel)
    height, width, channels, _ = weight.shape
    if channels != picture.shape[3]:
        raise ConversionError(f"{channels} channels are wanted, there are {picture.shape[3]}")
    dilations = op.integers("dilations")[1:3] or [1, 1]
    reach = ((height - 1) * dilations[0] + 1, (width - 1) * dilations[1] + 1)
    laid = weight.transpose(2, 3, 0, 1).reshape(-1, 1, height, width) if depthwise else weight.transpose(3, 2, 0, 1)
    functions = op.texts("fused_ops")
    biased = functions[:1] == ["BiasAdd"]
    bias = [op.graph.constant(extra[0].known())] if biased else []
    tensor = op.graph.add(
        "Conv",
        picture.first,
        op.graph.constant(laid),
        *bias,
        strides=_strides(op),
        dilations=dilations,
        pads=_pads(op, picture, reach),
        group=channels if depthwise else 1,
    )
    return op.first(activated(op, tensor, functions[biased:]))


def _norm(op: Op) -> Laid:
    picture, *numbers = op.inputs
    if op.flag("is_training", True):
        raise ConversionError("it is in training")
    epsilon = op.number("epsilon", 1e-4)
    constants = (op.graph.constant(number.known()) for number in numbers)
    return op.first(op.graph.add("BatchNormalization", picture.first, *constants, epsilon=epsilon))


def _conv_transposed(op: Op) -> Laid:
    size, kernel, picture = op.inputs
    weight = kernel.known()  # height, width, channels out, channels in
    height, width = weight.shape[:2]
    strides = _strides(op)
    wanted = tuple(int(number) for number in size.known()[1:3])
    if op.text("padding") == "SAME":
        pads: Pads = same_pads((wanted[0], wanted[1]), (height, width), (strides[0], strides[1]))
    else:
        pads = (0, 0, 0, 0)
    tensor = op.graph.add(
        "ConvTranspose",
        picture.first,
        op.graph.constant(weight.transpose(3, 2, 0, 1)),
        strides=strides,
        pads=pads,
    )
    if tensor.sizes()[2:] != wanted:
        raise ConversionError(f"it gives {tensor.sizes()[2:]} where {wanted} is wanted")
    return op.first(tensor)


def _pool(op: Op, operator: str) -> Laid:
    (picture,) = op.inputs
    kernel = op.integers("ksize")[1:3]
    pads = _pads(op, picture, (kernel[0], kernel[1]))
    return op.first(op.graph.add(operator, picture.first, kernel_shape=kernel, strides=_strides(op), pads=pads))


def _resize(op: Op) -> Laid:
    picture, size = op.inputs
    if op.flag("align_corners"):
        corners = "align_corners"
    else:
        corners = "half_pixel" if op.flag("half_pixel_centers") else "asymmetric"
    before = picture.shape
    after = [int(number) for number in size.known()]
    scales = np.array([1, 1, after[0] / before[1], after[1] / before[2]], np.float32)
    tensor = _resized(op, picture.first, scales, corners)
    if list(tensor.sizes()[2:]) != after:
        raise ConversionError(f"it gives {tensor.sizes()[2:]} where {after} is wanted")
    return op.first(tensor)


def _resized(op: Op, picture: Tensor, scales: np.ndarray, corners: str) -> Tensor:
    region = op.graph.constant(np.zeros(0, np.float32))
    factors = op.graph.constant(scales)
    return op.graph.add("Resize", picture, region, factors, mode="linear", coordinate_transformation_mode=corners)


def _strides(op: Op) -> list[int]:
    return op.integers("strides")[1:3]


def _pads(op: Op, picture: Laid, reach: tuple[int, int]) -> Pads:
    padding = op.text("padding")
    if padding == "VALID":
        return (0, 0, 0, 0)
    if padding != "SAME":
        raise ConversionError(f"there is no converter for the padding {padding}")
    _, height, width, _ = picture.shape
    strides = _strides(op)
    return same_pads((height, width), reach, (strides[0], strides[1]))


CONVERTERS: dict[str, Converter] = {
    "AvgPool": partial(_pool, operator="AveragePool"),
    "Conv2D": partial(_conv, depthwise=False),
    "Conv2DBackpropInput": _conv_transposed,
    "DepthwiseConv2dNative": partial(_conv, depthwise=True),
    "FusedDepthwiseConv2dNative": partial(_conv, depthwise=True),
    "FusedBatchNorm": _norm,
    "FusedBatchNormV3": _norm,
    "MaxPool": partial(_pool, operator="MaxPool"),
    "ResizeBilinear": _resize,
    "_FusedConv2D": partial(_conv, depthwise=False),
}
