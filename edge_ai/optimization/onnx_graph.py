"""What is asked of an ONNX graph again and again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edge_ai.backends.onnx_order import in_order as in_order
from edge_ai.backends.onnx_order import nodes as nodes
from edge_ai.core.errors import EdgeAIError


def library() -> Any:
    """The `onnx` module with the parts this package uses.

    Raises:
        EdgeAIError: it is not installed.
    """
    try:
        import onnx
        import onnx.checker
        import onnx.external_data_helper
        import onnx.helper
        import onnx.numpy_helper
        import onnx.shape_inference
    except ImportError:
        raise EdgeAIError("ONNX models", got="onnx is not installed", mend="python3 -m pip install onnx") from None
    return onnx


def inputs(model: Any) -> list[Any]:
    """What has to be fed: the inputs of the graph that are no weights."""
    weights = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in weights]


def opset(model: Any) -> int:
    """The version of the standard operators that a model uses; 0: none."""
    return max((int(entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)


def tensors(model: Any) -> Iterator[Any]:
    """Every tensor a model brings: weights and constants, also those in subgraphs."""
    graphs = [model.graph]
    while graphs:
        graph = graphs.pop()
        yield from graph.initializer
        for node in graph.node:
            for attribute in node.attribute:
                yield from (attribute.t, *attribute.tensors)
                graphs.extend((attribute.g, *attribute.graphs))
