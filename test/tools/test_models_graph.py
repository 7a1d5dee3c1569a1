"""Graphs put together node by node, EfficientNet-Lite0 and CenterFace among them."""

import numpy as np
import pytest


def run(model, **feeds):
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return dict(zip([output.name for output in session.get_outputs()], session.run(None, feeds), strict=True))


@pytest.fixture
def graph():
    from model_zoo.graph import Graph

    return Graph()


def test_shapes_are_inferred_and_constants_worked_out(graph):
    x = graph.input("x", np.float32, ("batch", 4))
    two = graph.add("Add", graph.constant(np.float32(1)), graph.constant(np.float32(1)))
    y = graph.add("Mul", x, two)
    graph.add("Exp", x)  # nothing reads it
    assert (two.value, y.shape, y.dtype) == (2, ("batch", 4), np.float32)
    model = graph.model({"y": y}, "test")
    assert [node.op_type for node in model.graph.node] == ["Mul"]
    assert np.array_equal(run(model, x=np.ones((3, 4), np.float32))["y"], np.full((3, 4), 2))


def test_what_does_not_fit_is_said_with_its_shapes(graph):
    from model_zoo.errors import ConversionError

    x = graph.input("x", np.float32, (1, 4))
    with pytest.raises(ConversionError, match=r"MatMul of float32\[1, 4\], float32\[5, 2\]"):
        graph.add("MatMul", x, graph.constant(np.zeros((5, 2), np.float32)))
    with pytest.raises(ConversionError, match="NoSuchOperator"):
        graph.add("NoSuchOperator", x)


@pytest.mark.parametrize(("size", "kernel", "stride", "pads"), [(224, 3, 2, (0, 0, 1, 1)), (7, 5, 1, (2, 2, 2, 2))])
def test_padding_is_tensorflows(size, kernel, stride, pads):
    from model_zoo.graph import same_pads

    assert same_pads((size, size), (kernel, kernel), (stride, stride)) == pads


class AnyWeights(dict):
    """Weights that are what they are asked for: batch normalisation that changes nothing, kernels of noise."""

    SIZES = (32, 16, 24, 24, 40, 40, 80, 80, 80, 112, 112, 112, 192, 192, 192, 192, 320)

    def __contains__(self, name):
        return True

    def __missing__(self, name):
        random = np.random.default_rng(len(self))
        self[name] = random.normal(size=self.shape(name), scale=0.05).astype(np.float32)
        if name.endswith(("running_var", "_bn0.weight", "_bn1.weight", "_bn2.weight")):
            self[name] = np.abs(self[name]) + 0.5
        return self[name]

    def shape(self, name):
        part = name.split(".")
        if part[0] != "_blocks":
            shapes = {"_conv_stem": (32, 3, 3, 3), "_conv_head": (1280, 320, 1, 1), "_bn0": (32,), "_bn1": (1280,)}
            return {"_fc.weight": (1000, 1280), "_fc.bias": (1000,)}.get(name) or shapes[part[0]]
        number = int(part[1])
        before, after = self.SIZES[number : number + 2]
        wide = before * (6 if number else 1)
        kernel = 5 if number in (3, 4, 8, 9, 10, 11, 12, 13, 14) else 3
        return {
            "_expand_conv": (wide, before, 1, 1),
            "_depthwise_conv": (wide, 1, kernel, kernel),
            "_project_conv": (after, wide, 1, 1),
            "_bn0": (wide,),
            "_bn1": (wide,),
            "_bn2": (after,),
        }[part[2]]


def test_lite0_is_the_published_architecture_for_any_number_of_pictures():
    from model_zoo.efficientnet import lite0

    weights = AnyWeights()
    model = lite0(weights)
    kinds = [node.op_type for node in model.graph.node]
    assert (kinds.count("Conv"), kinds.count("Clip"), kinds.count("Add")) == (49, 33, 9)
    assert kinds.count("BatchNormalization") == 0
    learned = sum(array.size for name, array in weights.items() if "running" not in name)
    assert learned == 4_652_008  # the authors' 4.7 million
    pictures = np.random.default_rng(0).normal(size=(2, 3, 224, 224)).astype(np.float32)
    both = run(model, images=pictures)["logits"]
    assert both.shape == (2, 1000)
    np.testing.assert_allclose(both[1:], run(model, images=pictures[1:])["logits"], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("operator", ["Conv", "ConvTranspose"])
def test_what_scales_and_shifts_channels_is_folded_without_a_change(operator):
    from model_zoo.fold import fold
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(1)
    constants = {
        "w": random.normal(size=(4, 3, 3, 3) if operator == "Conv" else (3, 4, 3, 3)),
        "b": random.normal(size=4),
        **{name: random.uniform(0.5, 2, size=4) for name in ("gain", "shift", "mean", "variance")},
        "factor": random.normal(size=(1, 4, 1, 1)),
        "one": np.array(1.0),
        "row": random.normal(size=(1, 1, 1, 6 if operator == "Conv" else 10)),
    }
    constants = {name: value.astype(np.float32) for name, value in constants.items()}
    nodes = [
        helper.make_node(operator, ["x", "w", "b"], ["c"]),
        helper.make_node("BatchNormalization", ["c", "gain", "shift", "mean", "variance"], ["n"], epsilon=0.1),
        helper.make_node("Mul", ["factor", "n"], ["m"]),
        helper.make_node("Add", ["m", "one"], ["a"]),
        helper.make_node("Add", ["a", "row"], ["y"]),  # of columns, not of channels
        helper.make_node("Mul", ["y", "y"], ["z"]),
    ]

    def answer():
        info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("y", "z")]
        shape = helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 3, 8, 8))
        initializers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
        graph = helper.make_graph(nodes, "folded", [shape], info, initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        return run(model, x=np.random.default_rng(0).normal(size=(1, 3, 8, 8)).astype(np.float32))

    before = answer()
    fold(nodes, constants, ["y", "z"])
    assert [node.op_type for node in nodes] == [operator, "Add", "Mul"]
    np.testing.assert_allclose(answer()["z"], before["z"], rtol=1e-3, atol=1e-4)


def test_what_others_read_too_is_not_folded():
    from model_zoo.fold import fold
    from onnx import helper

    constants = {"w": np.ones((2, 2, 1, 1), np.float32), "two": np.array(2, np.float32)}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("Mul", ["c", "two"], ["y"]),
        helper.make_node("Add", ["c", "y"], ["z"]),
    ]
    fold(nodes, constants, ["z"])
    assert [node.op_type for node in nodes] == ["Conv", "Mul", "Add"]
    fold(nodes[:2], constants, ["y", "c"])
    assert nodes[0].output[0] == "c"


def test_a_checkpoint_without_a_layer_says_which():
    from model_zoo.efficientnet import lite0
    from model_zoo.errors import ConversionError

    with pytest.raises(ConversionError, match=r"no weights _bn0\.weight"):
        lite0({"_conv_stem.weight": np.zeros((32, 3, 3, 3), np.float32)})


def face_model(group=1):
    """A file as CenterFace's: old operators, numbers for names, ten pictures of 32 x 32, a norm not folded."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(2)
    constants = {"w": random.normal(size=(3, 4 // group, 2, 2)), "v": random.normal(size=(4, 4, 8, 8))}
    constants |= {key: random.uniform(0.5, 2, 4) for key in ("gain", "shift", "mean", "variance")}
    constants |= {f"{key}": random.normal(size=(c, 4, 1, 1)) for key, c in zip("hsol", (1, 2, 2, 10), strict=True)}
    arrays = {key: value.astype(np.float32) for key, value in constants.items()}
    nodes = [
        helper.make_node("ConvTranspose", ["input.1", "w"], ["up"], strides=[2, 2], kernel_shape=[2, 2], group=group),
        helper.make_node("BatchNormalization", ["up", "gain", "shift", "mean", "variance"], ["norm"], epsilon=1e-3),
        helper.make_node("Conv", ["norm", "v"], ["down"], strides=[8, 8], kernel_shape=[8, 8]),
        *(
            helper.make_node("Conv", ["down", key], [name], kernel_shape=[1, 1])
            for key, name in zip("hsol", ("537", "538", "539", "540"), strict=True)
        ),
    ]

    def info(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    outputs = [info(name, 10, c, 8, 8) for name, c in (("537", 1), ("538", 2), ("539", 2), ("540", 10))]
    inputs = [info("input.1", 10, 3, 32, 32), *(info(key, *array.shape) for key, array in arrays.items())]
    initializers = [numpy_helper.from_array(array, key) for key, array in arrays.items()]
    graph = helper.make_graph(nodes, "faces", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 9)], ir_version=4)
    onnx.checker.check_model(model)
    return model


def test_centerface_gets_a_size_and_names_and_says_the_same():
    from model_zoo.centerface import NAMES, centerface

    original = face_model()
    model = centerface(original.SerializeToString(), (64, 96))
    assert [node.op_type for node in model.graph.node].count("BatchNormalization") == 0
    assert [tensor.name for tensor in model.graph.input] == ["images"]
    for tensor in (*original.graph.input, *original.graph.output):
        for axis, name in ((0, "batch"), (2, "height"), (3, "width")):
            if tensor.name in NAMES:
                tensor.type.tensor_type.shape.dim[axis].dim_param = f"{name}{tensor.name in ('input.1',)}"
    picture = np.random.default_rng(3).normal(size=(1, 3, 96, 64)).astype(np.float32)
    ours, theirs = run(model, images=picture), run(original, **{"input.1": picture})
    assert ours["landmarks"].shape == (1, 10, 24, 16)
    for old, new in NAMES.items():
        if new != "images":
            np.testing.assert_allclose(ours[new], theirs[old], rtol=1e-3, atol=1e-3)


def test_another_face_model_or_size_is_refused():
    from model_zoo.centerface import centerface
    from model_zoo.errors import ConversionError

    with pytest.raises(ConversionError, match="no multiple of 32"):
        centerface(b"", (640, 360))
    with pytest.raises(ConversionError, match="not an ONNX model"):
        centerface(b"\x00torn", (64, 64))
    other = face_model()
    other.graph.output[0].name = other.graph.node[3].output[0] = "heat"
    with pytest.raises(ConversionError, match="has no tensors 537"):
        centerface(other.SerializeToString(), (64, 64))
