"""Q/DQ operators put around layers, so that ONNX Runtime computes them in int8 and TensorRT takes them.

TensorRT wants int8 with zero points of 0, and refuses the int32 biases that ONNX Runtime's quantiser makes by itself;
weights may be int8 constants before a DQ. ONNX Runtime on x86 wants weights of 7 bits (without VNNI its sums of pairs
saturate). It turns int8 activations into uint8 there, but only where a Q has one DQ behind it and that one user, and
it computes a layer in int8 only if its output goes into one Q: else the layer is slower than in float. Both get what
they want from symmetric int8 everywhere, 7-bit weights per channel, float biases (which ONNX Runtime from 1.21 on
quantises itself), a pair of its own for each layer that takes an activation, and behind the pair of a layer's output
that several take a Sum of this one operand, which costs nothing and is the one user.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection
from typing import Any

from edge_ai.core.errors import EdgeAIError
from edge_ai.optimization.onnx_graph import in_order, library
from edge_ai.optimization.quantization.joining import join
from edge_ai.optimization.quantization.prepare import OPERATORS

_Q, _DQ = "QuantizeLinear", "DequantizeLinear"
_OLDEST = (1, 21)


def insert(model: Any, ranges: Any, layers: Collection[str]) -> Any:
    """A copy of a prepared model with some of its layers quantised.

    Args:
        model: prepared.
        ranges: of its activations, as `calibrate` finds them.
        layers: names of the layers to quantise.

    Raises:
        EdgeAIError: onnxruntime is older than 1.21.
    """
    import onnxruntime
    from onnxruntime.quantization import QDQQuantizer, QuantType

    found = re.match(r"(\d+)\.(\d+)", onnxruntime.__version__)
    if found and (int(found[1]), int(found[2])) < _OLDEST:
        mend = "python3 -m pip install 'onnxruntime>=1.21' (older ones run float biases in float)"
        raise EdgeAIError("quantisation", got=f"onnxruntime {onnxruntime.__version__}", wanted="1.21", mend=mend)
    copy = library().ModelProto()
    copy.CopyFrom(model)
    quantizer = QDQQuantizer(
        copy,
        per_channel=True,
        reduce_range=True,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QInt8,
        tensors_range=join(copy, ranges, layers),
        nodes_to_quantize=list(layers),
        nodes_to_exclude=[],
        op_types_to_quantize=list(OPERATORS),
        extra_options={
            "ActivationSymmetric": True,
            "WeightSymmetric": True,
            "QuantizeBias": False,
            "MatMulConstBOnly": True,
        },
    )
    quantizer.quantize_model()
    made = quantizer.model.model
    _Pairs(made.graph, layers).separate()
    return made


class _Pairs:
    """The Q/DQ pairs of a graph's activations."""

    def __init__(self, graph: Any, layers: Collection[str]) -> None:
        self._graph, self._layers = graph, frozenset(layers)
        self._makers = {name: node for node in graph.node for name in node.output}
        self._users: dict[str, list[tuple[Any, int]]] = defaultdict(list)
        for node in graph.node:
            for index, name in enumerate(node.input):
                self._users[name].append((node, index))
        self._outputs = {value.name for value in graph.output}
        self._ranks = {value.name: len(value.type.tensor_type.shape.dim) for value in (*graph.value_info, *graph.input)}

    def separate(self) -> None:
        """Give each layer that takes an activation a pair of its own, and what is no layer the float it was made of."""
        behind: dict[str, list[Any]] = {}
        for dq in list(self._graph.node):
            q = self._makers.get(dq.input[0]) if dq.op_type == _DQ else None
            if q is not None:
                maker = self._makers.get(q.input[0])
                in_int8 = maker is not None and maker.name in self._layers
                behind[dq.name] = self._share(q, dq) if in_int8 else self._split(q, dq)
        ordered = []
        for node in self._graph.node:
            ordered += [node, *(behind.get(node.name, ()) if node.op_type == _DQ else ())]
        self._replace(in_order(self._still_used(ordered)))

    def _split(self, q: Any, dq: Any) -> list[Any]:
        """The activation is float where it is made."""
        name, takers = dq.output[0], []
        for user, index in self._users[name]:
            if user.name in self._layers:
                takers.append((user, index))
            else:
                user.input[index] = q.input[0]
        return self._pairs(q, dq, q.input[0], takers[name not in self._outputs :])

    def _share(self, q: Any, dq: Any) -> list[Any]:
        """The activation is int8 where it is made."""
        name = dq.output[0]
        if len(self._users[name]) + (name in self._outputs) < 2:
            return []
        dq.output[0] = f"{name}_shared"
        shared = library().helper.make_node("Sum", [dq.output[0]], [name], name=f"{name}_shared")
        return [shared, *self._pairs(q, dq, name, [one for one in self._users[name] if one[0].name in self._layers])]

    def _pairs(self, q: Any, dq: Any, source: str, takers: list[tuple[Any, int]]) -> list[Any]:
        added: list[Any] = []
        for axis, (user, index) in zip(self._axes(source), takers, strict=False):
            pair = _copied(q, dq, source, axis)
            user.input[index] = pair[1].output[0]
            added += pair
        return added

    def _axes(self, name: str) -> list[int]:
        """What tells the pairs of one activation apart.

        ONNX Runtime joins operators that are equal. The axis means nothing where there is one scale for all.
        """
        return [axis for axis in range(self._ranks.get(name, 1)) if axis != 1]

    def _still_used(self, nodes: list[Any]) -> list[Any]:
        while True:
            used = {name for node in nodes for name in node.input} | self._outputs
            kept = [node for node in nodes if node.op_type not in (_Q, _DQ) or node.output[0] in used]
            if len(kept) == len(nodes):
                return kept
            nodes = kept

    def _replace(self, nodes: list[Any]) -> None:
        copies = []
        for node in nodes:
            copy = library().NodeProto()
            copy.CopyFrom(node)
            copies.append(copy)
        del self._graph.node[:]
        self._graph.node.extend(copies)
        used = {name for node in copies for name in node.input} | self._outputs
        left = [tensor for tensor in self._graph.initializer if tensor.name not in used]
        for tensor in left:
            self._graph.initializer.remove(tensor)


def _copied(q: Any, dq: Any, source: str, axis: int) -> list[Any]:
    pair = []
    for node in (q, dq):
        copy = library().NodeProto()
        copy.CopyFrom(node)
        copy.name, copy.output[0] = f"{node.name}_{axis}", f"{node.output[0]}_{axis}"
        del copy.attribute[:]
        copy.attribute.append(library().helper.make_attribute("axis", axis))
        pair.append(copy)
    pair[0].input[0], pair[1].input[0] = source, pair[0].output[0]
    return pair
