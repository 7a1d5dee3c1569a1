"""From raw boxes to detections, and the whole way from an image through a real ONNX model."""

import hashlib

import numpy as np
import onnx
import onnxruntime
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper

from edge_ai.core.errors import InferenceError, ParameterError
from edge_ai.core.types import Classification, Detections, FrameHeader, Segmentation
from edge_ai.processing.card import ModelCard
from edge_ai.processing.decode.base import RawClasses, RawDetections
from edge_ai.processing.postprocess import PostProcessor, as_result, classified, postprocess
from edge_ai.processing.resize import Placement, Preprocessor

PLACEMENT = Placement(0.5, 0.5, 0, 8, 128, 64)  # 128 x 64 in the middle of 64 x 48


def raw(*rows):
    """(x1, y1, x2, y2, score, class) rows."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    return RawDetections(table[:, :4], table[:, 4], table[:, 5].astype(np.int32))


@pytest.fixture
def card(card_values, tmp_path):
    return ModelCard.parse(card_values, folder=tmp_path, owner="a test")


def rows(detections):
    return [
        (*(round(v, 3) for v in box), round(score, 3), detections.name(i))
        for i, (box, score) in enumerate(zip(detections.boxes.tolist(), detections.scores.tolist(), strict=True))
    ]


def test_detections_are_in_source_pixels_best_first_and_named(card):
    found = raw((10, 18, 20, 28, 0.5, 1), (30, 10, 40, 30, 0.9, 0), (31, 10, 41, 30, 0.8, 0))
    detections = postprocess(found, PLACEMENT, card)
    assert rows(detections) == [(60, 4, 80, 44, 0.9, "person"), (20, 20, 40, 40, 0.5, "car")]
    assert detections.labels == ("person", "car")
    assert (detections.boxes.dtype, detections.scores.dtype) == (np.float32, np.float32)
    assert detections.class_ids.dtype == np.int32


def test_boxes_are_clipped_and_those_outside_left_out(card):
    found = raw((-10, 0, 5, 12, 0.9, 0), (0, 0, 10, 8, 0.8, 0), (64, 10, 70, 20, 0.7, 0), (70, 10, 80, 20, 0.6, 0))
    assert rows(postprocess(found, PLACEMENT, card)) == [(0, 0, 10, 8, 0.9, "person")]


def test_boxes_turned_inside_out_are_dropped_before_they_suppress(card):
    found = raw((30, 30, 10, 10, 0.9, 0), (10, 20, 10, 30, 0.8, 0), (10, 10, 30, 30, 0.7, 0))
    assert rows(postprocess(found, PLACEMENT, card)) == [(20, 4, 60, 44, 0.7, "person")]


def test_a_class_filter_also_takes_away_the_say_of_others(card):
    card = card.changed(nms={"class_agnostic": True})
    found = raw((10, 10, 30, 30, 0.9, 1), (10, 10, 30, 31, 0.8, 0))
    assert [row[-1] for row in rows(postprocess(found, PLACEMENT, card))] == ["car"]
    assert [row[-1] for row in rows(postprocess(found, PLACEMENT, card, card.class_ids(["person"])))] == ["person"]


def test_without_nms_overlapping_boxes_stay_and_are_sorted(card):
    values = card.model_dump(mode="json") | {"decoder": {"family": "end_to_end"}, "outputs": {"detections": "o"}}
    card = ModelCard.parse({**values, "nms": None}, folder=card.model_path.parent, owner="a test")
    found = raw((10, 10, 30, 30, 0.5, 0), (10, 10, 30, 31, 0.8, 0), (10, 10, 30, 30, 0.8, 1))
    assert [row[4:] for row in rows(postprocess(found, PLACEMENT, card))] == [
        (0.8, "person"),
        (0.8, "car"),
        (0.5, "person"),
    ]


def test_rounding_above_one_is_cut_off(card):
    assert postprocess(raw((10, 10, 20, 20, 1.0005, 0)), PLACEMENT, card).scores.tolist() == [1.0]


def test_nothing_in_nothing_out(card):
    detections = postprocess(raw(), PLACEMENT, card)
    assert (len(detections), detections.boxes.shape, detections.labels) == (0, (0, 4), card.labels)


@pytest.mark.parametrize("column", [0, 3, 4])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(card, column, value):
    row = [10, 10, 20, 20, 0.9, 0]
    row[column] = value
    with pytest.raises(InferenceError, match="NaN or infinite"):
        postprocess(raw((10, 10, 20, 20, 0.8, 0), row), PLACEMENT, card)


def test_unknown_classes_are_refused_at_once(card):
    with pytest.raises(ParameterError, match="knows no class: got 'dog'"):
        PostProcessor(card, classes=["dog"])


def test_keypoints_go_with_their_boxes_and_are_not_clipped(card_values, tmp_path):
    changes = {"task": "keypoints", "decoder": {"family": "pose_rows"}, "outputs": {"rows": "o"}, "labels": ["person"]}
    card = ModelCard.parse({**card_values, **changes, "keypoints": ["nose", "tail"]}, folder=tmp_path, owner="a test")
    found = raw((30, 10, 40, 30, 0.7, 0), (10, 18, 20, 28, 0.9, 0), (30, 10, 40, 31, 0.6, 0))
    points = np.array([[[30, 10, 0.5], [-10, 48, 0.2]], [[10, 18, 1.0004], [0, 0, 0]], [[1, 1, 1]] * 2], np.float32)
    found = RawDetections(found.boxes, found.scores, found.class_ids, points)
    detections = postprocess(found, PLACEMENT, card)
    assert detections.scores.round(3).tolist() == [np.float32(0.9).round(3), np.float32(0.7).round(3)]
    assert detections.keypoints.tolist() == [
        [[20, 20, 1], [0, -16, 0]],
        [[60, 4, 0.5], [-20, 80, pytest.approx(0.2)]],
    ]
    assert (detections.keypoints.dtype, detections.keypoint_names) == (np.float32, ("nose", "tail"))
    assert postprocess(found, PLACEMENT, card, frozenset()).keypoints.shape == (0, 2, 3)


@pytest.mark.parametrize(("wanted", "expected"), [(None, [3, 0]), ({0, 1, 2}, [0, 2]), (set(), [])])
def test_the_best_classes_among_those_wanted(card, wanted, expected):
    found = RawClasses(np.array([0.3, 0.1, 0.2, 0.4], np.float32), np.arange(4, dtype=np.int32), 2)
    answer = classified(found, card, wanted)
    assert answer.class_ids.tolist() == expected
    assert (answer.labels, answer.scores.dtype, answer.class_ids.dtype) == (card.labels, np.float32, np.int32)


HEADER = FrameHeader(1, 2, "eye", 3, 128, 64)


@pytest.mark.parametrize("answer", [Detections(), Classification(), Segmentation(np.zeros((64, 128), np.uint8))])
def test_an_answer_stands_in_its_place_of_a_result(card, answer):
    result = as_result(answer, HEADER, card, {"infer": 0.1})
    assert (result.header, result.model_name, result.timings) == (HEADER, "small", {"infer": 0.1})
    assert len(result.detections) == 0
    assert [result.classification is answer, result.segmentation is answer, result.detections is answer].count(
        True
    ) == 1
    assert (result.classification, result.segmentation).count(None) >= 1


@pytest.fixture
def brightness(tmp_path):
    """A real detector in YOLOv8's form: each 8 x 8 cell of a grey 64 x 64 input is scored by its mean brightness."""
    y, x = np.mgrid[:8, :8].reshape(2, -1) * 8 + 4
    boxes = np.stack([x, y, np.full(64, 8), np.full(64, 8)])[np.newaxis].astype(np.float32)
    nodes = [
        helper.make_node("AveragePool", ["gray"], ["means"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Reshape", ["means", "flat"], ["scores"]),
        helper.make_node("Concat", ["boxes", "scores"], ["found"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "brightness",
        [helper.make_tensor_value_info("gray", TensorProto.FLOAT, [1, 1, 64, 64])],
        [helper.make_tensor_value_info("found", TensorProto.FLOAT, [1, 5, 64])],
        [numpy_helper.from_array(boxes, "boxes"), numpy_helper.from_array(np.array([1, 1, 64]), "flat")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    data = model.SerializeToString()
    (tmp_path / "brightness.onnx").write_bytes(data)
    values = {
        "name": "brightness",
        "version": "1",
        "task": "detection",
        "file": "brightness.onnx",
        "sha256": hashlib.sha256(data).hexdigest(),
        "licence": "Apache-2.0",
        "source": "made by a test",
        "input": {"name": "gray", "layout": "nchw", "size": [64, 64], "color": "gray", "scale": 1 / 255},
        "outputs": {"predictions": "found"},
        "decoder": {"family": "yolov8"},
        "nms": {},
        "score_threshold": 0.6,
        "labels": ["lamp"],
    }
    path = tmp_path / "brightness.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return ModelCard.load(path)


@pytest.mark.parametrize(("encoding", "channels"), [("mono8", ()), ("bgr8", (3,)), ("rgba8", (4,))])
def test_the_whole_way_from_image_to_detections(brightness, encoding, channels):
    image = np.zeros((64, 128, *channels), np.uint8)  # half size and 16 rows down in the input
    image[16:32, 32:48] = 255
    image[48:64, 112:128] = 180
    session = onnxruntime.InferenceSession(str(brightness.check_file()), providers=["CPUExecutionProvider"])
    tensor = np.zeros(brightness.input.shape, np.float32)
    placement = Preprocessor(brightness.input).prepare(image, encoding, tensor)
    outputs = dict(zip(brightness.output_names, session.run(None, {"gray": tensor}), strict=True))
    detections = PostProcessor(brightness)(outputs, placement)
    assert rows(detections) == [(32, 16, 48, 32, 1.0, "lamp"), (112, 48, 128, 64, 0.706, "lamp")]
    assert len(PostProcessor(brightness, score_threshold=0.8)(outputs, placement)) == 1
    # At 0.4 the 32 cells of the grey border (114 / 255) are found too; they lie outside the source image.
    lenient = PostProcessor(brightness, score_threshold=0.4, classes=["lamp"])
    assert rows(lenient(outputs, placement)) == rows(detections)
    assert np.count_nonzero(outputs["found"][0, 4] >= 0.4) == 34
