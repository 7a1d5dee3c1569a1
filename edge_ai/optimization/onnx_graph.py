"""What is asked of an ONNX graph again and again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from edge_ai.core.errors import EdgeAIError


def in_order(operators: Iterable[Any]) -> list[Any]:
    """Operators of one graph such that each comes after those it takes from; otherwise in the order they had."""
    listed = list(operators)
    makers = {name: node for node in listed for name in node.output if name}
    ordered: list[Any] = []
    state: dict[int, bool] = {}
    for node in listed:
        stack = [node]
        while stack:
            top = stack[-1]
            if state.setdefault(id(top), False):
                stack.pop()
                continue
            missing = [makers[name] for name in _taken(top) if name in makers and id(makers[name]) not in state]
            stack += missing
            if not missing:
                state[id(top)] = True
                ordered.append(stack.pop())
    return ordered


def _taken(node: Any) -> list[str]:
    """What an operator takes, in its loops and branches too."""
    inner = [name for one in nodes_inside(node) for name in one.input]
    return [*node.input, *inner]


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


def nodes(graph: Any) -> Iterator[Any]:
    """Every operator of a graph, with those inside loops and branches."""
    for node in graph.node:
        yield node
        yield from nodes_inside(node)


def nodes_inside(node: Any) -> Iterator[Any]:
    """Every operator in the loops and branches of one."""
    for attribute in node.attribute:
        for inner in (attribute.g, *attribute.graphs):
            yield from nodes(inner)


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
