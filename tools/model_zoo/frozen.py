"""Frozen TensorFlow graphs (GraphDef files), read without TensorFlow.

The messages are described here with the field numbers of TensorFlow's own graph.proto and its kin; protobuf, which
comes with onnx, does the rest. Its JSON form of a node is what `convert_nodes` takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory
from google.protobuf.json_format import MessageToDict

from model_zoo.arrays import Array
from model_zoo.errors import ConversionError
from model_zoo.tf_convert import convert_nodes
from model_zoo.tf_graph import Node

PACKAGE = "edge_ai_tools"  # not TensorFlow's, which may be loaded in the same process
KINDS = {1: "float32", 2: "float64", 3: "int32", 4: "uint8", 9: "int64", 10: "bool"}
TYPE_NAMES = {"DT_FLOAT": 1, "DT_DOUBLE": 2, "DT_INT32": 3, "DT_UINT8": 4, "DT_STRING": 7, "DT_INT64": 9, "DT_BOOL": 10}
VALUES = {1: "float_val", 2: "double_val", 3: "int_val", 4: "int_val", 9: "int64_val", 10: "bool_val"}

MESSAGES = {
    "Dim": "size=1:int64",
    "Shape": "dim=2:Dim* unknown_rank=3:bool",
    "Tensor": "dtype=1:Type tensor_shape=2:Shape tensor_content=4:bytes float_val=5:float* double_val=6:double* "
    "int_val=7:int32* int64_val=10:int64* bool_val=11:bool*",
    "List": "s=2:bytes* i=3:int64* f=4:float* b=5:bool* type=6:Type* shape=7:Shape*",
    "Attr": "list=1:List s=2:bytes i=3:int64 f=4:float b=5:bool type=6:Type shape=7:Shape tensor=8:Tensor",
    "AttrEntry": "key=1:string value=2:Attr",
    "Node": "name=1:string op=2:string input=3:string* attr=5:AttrEntry*",
    "Graph": "node=1:Node*",
}
"""Fields of each message: name, number, type, * for many."""


def convert(
    content: bytes, name: str, *, start: str, size: tuple[int, int], outputs: Mapping[str, str]
) -> onnx.ModelProto:
    """Convert a part of a frozen graph; see `convert_nodes`.

    Args:
        content: the .pb file.
        name: of the new graph.
        start: the node whose answer becomes the input: float32 [1, height, width, 3].
        size: [width, height] of the picture there.
        outputs: name to give to each output, by its name in the graph.

    Raises:
        ConversionError: the file is no graph, or an operation cannot be converted; says which.
    """
    graph = _messages()["Graph"]()
    try:
        graph.ParseFromString(content)
    except message.DecodeError as error:
        raise ConversionError(f"not a frozen graph: {error}") from None
    nodes: dict[str, Node] = {}
    known: dict[str, Array] = {}
    for node in graph.node:
        attributes = {entry.key: entry.value for entry in node.attr}
        if node.op == "Const" and attributes["dtype"].type in KINDS:
            known[node.name] = _array(attributes["value"].tensor)
        as_json = {key: _json(value) for key, value in attributes.items() if key != "value"}
        nodes[node.name] = {"name": node.name, "op": node.op, "input": list(node.input), "attr": as_json}
    dims = [{"size": str(length)} for length in (1, size[1], size[0], 3)]
    shape = {"dtype": {"type": "DT_FLOAT"}, "shape": {"shape": {"dim": dims}}}
    nodes[start] = {"name": start, "op": "Placeholder", "attr": shape}
    return convert_nodes(nodes.values(), known, name, outputs=outputs)


def _json(value: Any) -> dict[str, Any]:
    return dict(MessageToDict(value, preserving_proto_field_name=True))


def _array(tensor: Any) -> Array:
    dtype = np.dtype(KINDS[tensor.dtype])
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    if tensor.tensor_content:
        return np.frombuffer(tensor.tensor_content, dtype.newbyteorder("<")).astype(dtype).reshape(shape)
    numbers = np.array(getattr(tensor, VALUES[tensor.dtype]), dtype)
    count = int(np.prod(shape, dtype=np.int64))
    if len(numbers) < count:  # the last one holds for the rest
        numbers = np.concatenate([numbers, np.full(count - len(numbers), numbers[-1] if len(numbers) else 0, dtype)])
    return numbers.reshape(shape)


def _messages() -> dict[str, Any]:
    """Classes of the messages."""
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name=f"{PACKAGE}.proto", package=PACKAGE, syntax="proto3")
    types = file.enum_type.add(name="Type")
    types.value.add(name="DT_INVALID", number=0)
    for name, number in TYPE_NAMES.items():
        types.value.add(name=name, number=number)
    for name, fields in MESSAGES.items():
        described = file.message_type.add(name=name)
        for field in fields.split():
            label, _, kind = field.partition(":")
            key, _, number = label.partition("=")
            many = kinds.LABEL_REPEATED if kind.endswith("*") else kinds.LABEL_OPTIONAL
            entry = described.field.add(name=key, number=int(number), label=many)
            kind = kind.rstrip("*")
            if kind in MESSAGES:
                entry.type, entry.type_name = kinds.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
            elif kind == "Type":
                entry.type, entry.type_name = kinds.TYPE_ENUM, f".{PACKAGE}.Type"
            else:
                entry.type = getattr(kinds, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in MESSAGES}
