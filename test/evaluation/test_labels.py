"""Label files, right and wrong."""

import json
from pathlib import Path

import numpy as np
import pytest

from edge_ai.evaluation import LabelError, load_coco
from edge_ai.evaluation.truth import IGNORED, sigmas_for

LABELS = ("cat", "dog", "person")
BOX = {"id": 1, "image_id": 1, "category_id": 7, "bbox": [10, 20, 30, 40]}


def test_boxes_are_read_by_picture_in_the_order_of_ids(label_file):
    truth = load_coco(label_file(), LABELS)
    assert truth.task == "detection"
    assert truth.class_names == ("dog", "person")
    assert [(picture.id, picture.file_name) for picture in truth.pictures] == [(1, "1.png"), (3, "3.png")]
    first, third = truth.labelled[1], truth.labelled[3]
    assert first.class_ids.tolist() == [1, 0]
    assert first.boxes.tolist() == [[10, 20, 40, 60], [0, 0, 640, 480]]
    assert first.crowd.tolist() == [False, True]
    assert first.areas.tolist() == [900, 640 * 480]
    assert third.boxes.tolist() == [[100, 100, 150.5, 160]]
    assert not truth.agreement


def test_a_category_that_nobody_uses_may_be_unknown_to_the_model(label_file):
    categories = [{"id": 7, "name": "person"}, {"id": 2, "name": "dog"}, {"id": 9, "name": "unicorn"}]
    assert load_coco(label_file(categories=categories), LABELS).class_names == ("dog", "person")


def test_a_picture_without_annotations_has_nothing_in_it(label_file):
    truth = load_coco(label_file(annotations=[BOX]), LABELS)
    assert len(truth.labelled[3].class_ids) == 0


def test_a_box_may_be_rounded_over_the_edge(label_file):
    truth = load_coco(label_file(annotations=[{**BOX, "bbox": [-0.4, 0, 640.9, 480]}]), LABELS)
    assert sum(len(right.class_ids) for right in truth.labelled.values()) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text": "{'images': []}"}, "no JSON.*COCO"),
        ({"text": "[" * 100_000}, "no JSON"),
        ({"text": "[1, 2]"}, "list, not an object"),
        ({"text": "{}"}, "no 'images'; no 'annotations'; no 'categories'"),
        ({"categories": None}, "no 'categories'.*export"),
        ({"images": []}, "'images'.*at least 1"),
        ({"annotations": []}, "'annotations'.*at least 1"),
        ({"images": [{"id": 1, "width": 640}]}, "no 'images.0.height'"),
        ({"images": [{"id": "1", "width": 640, "height": 480}]}, "'images.0.id' = '1', wanted a valid integer"),
        ({"images": [{"id": 1, "width": 0, "height": 480}]}, "'images.0.width' = 0"),
        ({"images": [{"id": 1, "width": 640, "height": 480}] * 2}, "image id 1 2 times"),
        ({"categories": [{"id": 7, "name": "person"}] * 2}, "category id 7 2 times.*category 'person' 2 times"),
        ({"annotations": [BOX, BOX]}, "annotation id 1 2 times"),
        ({"annotations": [{**BOX, "image_id": 99}]}, "image_id 99, which is not among 'images'"),
        ({"annotations": [{**BOX, "category_id": 99}]}, "category_id 99, not among"),
        ({"annotations": [{**BOX, "bbox": [10, 20, -30, 40]}]}, "annotation 1 with bbox.*not above 0"),
        ({"annotations": [{**BOX, "bbox": [10, 20, 0, 40]}]}, "not above 0"),
        ({"annotations": [{**BOX, "bbox": [-10, 20, 30, 40]}]}, "outside its picture of 640x480"),
        ({"annotations": [{**BOX, "bbox": [10, 20, 632, 460]}]}, "outside"),
        ({"annotations": [{**BOX, "bbox": [10, 20, 30]}]}, "'annotations.0.bbox'.*at least 4"),
        ({"annotations": [{**BOX, "bbox": [10, 20, "30", 40]}]}, "'annotations.0.bbox.2' = '30'"),
        ({"annotations": [{**BOX, "bbox": [10, 20, float("nan"), 40]}]}, "'annotations.0.bbox.2' = nan.*finite"),
        ({"annotations": [{**BOX, "iscrowd": 3}]}, "'annotations.0.iscrowd' = 3"),
        ({"annotations": [{**BOX, "bbox": None}]}, "annotation 1 without 'bbox'.*detection.*card's task"),
        ({"categories": [{"id": 7, "name": "persons"}, {"id": 2, "name": "dog"}]}, "'persons'.*such as person.*rename"),
    ],
)
def test_a_wrong_file_is_refused_with_what_is_wrong(label_file, change, message):
    with pytest.raises(LabelError, match=f"(?s)label file.*{message}"):
        load_coco(label_file(**change), LABELS)


def test_only_the_first_of_many_faults_are_shown(label_file):
    annotations = [{**BOX, "id": i, "bbox": [0, 0, -1, 1]} for i in range(100)]
    with pytest.raises(LabelError, match="and 97 more") as caught:
        load_coco(label_file(annotations=annotations), LABELS)
    assert len(str(caught.value)) < 700


def test_a_file_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(LabelError, match=r"No such file.*correct its path"):
        load_coco(tmp_path / "none.json", LABELS)
    (tmp_path / "picture.json").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(LabelError, match="UTF-8"):
        load_coco(tmp_path / "picture.json", LABELS)


def test_a_byte_order_mark_does_no_harm(label_file):
    path = label_file()
    plain = load_coco(path, LABELS)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    marked = load_coco(path, LABELS)
    assert marked.pictures == plain.pictures
    assert [len(right.boxes) for right in marked.labelled.values()] == [2, 1]


def test_classes_of_whole_pictures(label_file):
    annotations = [
        {"id": 1, "image_id": 1, "category_id": 7},
        {"id": 2, "image_id": 3, "category_id": 2},
        {"id": 3, "image_id": 3, "category_id": 7},
    ]
    truth = load_coco(label_file(annotations=annotations), LABELS, task="classification")
    assert truth.class_names == ("dog", "person")
    assert truth.labelled[1].class_ids.tolist() == [1]
    assert truth.labelled[3].class_ids.tolist() == [0, 1]
    with pytest.raises(LabelError, match="no annotation of picture 3"):
        load_coco(label_file(annotations=annotations[:1]), LABELS, task="classification")


def test_keypoints(label_file):
    annotations = [
        {**BOX, "keypoints": [11, 21, 2, 0, 0, 0]},
        {**BOX, "id": 2, "iscrowd": 1},
    ]
    categories = [{"id": 7, "name": "person", "keypoints": ["nose", "tail"]}]
    truth = load_coco(label_file(annotations=annotations, categories=categories), LABELS, task="keypoints")
    assert truth.keypoint_names == ("nose", "tail")
    assert truth.sigmas == sigmas_for(("nose", "tail")) == (0.026, 0.05)
    assert truth.labelled[1].keypoints.tolist() == [[[11, 21, 2], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]]]
    categories[0]["sigmas"] = [0.1, 0.2]
    path = label_file(annotations=annotations, categories=categories)
    assert load_coco(path, LABELS, task="keypoints").sigmas == (0.1, 0.2)


@pytest.mark.parametrize(
    ("points", "names", "message"),
    [
        ([1, 2, 2, 3], [], "wrong number"),
        ([1, 2, 2], ["nose", "tail"], "'keypoints' of 3, 6 numbers"),
        (None, ["nose"], "annotation 1 without 'keypoints'"),
    ],
)
def test_wrong_keypoints(label_file, points, names, message):
    content = {"annotations": [{**BOX, "keypoints": points}]}
    content["categories"] = [{"id": 7, "name": "person", "keypoints": names}]
    with pytest.raises(LabelError, match=message):
        load_coco(label_file(**content), LABELS, task="keypoints")


def test_either_side_of_a_body_is_as_hard_to_mark():
    assert sigmas_for(("left_eye", "Right Eye", "eye", "left-ankle")) == (0.025, 0.025, 0.025, 0.089)


def test_some_of_the_pictures(label_file):
    truth = load_coco(label_file(), LABELS)
    assert truth.ids_by_name == {"1.png": 1, "3.png": 3}
    assert [picture.id for picture in truth.only({3, 8}).pictures] == [3]
    assert set(truth.only({3, 8}).labelled) == {3}
    with pytest.raises(LabelError, match="none about any of 1 pictures"):
        truth.only([8])


def test_names_of_files_in_several_folders_are_left_out(label_file):
    images = [{"id": i, "file_name": name, "width": 9, "height": 9} for i, name in enumerate(("a/1.png", "b/1.png"))]
    images.append({"id": 5, "file_name": "b\\2.png", "width": 640, "height": 480})
    annotations = [{**BOX, "image_id": 5}]
    assert load_coco(label_file(images=images, annotations=annotations), LABELS).ids_by_name == {"2.png": 5}


def test_masks(label_file):
    mask = pytest.importorskip("pycocotools.mask")
    runs = np.zeros((8, 10), np.uint8, order="F")
    runs[5:, 6:] = 1
    packed = mask.encode(runs)
    plain = {"size": [8, 10], "counts": [0, 8, 72]}
    annotations = [
        {"id": 1, "image_id": 1, "category_id": 7, "segmentation": [[1, 1, 5, 1, 5, 4, 1, 4]]},
        {"id": 2, "image_id": 1, "category_id": 2, "segmentation": {**packed, "counts": packed["counts"].decode()}},
        {"id": 3, "image_id": 1, "category_id": 2, "segmentation": plain, "iscrowd": 1},
    ]
    content = {"annotations": annotations, "images": [{"id": 1, "width": 10, "height": 8}]}
    truth = load_coco(label_file(**content), ("dog", "person"), task="segmentation")
    wanted = np.full((8, 10), IGNORED)
    wanted[1:4, 1:5] = 1
    wanted[5:, 6:] = 0
    assert truth.class_names == ("dog", "person")
    assert np.array_equal(truth.labelled[1].mask(), wanted)

    truth = load_coco(label_file(**content), LABELS, task="segmentation")
    assert truth.class_names == ("cat", "dog", "person"), "the first label is the background"
    wanted = np.zeros((8, 10))
    wanted[:, 0] = IGNORED
    wanted[1:4, 1:5] = 2
    wanted[5:, 6:] = 1
    assert np.array_equal(truth.labelled[1].mask(), wanted)

    content["categories"] = [{"id": 7, "name": "person"}, {"id": 2, "name": "dog"}, {"id": 1, "name": "__background__"}]
    truth = load_coco(label_file(**content), ("__background__", "dog", "person"), task="segmentation")
    assert np.array_equal(truth.labelled[1].mask(), wanted)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ([], "polygons of"),
        ([[1, 2, 3, 4]], "polygons of"),
        ([[1, 2, 3, 4, 5, 6, 7]], "polygons of"),
        ({"size": [480, 600], "counts": [1]}, r"size \[480, 600\]"),
        ({"size": [480, 640], "counts": [5, 5]}, "runs of 10 pixels"),
        ({"size": [480, 640], "counts": "zzzzzzzzz"}, "runs of 0 pixels"),
        ({"size": [480, 640], "counts": "P13"}, "runs of 35 pixels"),
        ("a string", "segmentation"),
    ],
)
def test_shapes_that_cannot_be_drawn(label_file, shape, message):
    pytest.importorskip("pycocotools")
    annotations = [{"id": 4, "image_id": 1, "category_id": 7, "segmentation": shape}]
    with pytest.raises(LabelError, match=message):
        load_coco(label_file(annotations=annotations), LABELS, task="segmentation")


def test_every_annotation_needs_a_shape(label_file):
    with pytest.raises(LabelError, match="annotation 1 without 'segmentation'"):
        load_coco(label_file(), LABELS, task="segmentation")


def test_the_shipped_labels_fit_the_shipped_model():
    root = Path(__file__).parents[2]
    path = root / "test" / "accuracy" / "vtest53_person.json"
    truth = load_coco(path, (root / "models" / "coco80.txt").read_text().split("\n"))
    assert truth.class_names == ("person",)
    assert len(truth.pictures) == 53
    assert sum((~right.crowd).sum() for right in truth.labelled.values()) == 302
    assert len(json.loads(path.read_text())["annotations"]) == 364
