"""Masks, classes and skeletons on pictures."""

from pathlib import Path

import numpy as np
import pytest

from edge_ai.core.types import Classification, Detections, FrameHeader, Result, Segmentation
from edge_ai.processing.draw import annotate, class_colour

COCO = (Path(__file__).parents[2] / "models" / "coco17.txt").read_text(encoding="utf-8").split()


def grey(width=768, height=576):
    return np.full((height, width, 3), 128, np.uint8)


def a_result(detections=None, **parts):
    header = FrameHeader(0, 0, "camera", 0, 768, 576)
    return Result(header, detections if detections is not None else Detections(), "test", "1", **parts)


def changed(picture, before):
    return np.nonzero((picture != before).any(axis=2))


def test_a_mask_is_half_transparent_in_the_colour_of_each_class_and_spares_the_background():
    mask = np.zeros((576, 768), np.uint8)
    mask[400:, :300], mask[400:, 500:] = 1, 2
    picture = annotate(grey(), a_result(segmentation=Segmentation(mask, ("background", "floor", "wall"))))
    for class_id, column in ((1, 100), (2, 600)):
        wanted = (np.array(class_colour(class_id)) + 128) / 2
        np.testing.assert_allclose(picture[500, column].astype(float), wanted, atol=1)
    assert (picture[300:400] == 128).all()
    assert (picture[400:, 300:500] == 128).all()


def test_a_mask_has_a_legend_and_no_legend_without_classes():
    mask = np.zeros((576, 768), np.uint8)
    np.testing.assert_array_equal(annotate(grey(), a_result(segmentation=Segmentation(mask, ("a", "b")))), grey())
    mask[500:, 700:] = 1
    rows, columns = changed(annotate(grey(), a_result(segmentation=Segmentation(mask, ("a", "b")))), grey())
    assert columns[rows < 200].size > 100
    assert columns[rows < 200].max() < 300


@pytest.mark.parametrize("size", [(384, 288), (1, 1), (1024, 768)])
def test_a_mask_of_another_size_still_covers_the_picture(size):
    mask = np.full(size[::-1], 1, np.uint8)
    picture = annotate(grey(), a_result(segmentation=Segmentation(mask, ("a", "b"))))
    assert len(changed(picture, grey())[0]) == 576 * 768


def test_the_three_best_classes_are_named_top_left():
    def height(count):
        ids = np.arange(count, dtype=np.int32)
        found = Classification(np.linspace(0.9, 0.1, count).astype(np.float32), ids, ("cat", "dog", "cow", "pig"))
        rows, columns = changed(annotate(grey(), a_result(classification=found)), grey())
        assert columns.max(initial=0) < 384
        return np.ptp(rows) if len(rows) else 0

    assert height(0) < height(1) < height(2) < height(3) == height(4)


def a_person(**scores):
    points = np.zeros((1, 17, 3), np.float32)
    for i in range(17):
        points[0, i] = (100 + 30 * i, 100 + 25 * i, 0.9)
    for name, score in scores.items():
        points[0, COCO.index(name), 2] = score
    box = np.array([[50, 50, 700, 560]], np.float32)
    one, kind = np.ones(1, np.float32), np.zeros(1, np.int32)
    return Detections(box, one, kind, ("person",), points, tuple(COCO))


def spot(name):
    i = COCO.index(name)
    return 100 + 25 * i, 100 + 30 * i


def beyond(name):
    """A quarter of the way to the joint after the next one: on the limb, between the dots."""
    return round(spot(name)[0] + 6.25), round(spot(name)[1] + 7.5)


def test_keypoints_are_dots_and_limbs_are_lines():
    picture = annotate(grey(), a_result(a_person()))
    for name in COCO:
        assert tuple(picture[spot(name)]) == (255, 255, 255), name
    colour = np.array(class_colour(0), int)
    assert abs(picture[beyond("left_hip")].astype(int) - colour).max() < 40


def test_a_keypoint_that_is_a_guess_is_left_out_with_its_limbs():
    picture = annotate(grey(), a_result(a_person(left_ankle=0.1)))
    certain = annotate(grey(), a_result(a_person()))
    rows, _ = changed(picture, certain)
    assert abs(rows - spot("left_ankle")[0]).min() <= 1
    assert tuple(picture[spot("left_knee")]) == (255, 255, 255)
    assert len(rows) > 30


def test_points_with_other_names_have_no_lines():
    person = a_person()
    other = Detections(
        person.boxes, person.scores, person.class_ids, person.labels, person.keypoints, tuple("abcdefghijklmnopq")
    )
    picture = annotate(grey(), a_result(other))
    assert tuple(picture[spot("nose")]) == (255, 255, 255)
    assert tuple(picture[beyond("left_knee")]) == (128, 128, 128)


def test_keypoints_that_make_no_sense_are_left_out():
    person = a_person()
    person.keypoints[0, 0] = np.nan
    person.keypoints[0, 1, 0] = 1e30
    person.keypoints[0, 2, :2] = -500
    assert annotate(grey(), a_result(person)).shape == (576, 768, 3)
