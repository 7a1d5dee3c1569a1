import hashlib

import onnx
import pytest
import yaml
from onnx import helper

from edge_ai.capture.synthetic import Scene
from edge_ai.runtime.batching import policy_for
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.resources import shipped_card


@pytest.fixture(scope="module")
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


@pytest.fixture
def picture():
    """Shapes in which the model finds something at a low threshold."""
    return Scene(320, 240).picture(7).copy()


def test_a_batch_finds_in_each_image_what_it_finds_alone(open_card, make_frame, picture):
    frames = [make_frame(image=picture), make_frame(image=picture[:, ::-1].copy()), make_frame()]
    model = Model.load(InferenceParams(model=str(open_card), score_threshold=0.03))
    try:
        assert model.single == ""
        together = model.detect(frames, model.request(4))
        for frame, result in zip(frames, together, strict=True):
            alone = model(frame).detections
            assert result.header is frame.header
            assert result.detections.class_ids.tolist() == alone.class_ids.tolist()
            assert result.detections.boxes == pytest.approx(alone.boxes, abs=0.05)
        assert len(together[0].detections) > 0
    finally:
        model.close()


def test_a_model_without_a_batch_dimension_gets_single_images_and_says_so(model):
    policy, words = policy_for(InferenceParams(cameras=["front", "rear"]), model)
    assert policy.max_size == 1
    assert words.startswith("single images instead of batches of 2: images")
    assert "no open batch dimension" in words


def test_batches_are_as_large_as_there_are_cameras_or_as_told(open_card):
    model = Model.load(InferenceParams(model=str(open_card)))
    try:
        assert policy_for(InferenceParams(), model)[0].max_size == 1
        policy, words = policy_for(InferenceParams(cameras=["a", "b", "c"]), model)
        assert (policy.max_size, words) == (3, "batches of up to 3, as measured")
        policy, words = policy_for(InferenceParams(batching="fixed", max_batch=4, batch_wait=0.01), model)
        assert (policy.max_size, words) == (4, "batches of 4, or what has come within 10 ms")
    finally:
        model.close()
