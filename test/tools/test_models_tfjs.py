"""TensorFlow.js graph models converted to ONNX and run by ONNX Runtime, against TensorFlow's definitions in NumPy."""

import base64
import json
import math

import numpy as np
import pytest

RANDOM = np.random.default_rng(6)


def text(value):
    return base64.b64encode(value.encode()).decode()


def ints(*numbers):
    return {"list": {"i": [str(number) for number in numbers]}}


def node(name, op, *inputs, **attributes):
    return {"name": name, "op": op, "input": list(inputs), "attr": attributes}


class Sketch:
    """A graph model put together in a test: `x` is the input, the node `y` the output."""

    def __init__(self, shape, dtype="DT_FLOAT"):
        dims = {"shape": {"dim": [{"size": str(size)} for size in shape]}}
        self.nodes = [node("x", "Placeholder", dtype={"type": dtype}, shape=dims)]
        self.manifest, self.content = [], b""

    def constant(self, name, values, dtype=np.float32):
        array = np.asarray(values, dtype)
        self.weight(name, array.shape, str(array.dtype), array.tobytes())
        return name

    def weight(self, name, shape, kind, content, **quantization):
        entry = {"name": name, "shape": list(shape), "dtype": kind}
        self.manifest.append({**entry, **({"quantization": quantization} if quantization else {})})
        self.content += content
        self.nodes.append(node(name, "Const"))

    def add(self, *args, **attributes):
        self.nodes.append(node(*args, **attributes))
        return args[0]

    def convert(self, **options):
        from model_zoo.tfjs import convert

        document = {"modelTopology": {"node": self.nodes}, "weightsManifest": [{"weights": self.manifest}]}
        return convert(json.dumps(document).encode(), self.content, "test", **{"outputs": {"y": "y"}, **options})

    def run(self, x):
        import onnxruntime

        session = onnxruntime.InferenceSession(self.convert().SerializeToString(), providers=["CPUExecutionProvider"])
        return session.run(["y"], {"images": x})[0]


def picture(height, width, channels):
    return RANDOM.normal(size=(1, height, width, channels)).astype(np.float32)


def same(size, kernel, stride):
    """How many there are and the padding before, as TensorFlow's documentation has them for SAME."""
    count = math.ceil(size / stride)
    return count, max((count - 1) * stride + kernel - size, 0) // 2


def windows(x, kernel, stride, padding, dilation=1):
    """(row, column, the window) of each cell; NaN outside of the picture."""
    _, height, width, channels = x.shape
    reach = (kernel - 1) * dilation + 1
    if padding == "SAME":
        (rows, top), (columns, left) = same(height, reach, stride), same(width, reach, stride)
    else:
        rows, columns, top, left = (height - reach) // stride + 1, (width - reach) // stride + 1, 0, 0
    around = np.full((height + 2 * reach, width + 2 * reach, channels), np.nan, np.float32)
    around[reach : reach + height, reach : reach + width] = x[0]
    for row in range(rows):
        for column in range(columns):
            y, z = row * stride - top + reach, column * stride - left + reach
            yield row, column, around[y : y + reach : dilation, z : z + reach : dilation]


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "dilation"),
    [((8, 6), 3, 2, "SAME", 1), ((7, 5), 3, 2, "SAME", 1), ((6, 6), 3, 1, "VALID", 1), ((9, 8), 3, 1, "SAME", 2)],
)
def test_convolutions_with_their_fused_bias_and_activation(size, kernel, stride, padding, dilation):
    x, weight, bias = picture(*size, 3), RANDOM.normal(size=(kernel, kernel, 3, 4)), RANDOM.normal(size=4)
    sketch = Sketch(x.shape)
    sketch.constant("w", weight)
    sketch.constant("b", bias)
    sketch.add(
        *("y", "_FusedConv2D", "x", "w", "b"),
        strides=ints(1, stride, stride, 1),
        dilations=ints(1, dilation, dilation, 1),
        padding={"s": text(padding)},
        fused_ops={"list": {"s": [text("BiasAdd"), text("Relu6")]}},
    )
    y = sketch.run(x)
    for row, column, window in windows(x, kernel, stride, padding, dilation):
        wanted = np.clip(np.einsum("hwi,hwio->o", np.nan_to_num(window), weight) + bias, 0, 6)
        np.testing.assert_allclose(y[0, row, column], wanted, atol=1e-5)
    assert (row + 1, column + 1) == y.shape[1:3]


def test_depthwise_convolutions_keep_channels_apart():
    x, weight = picture(6, 6, 3), RANDOM.normal(size=(3, 3, 3, 2))
    sketch = Sketch(x.shape)
    sketch.constant("w", weight)
    sketch.add("y", "DepthwiseConv2dNative", "x", "w", strides=ints(1, 2, 2, 1), padding={"s": text("SAME")})
    y = sketch.run(x)
    for row, column, window in windows(x, 3, 2, "SAME"):
        wanted = np.einsum("hwi,hwim->im", np.nan_to_num(window), weight).ravel()
        np.testing.assert_allclose(y[0, row, column], wanted, atol=1e-5)


def test_transposed_convolutions_spread_each_cell():
    x, weight = picture(3, 4, 2), RANDOM.normal(size=(2, 2, 5, 2))
    sketch = Sketch(x.shape)
    sketch.constant("size", [1, 6, 8, 5], np.int32)
    sketch.constant("w", weight)
    sketch.add("y", "Conv2DBackpropInput", "size", "w", "x", strides=ints(1, 2, 2, 1), padding={"s": text("SAME")})
    y = sketch.run(x)
    for row in range(3):
        for column in range(4):
            wanted = np.einsum("i,hwoi->hwo", x[0, row, column], weight)
            np.testing.assert_allclose(y[0, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2], wanted, atol=1e-5)


@pytest.mark.parametrize(("op", "best"), [("MaxPool", np.nanmax), ("AvgPool", np.nanmean)])
def test_poolings_leave_the_border_out(op, best):
    x = picture(5, 4, 3)
    sketch = Sketch(x.shape)
    sketch.add("y", op, "x", ksize=ints(1, 3, 3, 1), strides=ints(1, 1, 1, 1), padding={"s": text("SAME")})
    y = sketch.run(x)
    for row, column, window in windows(x, 3, 1, "SAME"):
        np.testing.assert_allclose(y[0, row, column], best(window, axis=(0, 1)), atol=1e-5)


@pytest.mark.parametrize(
    ("align_corners", "half_pixel_centers", "place"),
    [
        (False, False, lambda i, new, old: i * old / new),
        (False, True, lambda i, new, old: (i + 0.5) * old / new - 0.5),
        (True, False, lambda i, new, old: i * (old - 1) / (new - 1)),
    ],
)
def test_resizing_by_each_of_tensorflows_rules(align_corners, half_pixel_centers, place):
    x = picture(3, 4, 2)
    sketch = Sketch(x.shape)
    sketch.constant("size", [6, 8], np.int32)
    flags = {"align_corners": {"b": align_corners}, "half_pixel_centers": {"b": half_pixel_centers}}
    sketch.add("y", "ResizeBilinear", "x", "size", **flags)
    y = sketch.run(x)

    def mixed(rows, new, old):
        weights = np.zeros((new, old))
        for i in range(new):
            at = min(max(place(i, new, old), 0), old - 1)
            low = min(int(at), old - 2)
            weights[i, low : low + 2] = low + 1 - at, at - low
        return weights

    wanted = np.einsum("rh,cw,hwi->rci", mixed(x, 6, 3), mixed(x, 8, 4), x[0])
    np.testing.assert_allclose(y[0], wanted, atol=1e-5)


def test_what_follows_a_convolution_stays_in_its_order_of_axes():
    x = picture(4, 4, 3)
    sketch = Sketch(x.shape)
    weight = sketch.constant("w", np.eye(3).reshape(1, 1, 3, 3))
    conv = {"strides": ints(1, 1, 1, 1), "padding": {"s": text("SAME")}}
    sketch.add("a", "Conv2D", "x", weight, **conv)
    sketch.constant("row", [1.0, 2.0, 3.0])
    sketch.constant("three", 3.0)
    sketch.constant("axes", [1, 2], np.int32)
    sketch.constant("axis", -1, np.int32)
    sketch.add("b", "Mul", "a", "row")
    sketch.add("c", "AddV2", "b", "three")
    sketch.add("mean", "Mean", "c", "axes", keep_dims={"b": True})
    sketch.add("d", "Sub", "c", "mean")
    sketch.add("y", "ConcatV2", "d", "c", "axis")
    c = x * np.array([1, 2, 3]) + 3
    wanted = np.concatenate([c - c.mean(axis=(1, 2), keepdims=True), c], axis=-1)
    np.testing.assert_allclose(sketch.run(x), wanted, atol=1e-5)
    transposes = [node for node in sketch.convert().graph.node if node.op_type == "Transpose"]
    assert len(transposes) == 2  # one in, one out


ARITHMETIC = {
    "AddN": lambda a, b: a + b,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
    "RealDiv": np.divide,
    "SquaredDifference": lambda a, b: (a - b) ** 2,
    "FloorDiv": np.floor_divide,
    "FloorMod": np.mod,
}


@pytest.mark.parametrize("op", ARITHMETIC)
def test_arithmetic(op):
    x, other = picture(2, 3, 4), picture(2, 3, 4)
    sketch = Sketch(x.shape)
    sketch.constant("other", other)
    sketch.add("y", op, "x", "other")
    np.testing.assert_allclose(sketch.run(x), ARITHMETIC[op](x, other), atol=1e-5)


@pytest.mark.parametrize(("op", "wanted"), [("FloorDiv", np.floor_divide), ("FloorMod", np.mod)])
def test_whole_numbers_are_rounded_down_below_zero_too(op, wanted):
    x = np.arange(-12, 12, dtype=np.int32).reshape(1, 2, 3, 4)
    sketch = Sketch(x.shape, "DT_INT32")
    sketch.constant("five", 5, np.int32)
    sketch.add("y", op, "x", "five")
    assert np.array_equal(sketch.run(x), wanted(x, 5))


@pytest.mark.parametrize("op", ["Greater", "GreaterEqual", "Less", "Equal"])
def test_comparisons_choose(op):
    x = np.arange(-12, 12, dtype=np.float32).reshape(1, 2, 3, 4)
    sketch = Sketch(x.shape)
    sketch.constant("zero", np.zeros_like(x))
    sketch.add("chosen", op, "x", "zero")
    sketch.add("y", "Select", "chosen", "x", "zero")
    rule = {"Greater": x > 0, "GreaterEqual": x >= 0, "Less": x < 0, "Equal": x == 0}[op]
    assert np.array_equal(sketch.run(x), np.where(rule, x, 0))


def test_a_vector_selects_rows():
    x = np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2)
    sketch = Sketch(x.shape)
    sketch.constant("shape", [2, 4], np.int32)
    sketch.constant("which", [True, False], np.bool_)
    sketch.constant("other", -np.ones((2, 4)))
    sketch.add("rows", "Reshape", "x", "shape")
    sketch.add("y", "Select", "which", "rows", "other")
    assert np.array_equal(sketch.run(x), [[0, 1, 2, 3], [-1, -1, -1, -1]])


SLICES = {
    "plain": np.s_[0:1, 1:3, 0:4:2, ::-1],
    "open": np.s_[:, 1:, :-1, :],
    "ellipsis": np.s_[..., 1],
    "new axes": np.s_[None, 0, ..., None],
    "last": np.s_[:, -1, -2, -1:],
}


@pytest.mark.parametrize("name", SLICES)
def test_slices_are_numpys(name):
    index = SLICES[name]
    x = picture(4, 5, 3)
    begin, end, step = [], [], []
    masks = dict.fromkeys(("begin", "end", "ellipsis", "new_axis", "shrink_axis"), 0)
    for place, part in enumerate(index):
        whole = part if isinstance(part, slice) else slice(part if isinstance(part, int) else 0, 0, 1)
        begin.append(whole.start or 0)
        end.append(whole.stop or 0)
        step.append(whole.step or 1)
        masks["ellipsis"] |= (part is ...) << place
        masks["new_axis"] |= (part is None) << place
        masks["shrink_axis"] |= isinstance(part, int) << place
        masks["begin"] |= (isinstance(part, slice) and part.start is None) << place
        masks["end"] |= (isinstance(part, slice) and part.stop is None) << place
    sketch = Sketch(x.shape)
    limits = [sketch.constant(*pair, np.int32) for pair in (("begin", begin), ("end", end), ("step", step))]
    sketch.add("y", "StridedSlice", "x", *limits, **{f"{key}_mask": {"i": value} for key, value in masks.items()})
    assert np.array_equal(sketch.run(x), x[index])


def test_stacks_splits_and_look_ups():
    x = picture(4, 4, 2)
    sketch = Sketch(x.shape)
    for name, value in {"axis": 1, "nothing": 0, "two": 2, "flat": [16, 2], "places": [[3], [0], [7]]}.items():
        sketch.constant(name, value, np.int32)
    sketch.add("rows", "Reshape", "x", "flat")
    sketch.add("parts", "Split", "axis", "rows", num_split={"i": 2})
    sketch.add("pair", "Pack", "parts:1", "parts", axis={"i": 0}, N={"i": 2})
    sketch.add("single", "Unpack", "pair", num={"i": 2}, axis={"i": 0})
    sketch.add("chosen", "GatherNd", "single:1", "places")
    sketch.add("more", "ExpandDims", "chosen", "nothing")
    sketch.add("fewer", "Squeeze", "more", squeeze_dims=ints(0))
    sketch.constant("times", [2, 3], np.int32)
    sketch.add("y", "Tile", "fewer", "times")
    rows = x.reshape(16, 2)[:, :1]
    assert np.array_equal(sketch.run(x), np.tile(rows[[3, 0, 7]], (2, 3)))


def test_the_best_and_where_they_are():
    x = picture(1, 1, 12)
    sketch = Sketch(x.shape)
    sketch.constant("row", [12], np.int32)
    sketch.constant("three", 3, np.int32)
    sketch.constant("axis", 0, np.int32)
    sketch.add("flat", "Reshape", "x", "row")
    sketch.add("best", "TopKV2", "flat", "three", sorted={"b": True})
    sketch.add("again", "GatherV2", "flat", "best:1", "axis")
    sketch.add("y", "Sub", "again", "best")
    assert np.array_equal(sketch.run(x), np.zeros(3))
    sketch.nodes[-1]["name"] = "unused"
    sketch.add("y", "ArgMax", "flat", "axis", output_type={"type": "DT_INT32"})
    assert sketch.run(x) == x.argmax()


def test_shapes_are_known_at_once():
    x = picture(3, 5, 2)
    sketch = Sketch(x.shape)
    for name, value in {"one": 1, "two": 2, "three": 3}.items():
        sketch.constant(name, [value], np.int32)
    sketch.add("shape", "Shape", "x", out_type={"type": "DT_INT32"})
    sketch.add("sizes", "StridedSlice", "shape", "one", "three", "one")
    sketch.add("doubled", "Mul", "sizes", "two")
    sketch.add("y", "ResizeBilinear", "x", "doubled")
    assert sketch.run(x).shape == (1, 6, 10, 2)
    assert {node.op_type for node in sketch.convert().graph.node} == {"Resize", "Transpose"}


@pytest.mark.parametrize(("stored", "scale", "least"), [("uint8", 0.5, -3.0), ("uint16", 0.001, 2.0)])
def test_quantised_weights_stand_for_what_they_were(stored, scale, least):
    x = np.zeros((1, 1, 1, 4), np.float32)
    numbers = np.array([0, 1, 7, 250], stored)
    sketch = Sketch(x.shape)
    sketch.weight("w", (4,), "float32", numbers.tobytes(), dtype=stored, scale=scale, min=least)
    sketch.add("y", "Add", "x", "w")
    np.testing.assert_allclose(sketch.run(x)[0, 0, 0], numbers * scale + least, rtol=1e-6)


def test_half_weights_become_single():
    x = np.zeros((1, 1, 1, 2), np.float32)
    sketch = Sketch(x.shape)
    sketch.weight("w", (2,), "float32", np.array([0.1, -2], np.float16).tobytes(), dtype="float16")
    sketch.add("y", "Add", "x", "w")
    assert np.array_equal(sketch.run(x)[0, 0, 0], np.array([0.1, -2], np.float16).astype(np.float32))


def test_nodes_may_stand_in_any_order():
    x = picture(1, 1, 3)
    sketch = Sketch(x.shape)
    sketch.add("y", "Relu", "a")
    sketch.add("a", "Abs", "x", "^b")
    sketch.add("b", "Exp", "x")
    np.testing.assert_allclose(sketch.run(x), np.abs(x), rtol=1e-6)


def test_an_open_size_is_given_or_asked_for():
    from model_zoo.errors import ConversionError

    sketch = Sketch((1, -1, -1, 3))
    sketch.add("y", "Relu", "x")
    with pytest.raises(ConversionError, match="give its size"):
        sketch.convert()
    dims = sketch.convert(size=(8, 6)).graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_value for dim in dims] == [1, 6, 8, 3]


def test_what_cannot_be_converted_is_named():
    from model_zoo.errors import ConversionError
    from model_zoo.tfjs import convert

    sketch = Sketch((1, 4, 4, 3))
    sketch.add("fft", "FFT2D", "x")
    sketch.add("y", "Relu", "fft")
    with pytest.raises(ConversionError, match="fft: there is no converter for FFT2D"):
        sketch.convert()
    sketch = Sketch((1, 4, 4, 3))
    sketch.constant("w", np.ones((3, 3, 5, 2)))  # five channels where there are three
    sketch.add("y", "Conv2D", "x", "w", strides=ints(1, 1, 1, 1), padding={"s": text("SAME")})
    with pytest.raises(ConversionError, match=r"y \(Conv2D\): 5 channels are wanted, there are 3"):
        sketch.convert()
    sketch = Sketch((1, 4, 4, 3))
    sketch.constant("w", np.ones(2))
    sketch.add("y", "Add", "x", "w")
    with pytest.raises(ConversionError, match=r"y \(Add\): Add of float32\[1, 4, 4, 3\], float32\[2\]"):
        sketch.convert()
    for topology in (b"", b"{}", b'{"modelTopology": {}}'):
        with pytest.raises(ConversionError, match=r"not a TensorFlow\.js graph model"):
            convert(topology, b"", "test", outputs={"y": "y"})


def test_shards_that_are_too_short_or_too_long_are_refused():
    from model_zoo.errors import ConversionError

    sketch = Sketch((1, 1, 1, 2))
    sketch.constant("w", [1.0, 2.0])
    sketch.add("y", "Add", "x", "w")
    for content in (sketch.content[:-1], sketch.content + b"more"):
        sketch.content = content
        with pytest.raises(ConversionError, match="not a TensorFlow"):
            sketch.convert()
