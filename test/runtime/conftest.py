import hashlib
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import yaml
from onnx import helper

from edge_ai.core.clock import SystemClock
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.optimization.artifact import write_card
from edge_ai.optimization.quantization.quantize import quantize_static
from edge_ai.optimization.resizing import resize
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.agreement import card_feeds
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.resources import resource, shipped_card
from edge_ai.runtime.swap.hot_swap import HotSwap
from edge_ai.runtime.swap.params import SwapParams

if str(Path(__file__).parent) not in sys.path:
    sys.path.append(str(Path(__file__).parent))
import swap_models


@pytest.fixture(scope="module")
def model():
    model = Model.load(InferenceParams())
    yield model
    model.close()


@pytest.fixture
def make_frame():
    clock = SystemClock()

    def make(index=0, image=None, camera=""):
        image = np.full((240, 320, 3), 127, np.uint8) if image is None else image
        steady, stamp = clock.steady_ns(), clock.stamp_ns()
        return Frame(FrameHeader(stamp, steady, "eye", index, image.shape[1], image.shape[0]), image, "bgr8", camera)

    return make


@pytest.fixture(scope="session")
def people():
    """A street with people, 640 x 480."""
    return cv2.resize(cv2.imread(str(resource("doc/demo.jpg"))), (640, 480), interpolation=cv2.INTER_AREA)


def _ship(folder, name, original, make):
    """A variant and its card, as the workshop writes them."""
    made = make(folder / f"{name}.onnx")
    path = folder / f"{name}.yaml"
    write_card(original, made.path, path, version=f"{original.version}+{name}", source="a test", size=made.size)
    return path


def _int8(folder, card_path):
    card = ModelCard.load(card_path)
    return _ship(
        folder, "int8", card, lambda to: quantize_static(card.model_path, to, lambda: card_feeds(card), method="minmax")
    )


@pytest.fixture(scope="session")
def int8_card(tmp_path_factory):
    """The shipped detector in INT8."""
    return _int8(tmp_path_factory.mktemp("int8"), shipped_card())


@pytest.fixture(scope="session")
def small_card(tmp_path_factory):
    """The shipped detector with an input of 256 x 256."""
    card = ModelCard.load(shipped_card())
    return _ship(
        tmp_path_factory.mktemp("small"), "small", card, lambda to: resize(card.model_path, to, (256, 256), card.input)
    )


@pytest.fixture(scope="session")
def open_card(tmp_path_factory):
    """The shipped detector with its batch dimension left open."""
    folder, card = tmp_path_factory.mktemp("model"), shipped_card()
    values = yaml.safe_load(card.read_text())
    graph = onnx.load(str(card.parent / values["file"]))
    for tensor in (*graph.graph.input, *graph.graph.output):
        tensor.type.tensor_type.shape.dim[0].dim_param = "batch"
    shapes = {node.input[1] for node in graph.graph.node if node.op_type == "Reshape"}
    for constant in graph.graph.initializer:
        if constant.name in shapes:
            sizes = onnx.numpy_helper.to_array(constant).copy()
            sizes[0] = 0  # as many as came in
            constant.CopyFrom(onnx.numpy_helper.from_array(sizes, constant.name))
    for node in graph.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and node.output[0] in shapes:
                sizes = onnx.numpy_helper.to_array(attribute.t).copy()
                sizes[0] = 0
                attribute.CopyFrom(helper.make_attribute("value", onnx.numpy_helper.from_array(sizes)))
    del graph.graph.value_info[:]
    onnx.save(graph, str(folder / "open.onnx"))
    digest = hashlib.sha256((folder / "open.onnx").read_bytes()).hexdigest()
    values |= {"file": "open.onnx", "labels": str(card.parent / values["labels"]), "sha256": digest}
    path = folder / "open.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


@pytest.fixture(scope="session")
def open_int8_card(open_card, tmp_path_factory):
    """The same in INT8."""
    return _int8(tmp_path_factory.mktemp("open_int8"), open_card)


@pytest.fixture
def swap_params(tmp_path):
    return SwapParams(
        state_folder=str(tmp_path / "state"),
        latency_budget=1.0,
        shadow_frames=10,
        shadow_timeout=20.0,
        shadow_share=1.0,
        probation=0.3,
        probation_frames=20,
        deadline=10.0,
    )


@pytest.fixture
def opened(tmp_path, swap_params, request):
    """A hot swap that serves version 1."""

    def make_it(swap=swap_params, **how):
        card = swap_models.make(tmp_path / "one", **how)
        told = []
        made = HotSwap(InferenceParams(model=str(card), warm_up=1), swap, on_change=told.append)
        made.told = told
        request.addfinalizer(made.close)
        made.open()
        return made

    return make_it
