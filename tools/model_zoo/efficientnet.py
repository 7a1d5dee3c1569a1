"""EfficientNet-Lite0 as a graph, after the architecture its authors published; the weights from a checkpoint.

EfficientNet-B0's blocks (arXiv 1905.11946, table 1) without squeeze-and-excitation, and ReLU6 for swish.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx

from model_zoo.arrays import Array
from model_zoo.errors import ConversionError
from model_zoo.graph import Graph, Tensor, same_pads

SIZE = 224  # pixels
EPSILON = 1e-3  # of the batch normalisations


@dataclass(frozen=True)
class Stage:
    """Blocks that follow each other: the first one changes the size and the channels."""

    blocks: int
    kernel: int
    stride: int
    expand: int


STAGES = (
    Stage(1, 3, 1, 1),
    Stage(2, 3, 2, 6),
    Stage(2, 5, 2, 6),
    Stage(3, 3, 2, 6),
    Stage(3, 5, 1, 6),
    Stage(4, 5, 2, 6),
    Stage(1, 3, 1, 6),
)


def lite0(weights: Mapping[str, Array]) -> onnx.ModelProto:
    """The model: `images` float32 ["batch", 3, 224, 224] to `logits` float32 ["batch", 1000].

    Raises:
        ConversionError: a weight is missing or of another shape.
    """
    graph = Graph()
    layers = _Layers(graph, weights)
    images = graph.input("images", np.float32, ("batch", 3, SIZE, SIZE))
    x = layers.relu6(layers.conv(images, "_conv_stem", "_bn0", stride=2))
    number = 0
    for stage in STAGES:
        for block in range(stage.blocks):
            x = _block(layers, x, f"_blocks.{number}", stage.expand, stage.stride if block == 0 else 1)
            number += 1
    x = layers.relu6(layers.conv(x, "_conv_head", "_bn1"))
    x = graph.add("Flatten", graph.add("GlobalAveragePool", x))
    logits = graph.add("Gemm", x, layers.weight("_fc.weight"), layers.weight("_fc.bias"), transB=1)
    return graph.model({"logits": logits}, "efficientnet_lite0")


def _block(layers: _Layers, x: Tensor, name: str, expand: int, stride: int) -> Tensor:
    y = x
    if expand != 1:
        y = layers.relu6(layers.conv(y, f"{name}._expand_conv", f"{name}._bn0"))
    y = layers.relu6(layers.conv(y, f"{name}._depthwise_conv", f"{name}._bn1", stride=stride, depthwise=True))
    y = layers.conv(y, f"{name}._project_conv", f"{name}._bn2")
    return layers.graph.add("Add", x, y) if stride == 1 and x.shape == y.shape else y


class _Layers:
    def __init__(self, graph: Graph, weights: Mapping[str, Array]) -> None:
        self.graph, self._weights = graph, weights

    def weight(self, name: str) -> Tensor:
        return self.graph.constant(self._array(name))

    def relu6(self, x: Tensor) -> Tensor:
        return self.graph.add("Clip", x, self.graph.constant(np.float32(0)), self.graph.constant(np.float32(6)))

    def conv(self, x: Tensor, conv: str, norm: str, *, stride: int = 1, depthwise: bool = False) -> Tensor:
        weight = self._array(f"{conv}.weight")
        kernel = weight.shape[2]
        height, width = int(x.shape[2]), int(x.shape[3])
        y = self.graph.add(
            "Conv",
            x,
            self.graph.constant(weight),
            strides=[stride, stride],
            pads=same_pads((height, width), (kernel, kernel), (stride, stride)),
            group=len(weight) if depthwise else 1,
        )
        numbers = [self.weight(f"{norm}.{part}") for part in ("weight", "bias", "running_mean", "running_var")]
        return self.graph.add("BatchNormalization", y, *numbers, epsilon=EPSILON)

    def _array(self, name: str) -> Array:
        if name not in self._weights:
            raise ConversionError(f"the checkpoint has no weights {name}")
        return self._weights[name]
