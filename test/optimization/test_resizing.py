"""Models that take a smaller picture."""

import json

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge_ai.core.errors import ModelError
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.evaluation.budget import Budget
from edge_ai.optimization.artifact import write_card
from edge_ai.optimization.judging.measure import open_model
from edge_ai.optimization.judging.trial import Job
from edge_ai.optimization.resizing import resize
from edge_ai.optimization.workshop import resize_model
from edge_ai.processing.card import ModelCard
from edge_ai.processing.spec import InputSpec
from edge_ai.runtime.resources import resource, shipped_card

CARD = ModelCard.load(shipped_card())


def sides(path):
    model = onnx.load(path)
    return {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }


def test_the_shipped_detector_takes_any_multiple_of_32(tmp_path):
    made = resize(CARD.model_path, tmp_path / "small.onnx", (320, 256), CARD.input)
    assert sides(made.path) == {"images": [1, 3, 256, 320], "scores": [1, 1680, 80], "dist": [1, 1680, 44]}
    assert made.size == (320, 256)


def test_at_its_own_size_it_answers_as_before(tmp_path):
    import onnxruntime

    resize(CARD.model_path, tmp_path / "same.onnx", CARD.input.size, CARD.input)
    feed = {"images": np.random.default_rng(0).normal(size=CARD.input.shape).astype(np.float32)}
    before, after = (
        onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(["scores"], feed)[0]
        for path in (CARD.model_path, tmp_path / "same.onnx")
    )
    assert np.array_equal(before, after)


def test_a_size_that_does_not_go_through_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(ModelError, match=r"at 300x300: got .*multiple of 32"):
        resize(CARD.model_path, tmp_path / "odd.onnx", (300, 300), CARD.input)
    assert list(tmp_path.iterdir()) == []


def fixed(path):
    """A model that flattens so many pixels and no others."""
    shape = numpy_helper.from_array(np.array([1, 48], np.int64), "shape")
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 4, 4])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 48])
    nodes = [helper.make_node("Reshape", ["image", "shape"], ["y"], "flatten")]
    graph = helper.make_graph(nodes, "fixed", [image], [out], [shape])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def test_a_graph_made_for_one_size_is_refused(tmp_path):
    fixed(tmp_path / "fixed.onnx")
    spec = InputSpec(name="image", layout="nchw", size=(4, 4), color="rgb")
    with pytest.raises(ModelError, match="made for one size only"):
        resize(tmp_path / "fixed.onnx", tmp_path / "small.onnx", (2, 2), spec)
    with pytest.raises(ModelError, match="got inputs image; wanted 'picture'"):
        resize(tmp_path / "fixed.onnx", tmp_path / "small.onnx", (4, 4), spec.model_copy(update={"name": "picture"}))
    assert not (tmp_path / "small.onnx").exists()


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """Pictures of people on a street, near and far."""
    folder = tmp_path_factory.mktemp("street")
    whole = cv2.imread(str(resource("doc/demo.jpg")))
    height, width = whole.shape[:2]
    for number in range(12):
        part = whole[: height - 10 * number, 12 * number : width - 8 * number]
        cv2.imwrite(str(folder / f"{number}.png"), part)
    return folder


def test_a_smaller_variant_is_judged_and_shipped_with_its_card(street, tmp_path, monkeypatch):
    """So much smaller that it is quicker also where the machine is busy with other tests."""
    monkeypatch.setattr("edge_ai.optimization.judging.measure.TURN_S", 0.02)
    job = Job(CARD, str(street), budget=Budget(1.0, 1.0), pictures=8, calibration=1, rounds=3)
    outcome = resize_model(job, tmp_path / "out", size=(160, 160))
    assert outcome.shipped, outcome.data["verdict"]
    card = ModelCard.load(tmp_path / "out" / "nanodet_g_416_160x160.yaml")
    assert (card.version, card.input.size) == ("1.0+160x160", (160, 160))
    assert card.changed(input=CARD.input.model_dump(mode="json")).input == CARD.input, "nothing else has changed"
    original, small = json.loads((tmp_path / "out" / "report.json").read_text())["variants"]
    assert small["flops"] < 0.2 * original["flops"]


def test_it_sees_the_same_people_in_the_same_places(street, tmp_path):
    made = resize(CARD.model_path, tmp_path / "small.onnx", (320, 320), CARD.input)
    small = write_card(CARD, made.path, tmp_path / "small.yaml", version="2", source="a test", size=made.size)
    picture = cv2.imread(str(street / "0.png"))
    frame = Frame(FrameHeader(0, 0, "", 0, picture.shape[1], picture.shape[0]), picture)
    people = []
    for card in (CARD, small):
        model = open_model(card)
        found = model(frame).detections
        model.close()
        people.append(found.boxes[(found.class_ids == 0) & (found.scores > 0.5)])
    assert len(people[0]) >= 2
    again = [max(overlap(box, other) for other in people[1]) > 0.6 for box in people[0]]
    assert sum(again) >= 0.6 * len(again)


def overlap(one, other):
    """Intersection over union."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    common = np.prod(np.clip(high - low, 0, None))
    return common / (np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - common)
