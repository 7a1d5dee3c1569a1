"""Channels that no layer makes or reads can be removed without any change of the outputs, whatever the topology."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[3]


def residual(net):
    start = net.op("Relu", net.normalised(net.conv("x", 16)))
    inner = net.conv(net.op("Relu", net.conv(start, 12)), 16)
    return net.conv(net.op("Relu", net.op("Add", inner, start)), 5)


def dense(net):
    first = net.op("Relu", net.conv("x", 8))
    second = net.op("Relu", net.conv(first, 12))
    both = net.op("Concat", first, second, axis=1, channels=20)
    third = net.conv(net.op("Relu", net.normalised(both)), 6)
    return net.conv(net.op("Concat", both, third, axis=1, channels=26), 5)


def concat_meets_add(net):
    parts = [net.conv("x", 8), net.conv("x", 12)]
    both = net.op("Concat", *parts, axis=1, channels=20)
    return net.conv(net.op("Add", both, net.conv("x", 20)), 5)


def depthwise(net):
    start = net.op("Clip", net.conv("x", 16), net.constant(0, np.float32), net.constant(6, np.float32))
    each = net.conv(start, 32, group=16)  # two output channels for each input channel
    return net.conv(net.conv(each, 32, group=32), 5, side=1)


def squeeze_excite(net):
    start = net.op("HardSwish", net.conv("x", 16))
    mean = net.op("ReduceMean", start, axes=[2, 3])
    inner = net.op("Relu", net.conv(mean, 8, side=1))
    return net.conv(net.op("Mul", start, net.op("HardSigmoid", net.conv(inner, 16, side=1))), 5)


def split(net):
    left, right = net.op("Split", net.conv("x", 16), net.constant([6, 10]), axis=1, outputs=2)
    net.channels.update({left: 6, right: 10})
    return net.op("Add", net.conv(left, 5), net.conv(net.op("Sigmoid", right), 5))


def sliced(net):
    start = net.conv("x", 16)
    bounds = [net.constant([value]) for value in (4, -2, 1)]
    middle = net.op("Slice", start, *bounds, channels=10)
    return net.op("Add", net.conv(middle, 5), net.conv(start, 5))


def shuffled(net):
    start = net.conv(net.conv("x", 16), 16, group=2)
    parts = net.op("Reshape", start, net.constant([1, 2, 8, 8, 8]))
    turned = net.op("Transpose", parts, perm=[0, 2, 1, 3, 4])
    return net.conv(net.op("Reshape", turned, net.constant([0, 16, 8, -1]), channels=16), 5)


def grouped(net):
    return net.conv(net.op("Relu", net.conv(net.conv("x", 16), 24, group=4)), 5)


def classifier(net):
    pooled = net.op("MaxPool", net.conv("x", 8), kernel_shape=[2, 2], strides=[2, 2])
    flat = net.op("Flatten", pooled)
    hidden = net.op("Relu", net.op("Gemm", flat, net.weight(12, 8 * 16), net.weight(12), transB=1))
    shifted = net.op("Sub", hidden, net.weight(12))
    return net.op("Softmax", net.op("MatMul", shifted, net.weight(12, 4)))


def attention(net):
    tokens = net.op("Transpose", net.op("Reshape", net.conv("x", 16), net.constant([0, 0, -1])), perm=[0, 2, 1])
    query, key, value = (net.op("MatMul", tokens, net.weight(16, 12)) for _ in range(3))
    scores = net.op("Softmax", net.op("MatMul", query, net.op("Transpose", key, perm=[0, 2, 1])))
    mixed = net.op("MatMul", net.op("MatMul", scores, value), net.weight(12, 16))
    return net.op("MatMul", net.op("Add", mixed, tokens), net.weight(16, 5))


def pyramid(net):
    fine = net.op("PRelu", net.conv("x", 12), net.weight(12, 1, 1))
    padded = net.op("Pad", fine, net.constant([0, 0, 1, 1, 0, 0, 1, 1]))
    coarse = net.conv(padded, 12, strides=[2, 2], pads=[0, 0, 0, 0])
    up = net.op("Resize", coarse, "", "", net.constant([1, 12, 8, 8]), mode="nearest")
    weight = net.weight(12, 10, 2, 2)
    larger = net.op("ConvTranspose", net.op("Add", fine, up), weight, net.weight(10), strides=[2, 2], channels=10)
    return net.conv(net.op("InstanceNormalization", larger, net.weight(10), net.weight(10)), 5)


def blocks(net):
    wide = net.op("SpaceToDepth", net.conv("x", 8), blocksize=2, channels=32)
    back = net.op("DepthToSpace", net.conv(wide, 24), blocksize=2, mode="CRD", channels=6)
    return net.conv(back, 5)


TOPOLOGIES = [residual, dense, concat_meets_add, depthwise, squeeze_excite, split, sliced, shuffled, grouped]
TOPOLOGIES += [classifier, attention, pyramid, blocks]


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("seed", [0, 1])
def test_channels_that_nobody_uses_can_go(net, agree, topology, seed):
    assert agree(net.model(topology(net)), seed=seed) >= 3


def test_an_open_batch_stays_open(net, agree):
    model = net.model(classifier(net), batch="N")
    assert agree(model, shape=(1, 3, 8, 8)) >= 3


def test_old_operators(new_net, agree):
    net = new_net(opset=9)
    start = net.conv("x", 16)
    left, right = net.op("Split", start, axis=1, outputs=2, channels=8)
    part = net.op("Slice", start, axes=[1], starts=[2], ends=[8], channels=6)
    padded = net.op("Pad", part, pads=[0, 0, 1, 1, 0, 0, 1, 1])
    out = net.op("Add", net.conv(left, 5), net.conv(right, 5))
    assert agree(net.model(net.op("Add", out, net.conv(padded, 5, pads=[0] * 4)))) >= 5


def nothing_between(net):
    return net.conv("x", 16)


def softmax_over_channels(net):
    return net.conv(net.op("Softmax", net.conv("x", 16), axis=1), 5)


def mean_over_channels(net):
    return net.conv(net.op("ReduceMean", net.conv("x", 16), axes=[1], channels=1), 5)


def unknown_to_us(net):
    return net.conv(net.op("LRN", net.conv("x", 16), size=3), 5)


def every_second(net):
    bounds = [net.constant([value]) for value in (0, 16, 1, 2)]
    return net.conv(net.op("Slice", net.conv("x", 16), *bounds, channels=8), 5)


def shape_from_the_input(net):
    target = net.op("Shape", net.conv("x", 16))
    return net.op("Reshape", net.conv("x", 16), target)


@pytest.mark.parametrize(
    "topology",
    [nothing_between, softmax_over_channels, mean_over_channels, unknown_to_us, every_second, shape_from_the_input],
)
def test_what_cannot_be_followed_stays(net, agree, topology):
    assert agree(net.model(topology(net))) == 0


def test_a_vector_that_many_read_does_not_tie_them(net, agree):
    zeros = net.constant(np.zeros(16), np.float32)
    first = net.op("Conv", "x", net.weight(16, 3, 1, 1), zeros, channels=16)
    second = net.op("Conv", first, net.weight(16, 16, 1, 1), zeros, channels=16)
    assert agree(net.model(net.conv(second, 5)), amount=0.5) == 16  # 8 of each, not 8 of both


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.data())
def test_networks_by_chance(new_net, agree, data):
    net = new_net(seed=1)
    ends = [net.conv("x", 8)]
    for _ in range(data.draw(st.integers(2, 9))):
        x = data.draw(st.sampled_from(ends[-3:]))
        kind = data.draw(st.sampled_from(["conv", "grouped", "each", "act", "norm", "add", "concat", "split", "gate"]))
        count = net.channels[x]
        if kind == "conv":
            ends.append(net.conv(x, data.draw(st.sampled_from([4, 8, 12]))))
        elif kind in ("grouped", "each"):
            ends.append(net.conv(x, count, group=2 if kind == "grouped" and count % 2 == 0 else count))
        elif kind in ("act", "norm"):
            ends.append(net.normalised(x) if kind == "norm" else net.op("LeakyRelu", x))
        elif kind == "add":
            ends.append(net.op("Add", x, next(y for y in reversed(ends) if net.channels[y] == count)))
        elif kind == "concat":
            other = data.draw(st.sampled_from(ends))
            ends.append(net.op("Concat", x, other, axis=1, channels=count + net.channels[other]))
        elif kind == "split":
            first = data.draw(st.integers(1, count - 1))
            parts = net.op("Split", x, net.constant([first, count - first]), axis=1, outputs=2)
            net.channels.update(zip(parts, (first, count - first), strict=True))
            ends += parts
        else:
            ends.append(net.op("Mul", x, net.op("Sigmoid", net.conv(net.op("GlobalAveragePool", x), count, side=1))))
    unread = [name for name in ends if not any(name in node.input for node in net.nodes)]
    agree(net.model(*(net.conv(name, 3) for name in unread)), seed=len(ends))


def test_the_shipped_detector(agree):
    model = onnx.load(str(ROOT / "models" / "nanodet_g_416.onnx"))
    assert agree(model, amount=0.3, shape=(1, 3, 416, 416), name="images") > 700
