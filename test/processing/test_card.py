"""Model cards: what is read, and every way to get one wrong."""

from pathlib import Path

import pytest

from edge_ai.core.errors import CardError, ModelError, ParameterError
from edge_ai.processing.card import ModelCard
from edge_ai.processing.decode.nanodet import NanoDet, NanoDetOptions

MODELS = Path(__file__).parents[2] / "models"


def test_shipped_card_describes_the_shipped_file():
    card = ModelCard.load(MODELS / "nanodet_g_416.yaml")
    assert card.check_file() == MODELS / "nanodet_g_416.onnx" == card.model_path
    assert card.input.shape == (1, 3, 416, 416)
    assert card.output_names == ("scores", "dist")
    assert isinstance(card.decoder, NanoDetOptions)
    assert isinstance(card.make_decoder(), NanoDet)
    assert (len(card.labels), card.labels[0], card.labels[79]) == (80, "person", "toothbrush")
    assert card.class_ids(["car", "person"]) == {0, 2}


def test_a_loaded_card_says_what_was_written(card_values, write_card):
    card = ModelCard.load(str(write_card(card_values)))
    dumped = card.model_dump(mode="json")
    for key, value in card_values.items():
        got = {k: dumped[key][k] for k in value} if isinstance(value, dict) else dumped[key]
        assert got == value, key


def test_labels_come_from_a_file_beside_the_card(card_values, write_card, tmp_path):
    (tmp_path / "labels.txt").write_text("person\r\nfire hydrant \n\n", encoding="utf-8")
    card = ModelCard.load(write_card({**card_values, "labels": "labels.txt"}))
    assert card.labels == ("person", "fire hydrant")


def test_a_changed_card_keeps_its_folder_and_the_rest(card_values, write_card, tmp_path):
    card = ModelCard.load(write_card(card_values))
    changed = card.changed(score_threshold=0.1, file="other.onnx")
    assert (changed.score_threshold, changed.model_path) == (0.1, tmp_path / "other.onnx")
    assert changed.changed(score_threshold=0.4, file="small.onnx") == card
    with pytest.raises(CardError, match="'score_threshold' = 2"):
        card.changed(score_threshold=2)


def test_the_decoder_takes_a_threshold_in_place_of_the_card_s(card_values, write_card):
    card = ModelCard.load(write_card(card_values))
    assert card.make_decoder().target.threshold == 0.4
    assert card.make_decoder(0.0).target.threshold == 0.0


WRONG = {
    "extra key": ({"labls": []}, "unknown key 'labls' (known: name, version, task"),
    "extra key inside": (
        {"input.colour": "bgr"},
        "unknown key 'input.colour' (known: name, layout, dtype, size, color",
    ),
    "extra key in an optional part": ({"nms.iuo": 0.5}, "unknown key 'nms.iuo' (known: iou, class_agnostic"),
    "extra decoder option": ({"decoder.reg_max": 7}, "unknown key 'decoder.reg_max' (known: family, normalized)"),
    "missing key": ({"file": None, "-": "file"}, "no 'file'"),
    "missing key inside": ({"input.size": None, "-": "input.size"}, "no 'input.size'"),
    "version without quotes": ({"version": 1.0}, "'version' = 1.0 (float), wanted a valid string"),
    "unknown task": ({"task": "cooking"}, "'task' = 'cooking' (str), wanted 'detection', 'classification'"),
    "task of another family": ({"task": "segmentation"}, "'task' segmentation; wanted detection for yolov8"),
    "keypoints of a detector": (
        {"keypoints": ["nose"]},
        "'task' detection with 1 'keypoints'; wanted names of keypoints",
    ),
    "keypoints without names": (
        {"task": "keypoints", "decoder": {"family": "pose_rows"}, "outputs": {"rows": "o"}},
        "'task' keypoints with 0 'keypoints'; wanted names of keypoints",
    ),
    "landmarks without a map": (
        {
            "task": "keypoints",
            "keypoints": ["nose"],
            "decoder": {"family": "centernet"},
            "outputs": {"heatmap": "a", "sizes": "b"},
        },
        "1 'keypoints' with the outputs {heatmap, sizes}, wanted both or neither",
    ),
    "poses of several classes": (
        {"task": "keypoints", "keypoints": ["nose"], "decoder": {"family": "pose_rows"}, "outputs": {"rows": "o"}},
        "2 'labels', wanted one",
    ),
    "softmax of one score": (
        {"decoder": {"family": "end_to_end", "activation": "softmax"}, "outputs": {"detections": "o"}},
        "'activation' softmax or a 'background', wanted neither",
    ),
    "a mask of one class": (
        {"task": "segmentation", "decoder": {"family": "segmenter"}, "outputs": {"scores": "o"}, "labels": ["person"]},
        "1 'labels', wanted 2 to 256: the background first",
    ),
    "normalised int32": ({"input.dtype": "int32", "input.mean": [1.0]}, "an int32 input takes pixels as they are"),
    "short sha256": ({"sha256": "abc"}, "'sha256' = 'abc'"),
    "layout": ({"input.layout": "nhcw"}, "'input.layout' = 'nhcw' (str), wanted 'nchw' or 'nhwc'"),
    "size of one": ({"input.size": [64]}, "'input.size.1'"),
    "size of text": ({"input.size": ["64", 64]}, "'input.size.0' = '64' (str)"),
    "size of nothing": ({"input.size": [0, 64]}, "'input.size.0' = 0 (int), wanted greater than or equal to 1"),
    "threshold": ({"score_threshold": 1.5}, "'score_threshold' = 1.5 (float), wanted less than 1"),
    "threshold of nan": ({"score_threshold": float("nan")}, "'score_threshold' = nan (float), wanted a finite number"),
    "iou": ({"nms.iou": "high"}, "'nms.iou' = 'high' (str), wanted a valid number"),
    "no labels": ({"labels": []}, "'labels' = ()"),
    "a label that is a number": ({"labels": ["person", 3]}, "'labels.1' = 3 (int)"),
    "means for other channels": ({"input.mean": [1.0, 2.0]}, "'mean' has 2 numbers, wanted 1 or 3 for bgr"),
    "zero std": ({"input.std": [0.0]}, "'std' must be positive"),
    "normalised uint8": ({"input.dtype": "uint8", "input.scale": 0.5}, "a uint8 input takes pixels as they are"),
    "no decoder": ({"decoder": None, "-": "decoder"}, "no 'decoder'"),
    "no family": (
        {"decoder": {}},
        "no 'decoder.family'; wanted one of nanodet, yolov5, yolov8, yolox, ssd, end_to_end, centernet",
    ),
    "unknown family": (
        {"decoder.family": "yolov99"},
        "'decoder.family': got 'yolov99'; wanted one of nanodet, yolov5, yolov8, yolox, ssd, end_to_end, centernet",
    ),
    "family of lists": ({"decoder.family": ["yolov8"]}, "got \"['yolov8']\"; wanted one of nanodet"),
    "decoder option missing": (
        {"decoder": {"family": "nanodet", "strides": [8]}, "outputs": {"predictions": "out"}},
        "no 'decoder.reg_max'",
    ),
    "decoder option wrong": (
        {"decoder": {"family": "nanodet", "reg_max": 7, "strides": [0]}},
        "'decoder.strides.0' = 0 (int), wanted greater than or equal to 1",
    ),
    "columns": (
        {"decoder": {"family": "end_to_end", "columns": ["box", "score"]}, "outputs": {"detections": "o"}},
        "'columns' must name box, score and class once each",
    ),
    "roles": ({"outputs": {"boxes": "out"}}, "'outputs' with the keys {boxes}; wanted {predictions} for yolov8"),
    "roles of a family with several": (
        {"decoder": {"family": "end_to_end"}},
        "wanted {detections} or {boxes, scores, labels} or {boxes, scores} for end_to_end",
    ),
    "no nms where it is needed": ({"nms": None}, "no 'nms' for yolov8. To mend: add 'nms: {}'"),
    "not keys": ("just text", "got str; wanted keys and values"),
}


@pytest.mark.parametrize(("changes", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(card_values, write_card, changes, message):
    values = spoiled(card_values, changes)
    path = write_card(values)
    with pytest.raises(CardError) as error:
        ModelCard.load(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def spoiled(values, changes):
    if isinstance(changes, str):
        return changes
    for key, value in changes.items():
        *parents, last = (value if key == "-" else key).split(".")
        part = values
        for parent in parents:
            part = part[parent]
        if key == "-":
            del part[last]
        else:
            part[last] = value
    return values


def test_every_mistake_is_named_at_once(card_values, write_card):
    values = spoiled(card_values, {"nam": "x", "input.size": "big", "nms.iou": 0})
    with pytest.raises(CardError, match=r"'input.size'.*'nms.iou'.*unknown key 'nam'"):
        ModelCard.load(write_card(values))


def test_nms_may_be_left_out_where_the_model_has_its_own(card_values, write_card):
    del card_values["nms"]
    card_values |= {"decoder": {"family": "end_to_end"}, "outputs": {"detections": "out"}}
    assert ModelCard.load(write_card(card_values)).nms is None


def test_a_missing_card_says_so(tmp_path):
    with pytest.raises(CardError, match=r"nowhere.yaml': got No such file.*wanted a readable file.*To mend: give"):
        ModelCard.load(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize("text", [b"name: [unclosed", b"a: b: c", b"name: \x00"])
def test_a_card_that_is_not_yaml_says_where(tmp_path, text):
    path = tmp_path / "card.yaml"
    path.write_bytes(text)
    with pytest.raises(CardError, match="is not YAML"):
        ModelCard.load(path)


def test_a_card_that_is_not_text_says_so(tmp_path):
    path = tmp_path / "card.yaml"
    path.write_bytes(b"\xff\xfe\x9c")
    with pytest.raises(CardError, match="got bytes that are not UTF-8; wanted text"):
        ModelCard.load(path)


def test_a_missing_label_file_is_named(card_values, write_card, tmp_path):
    path = write_card({**card_values, "labels": "none.txt"})
    with pytest.raises(CardError, match=r"label file '.*none.txt': got No such file"):
        ModelCard.load(path)


@pytest.mark.parametrize("text", ["", "\n\n", "person\n\ncar\n"])
def test_a_label_file_without_names_or_with_a_gap_is_refused(card_values, write_card, tmp_path, text):
    (tmp_path / "labels.txt").write_text(text, encoding="utf-8")
    path = write_card({**card_values, "labels": "labels.txt"})
    with pytest.raises(CardError, match=r"'labels\.\d' = ''"):
        ModelCard.load(path)


def test_a_missing_model_file_says_where_it_was_sought(card_values, write_card):
    card = ModelCard.load(write_card(card_values))
    card.model_path.unlink()
    with pytest.raises(ModelError, match=r"small.onnx': got No such file.*put the model beside its card"):
        card.check_file()


def test_a_folder_is_no_model_file(card_values, write_card):
    card = ModelCard.load(write_card(card_values))
    card.model_path.unlink()
    card.model_path.mkdir()
    with pytest.raises(ModelError, match="got Is a directory"):
        card.check_file()


def test_an_empty_model_file_says_so(card_values, write_card):
    card = ModelCard.load(write_card(card_values))
    card.model_path.write_bytes(b"")
    with pytest.raises(ModelError, match="got an empty file; wanted a model"):
        card.check_file()


def test_another_model_file_is_told_by_its_sha256(card_values, write_card):
    card = ModelCard.load(write_card(card_values))
    assert card.check_file() == card.model_path
    card.model_path.write_bytes(b"other")
    with pytest.raises(ModelError) as error:
        card.check_file()
    assert "got sha256 d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa" in str(error.value)
    assert f"wanted sha256 {card_values['sha256']}" in str(error.value)
    assert "put the new sha256 into its card" in str(error.value)


def test_an_unknown_class_names_those_like_it(card_values, write_card):
    card = ModelCard.load(write_card(card_values))
    with pytest.raises(
        ParameterError, match=r"'small' knows no class: got 'persn'; wanted one of its 2 labels.*person"
    ):
        card.class_ids(["car", "persn"])
    with pytest.raises(ParameterError, match="such as person, car"):
        card.class_ids(["zzz"])


def test_a_name_that_several_classes_share_stands_for_all(card_values, write_card):
    card = ModelCard.load(write_card({**card_values, "labels": ["unused", "person", "unused"]}))
    assert card.class_ids(["unused"]) == {0, 2}
