"""Tiny models for updates: they tell the colour of a picture, and some misbehave as real ONNX models can.

A live frame may carry a mark, its pixel in the corner: what a model does then, no golden picture shows.
"""

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

from edge_ai.core.files import sha256_of

LABELS = ("blue", "green", "red")
SIZE = 16
MARK = 250


def picture(colour, marked=False):
    """(H, W, 3) uint8 in BGR, of one of `LABELS`."""
    image = np.full((SIZE, SIZE, 3), 60, np.uint8)
    image[..., LABELS.index(colour)] = 180
    if marked:
        image[0, 0] = MARK
    return image


def make(folder, name="model", version="1", *, does="tell", when="always", card=None, gain=8.0, turns=0):
    """Write a model and its card; the card's path.

    Args:
        does: what it does: "tell" the colour, tell it "turned" to the next one, say the same "constant", "nan", "raise"
            an error, "hang", take memory ("hog") or be "slow".
        when: "always", or only on "marked" frames; it tells the colour otherwise.
        card: what the card says otherwise.
        gain: how sure it is.
        turns: of a loop, that many in a slow model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    onnx.save(_graph(does, when, gain, turns), path)
    values = {
        "name": "colours",
        "version": version,
        "task": "classification",
        "file": path.name,
        "sha256": sha256_of(path),
        "licence": "none",
        "source": "made by a test",
        "input": {"name": "image", "layout": "nchw", "size": [SIZE, SIZE], "color": "bgr", "resize": "stretch"}
        | {"scale": 1 / 255},
        "outputs": {"scores": "scores"},
        "decoder": {"family": "classifier", "activation": "softmax"},
        "score_threshold": 0.0,
        "labels": list(LABELS),
    }
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(values | (card or {})))
    return folder / f"{name}.yaml"


def _graph(does, when, gain, turns):
    node = helper.make_node
    told = [
        node("ReduceMean", ["image", "plane"], ["means"], keepdims=0),
        node("Mul", ["means", "gain"], ["told"]),
    ]
    does_it = {
        "tell": [node("Identity", ["told"], ["done"])],
        "turned": [node("Gather", ["told", "turn"], ["done"], axis=1)],
        "constant": [node("Mul", ["told", "zero"], ["nothing"]), node("Add", ["nothing", "same"], ["done"])],
        "nan": [node("Sub", ["told", "told"], ["none"]), node("Div", ["none", "none"], ["done"])],
        "raise": [
            node("ReduceMax", ["image"], ["most"], keepdims=0),
            node("Cast", ["most"], ["index"], to=TensorProto.INT64),
            node("Add", ["index", "far"], ["beyond"]),
            node("Gather", ["told", "beyond"], ["row"], axis=1),
            node("Add", ["told", "row"], ["done"]),
        ],
        "hog": [
            node("ReduceMax", ["image"], ["most"], keepdims=0),
            node("Cast", ["most"], ["any"], to=TensorProto.INT64),
            node("Add", ["any", "huge"], ["length"]),
            node("ConstantOfShape", ["length"], ["memory"]),
            node("CumSum", ["memory", "first"], ["touched"]),
            node("ReduceMax", ["touched"], ["top"], keepdims=0),
            node("Add", ["told", "top"], ["done"]),
        ],
        "hang": _loop(1 << 62),
        "slow": _loop(turns),
    }[does]
    if when == "marked":
        return _model([*told, *_if_marked(does_it)], gain)
    does_it[-1].output[0] = "scores"
    return _model([*told, *does_it], gain)


def _loop(turns):
    """Adds something to what is told, over and over, on the way to the same answer."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["on"]),
            helper.make_node("Add", ["before", "tiny"], ["more"]),
            helper.make_node("Sub", ["more", "tiny"], ["after"]),
        ],
        "turn",
        [
            helper.make_tensor_value_info("turn_number", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, [1, 3]),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, [1, 3]),
        ],
    )
    count = numpy_helper.from_array(np.array(turns, np.int64), "")
    return [
        helper.make_node("Constant", [], ["count"], value=count),
        helper.make_node("Loop", ["count", "true", "told"], ["done"], body=body),
    ]


def _if_marked(nodes):
    value = [helper.make_tensor_value_info("done", TensorProto.FLOAT, [1, 3])]
    otherwise = [helper.make_tensor_value_info("plain", TensorProto.FLOAT, [1, 3])]
    branches = {
        "then_branch": helper.make_graph(nodes, "marked", [], value),
        "else_branch": helper.make_graph([helper.make_node("Identity", ["told"], ["plain"])], "plain", [], otherwise),
    }
    return [
        helper.make_node("Slice", ["image", "start", "end", "axes"], ["corner"]),
        helper.make_node("ReduceMin", ["corner"], ["least"], keepdims=0),
        helper.make_node("Greater", ["least", "mark"], ["is_marked"]),
        helper.make_node("If", ["is_marked"], ["scores"], **branches),
    ]


def _model(nodes, gain):
    constants = {
        "plane": np.array([2, 3], np.int64),
        "gain": np.array(gain, np.float32),
        "zero": np.array(0, np.float32),
        "same": np.array([[4, 0, 0]], np.float32),
        "turn": np.array([1, 2, 0], np.int64),
        "far": np.array([1000], np.int64),
        "huge": np.array([1 << 30], np.int64),
        "first": np.array(0, np.int64),
        "tiny": np.array(1e-3, np.float32),
        "true": np.array(True),
        "start": np.array([0, 0], np.int64),
        "end": np.array([1, 1], np.int64),
        "axes": np.array([2, 3], np.int64),
        "mark": np.array((MARK - 10) / 255, np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    return model
