"""Frozen TensorFlow graphs, their bytes written here by hand from the field numbers of TensorFlow's .proto files."""

import struct

import numpy as np
import pytest

DT_FLOAT, DT_INT32 = 1, 3


def varint(number):
    out = b""
    number &= (1 << 64) - 1
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    """A field of a message: a whole number, or bytes, a text or a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def shape(*sizes):
    return b"".join(field(2, field(1, size)) for size in sizes)


def tensor(dtype, sizes, rest):
    return field(1, dtype) + field(2, shape(*sizes)) + rest


def node(name, op, *inputs, **attributes):
    """A field of a graph."""
    body = field(1, name) + field(2, op) + b"".join(field(3, source) for source in inputs)
    return field(1, body + b"".join(field(5, field(1, key) + field(2, value)) for key, value in attributes.items()))


def constant(name, dtype, sizes, rest):
    return node(name, "Const", dtype=field(6, dtype), value=field(8, tensor(dtype, sizes, rest)))


def packed(number, code, *numbers):
    if code == "i":
        return field(number, b"".join(varint(value) for value in numbers))
    return field(number, struct.pack(f"<{len(numbers)}{code}", *numbers))


def ints(*numbers):
    return field(1, packed(3, "i", *numbers))


def run(graph, size, outputs):
    import onnxruntime
    from model_zoo.frozen import convert

    model = convert(graph, "test", start="sub", size=size, outputs=outputs)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = np.random.default_rng(0).normal(size=(1, size[1], size[0], 3)).astype(np.float32)
    return x, model, session.run(list(outputs.values()), {"images": x})


def test_a_network_of_it_is_cut_out_and_converted():
    weight = np.arange(6, dtype=np.float32).reshape(1, 1, 3, 2)
    graph = (
        node("image", "Placeholder", dtype=field(6, DT_FLOAT))
        + node("loop", "While", "image")  # what comes before the start is not looked at
        + node("sub", "Sub", "loop", "image")
        + constant("w", DT_FLOAT, weight.shape, field(4, weight.tobytes()))
        + node("read", "Identity", "w")
        + node("conv", "Conv2D", "sub", "read", strides=ints(1, 1, 1, 1), padding=field(2, "VALID"))
        + constant("variance", DT_FLOAT, (2,), packed(5, "f", 4.0))  # one number for all of them
        + node("inverse", "Rsqrt", "variance")
        + node("scaled", "Mul", "conv", "inverse")
        + constant("bias", DT_FLOAT, (2,), packed(5, "f", 1.0, -1.0))
        + node("shifted", "BiasAdd", "scaled", "bias")
        + constant("rows", DT_INT32, (2,), packed(7, "i", -1, 2))
        + node("y", "Reshape", "shifted", "rows", "^conv")
        + node("nms", "NonMaxSuppressionV3", "y")  # nor what comes after
    )
    x, model, (y,) = run(graph, (4, 5), {"y": "answer"})
    wanted = x @ weight[0, 0] / 2 + np.array([1, -1])
    np.testing.assert_allclose(y, wanted.reshape(-1, 2), rtol=1e-5)
    assert [node.op_type for node in model.graph.node].count("Conv") == 1
    assert not {"Mul", "Add"} & {node.op_type for node in model.graph.node}, "they are part of the convolution"


def test_batch_normalisation_becomes_part_of_its_convolution():
    weight = np.eye(3, dtype=np.float32).reshape(1, 1, 3, 3)
    numbers = {"gain": (2.0, 1.0, 1.0), "shift": (0.0, 1.0, 0.0), "mean": (1.0, 0.0, 0.0), "var": (0.75, 0.75, 3.75)}
    graph = constant("w", DT_FLOAT, weight.shape, field(4, weight.tobytes()))
    graph += b"".join(constant(name, DT_FLOAT, (3,), packed(5, "f", *values)) for name, values in numbers.items())
    graph += node("conv", "Conv2D", "sub", "w", strides=ints(1, 1, 1, 1), padding=field(2, "SAME"))
    epsilon = varint(4 << 3 | 5) + struct.pack("<f", 0.25)
    graph += node("y", "FusedBatchNorm", "conv", *numbers, epsilon=epsilon, is_training=field(5, 0))
    x, model, (y,) = run(graph, (4, 4), {"y": "y"})
    np.testing.assert_allclose(y, (x - [1, 0, 0]) * [2, 1, 0.5] + [0, 1, 0], atol=1e-5)
    assert "BatchNormalization" not in {node.op_type for node in model.graph.node}


def test_what_is_no_graph_or_lacks_a_node_is_refused():
    from model_zoo.errors import ConversionError
    from model_zoo.frozen import convert

    with pytest.raises(ConversionError, match="not a frozen graph"):
        convert(b"\xff\xff torn", "test", start="sub", size=(4, 4), outputs={"y": "y"})
    with pytest.raises(ConversionError, match="the graph has no node y"):
        convert(node("x", "Relu", "sub"), "test", start="sub", size=(4, 4), outputs={"y": "y"})
