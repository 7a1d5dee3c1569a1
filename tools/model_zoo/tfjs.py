"""TensorFlow.js graph models: the topology of a model.json and its weight shards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx

from model_zoo.arrays import Array
from model_zoo.errors import ConversionError
from model_zoo.tf_convert import convert_nodes
from model_zoo.tf_graph import Node


def convert(
    topology: bytes, weights: bytes, name: str, *, outputs: Mapping[str, str], size: tuple[int, int] | None = None
) -> onnx.ModelProto:
    """Convert a graph model; see `convert_nodes`.

    Args:
        topology: model.json.
        weights: its shards, one after the other.
        name: of the new graph.
        outputs: name to give to each output, by its name in the model.
        size: [width, height] of the picture, where the model leaves it open.

    Raises:
        ConversionError: the file is not a graph model, or an operation cannot be converted; says which.
    """
    try:
        document = json.loads(topology)
        nodes = document["modelTopology"]["node"]
        known = read_weights(document["weightsManifest"], weights)
    except (ValueError, KeyError, TypeError) as error:
        raise ConversionError(f"not a TensorFlow.js graph model: {error!r}") from None
    if size is not None:
        nodes = [_sized(node, size) if node["op"] == "Placeholder" else node for node in nodes]
    return convert_nodes(nodes, known, name, outputs=outputs)


def _sized(node: Node, size: tuple[int, int]) -> Node:
    dims = [{"size": str(length)} for length in (1, size[1], size[0], 3)]
    return {**node, "attr": {**node["attr"], "shape": {"shape": {"dim": dims}}}}


def read_weights(manifest: Any, content: bytes) -> dict[str, Array]:
    """The weights by name, quantised ones brought back to the type they stand for.

    Raises:
        ValueError: the shards do not hold as many bytes as the manifest says.
    """
    weights: dict[str, Array] = {}
    start = 0
    for entry in (entry for group in manifest for entry in group["weights"]):
        quantised = entry.get("quantization", {})
        stored = np.dtype(quantised.get("dtype", entry["dtype"])).newbyteorder("<")
        stop = start + int(np.prod(entry["shape"], dtype=np.int64)) * stored.itemsize
        array = np.frombuffer(content[start:stop], stored).reshape(entry["shape"])
        if "scale" in quantised:
            array = array * quantised["scale"] + quantised["min"]
        weights[entry["name"]] = array.astype(entry["dtype"])
        start = stop
    if start != len(content):
        raise ValueError(f"{len(content)} bytes of weights where {start} are announced")
    return weights
