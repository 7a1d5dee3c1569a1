"""TensorFlow graphs to ONNX: nodes one after the other, each by its converter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import onnx

from model_zoo.arrays import Array
from model_zoo.errors import ConversionError
from model_zoo.graph import Graph, Tensor
from model_zoo.tf_graph import TYPES, Laid, Node, Op
from model_zoo.tf_ops import CONVERTERS


def convert_nodes(
    nodes: Iterable[Node], known: Mapping[str, Array], name: str, *, outputs: Mapping[str, str]
) -> onnx.ModelProto:
    """Convert what some outputs of a graph need.

    Args:
        nodes: as TensorFlow's JSON form of a graph has them; each input is a Placeholder.
        known: the values of its constants, by name.
        name: of the new graph.
        outputs: name to give to each output, by its name in the graph.

    Returns:
        A model of opset 17 with the one input `images`, of the type and order of axes it has in TensorFlow.

    Raises:
        ConversionError: a node is missing or cannot be converted; says which.
    """
    graph = Graph()
    values: dict[str, list[Laid]] = {}
    for node in _in_order({node["name"]: node for node in nodes}, outputs):
        if node["op"] == "Const":
            values[node["name"]] = [Laid(graph, last=graph.constant(known[node["name"]]))]
        elif node["op"] == "Placeholder":
            values[node["name"]] = [Laid(graph, last=_input(graph, node))]
        elif node["op"] not in CONVERTERS:
            raise ConversionError(f"{node['name']}: there is no converter for {node['op']}")
        else:
            inputs = tuple(values[owner][index] for owner, index in _inputs(node))
            try:
                answer = CONVERTERS[node["op"]](Op(graph, node["op"], inputs, node.get("attr", {})))
            except ConversionError as error:
                raise ConversionError(f"{node['name']} ({node['op']}): {error}") from None
            values[node["name"]] = answer if isinstance(answer, list) else [answer]
    return graph.model({new: values[old][0].last for old, new in outputs.items()}, name)


def _inputs(node: Node) -> Iterator[tuple[str, int]]:
    for source in node.get("input", []):
        if not source.startswith("^"):  # only says what comes before
            name, _, index = source.partition(":")
            yield name, int(index or 0)


def _in_order(nodes: Mapping[str, Node], wanted: Iterable[str]) -> Iterator[Node]:
    """The nodes that some need and these, each after those it reads."""
    done: set[str] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting[-1]
        if name not in nodes:
            raise ConversionError(f"the graph has no node {name}")
        missing = [] if name in done else [source for source, _ in _inputs(nodes[name]) if source not in done]
        if missing:
            waiting += missing
            continue
        waiting.pop()
        if name not in done:
            done.add(name)
            yield nodes[name]


def _input(graph: Graph, node: Node) -> Tensor:
    shape = [int(dim["size"]) for dim in node["attr"]["shape"]["shape"]["dim"]]
    if len(shape) != 4 or min(shape) < 1:
        raise ConversionError(f"the input's shape {shape} is open or no picture's: give its size")
    return graph.input("images", TYPES[node["attr"]["dtype"]["type"]], tuple(shape))
