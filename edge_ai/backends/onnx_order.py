"""The operators of an ONNX graph: all of them, and in an order in which they can run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


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


def put(graph: Any, operators: Iterable[Any]) -> None:
    """Give a graph other operators, or its own in another order; they are copied."""
    copies = [type(node).FromString(node.SerializeToString()) for node in operators]
    del graph.node[:]
    graph.node.extend(copies)


def _taken(node: Any) -> list[str]:
    """What an operator takes, in its loops and branches too."""
    inner = [name for one in nodes_inside(node) for name in one.input]
    return [*node.input, *inner]


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
