"""A real model of every family sees on real pictures what a person sees there, by its card alone."""

import cv2
import numpy as np
import pytest

from edge_ai.core.types import Frame, FrameHeader

# Marked by hand in astronaut.png, in pixels, as one sees the picture.
EYES_NOSE_MOUTH = [(202, 101), (247, 103), (225, 126), (206, 141), (243, 142)]
PERSON = [
    *[(155, 60), (165, 35), (190, 22), (235, 15), (275, 30), (300, 65), (300, 100), (285, 125), (272, 135), (262, 170)],
    *[(300, 215), (303, 235), (340, 260), (352, 290), (362, 345), (330, 355), (300, 390), (280, 430), (277, 511)],
    *[(110, 511), (45, 500), (20, 420), (28, 330), (55, 260), (100, 220), (118, 190), (130, 160), (150, 150)],
    *[(185, 150), (180, 130), (160, 115), (153, 85)],
]
HELMET = np.s_[340:, 275:]  # in her arm: part of the person or not
# People in frame 400 of vtest.avi, boxes checked by eye.
WALKERS = [(687, 300, 744, 408), (587, 140, 617, 202), (271, 199, 302, 284)]


def overlap(a, b):
    """Intersection over union of two boxes."""
    common = np.prod(np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return common / (sum(areas) - common)


def test_centerface_finds_the_face_and_its_landmarks(see):
    found = see("centerface", "astronaut").detections
    assert [found.name(i) for i in range(len(found))] == ["face"]
    assert found.scores[0] > 0.85
    x1, y1, x2, y2 = found.boxes[0]
    assert all(x1 < x < x2 and y1 < y < y2 for x, y in EYES_NOSE_MOUTH)
    assert found.keypoint_names == ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
    np.testing.assert_allclose(found.keypoints[0, :, :2], EYES_NOSE_MOUTH, atol=8)


@pytest.mark.parametrize("name", ["coffee", "chelsea"])
def test_centerface_finds_no_face_in_a_cup_or_a_cat(see, name):
    assert len(see("centerface", name).detections) == 0


def test_lite0_names_the_coffee_and_the_cat(see):
    coffee, cat = (see("efficientnet_lite0", name).classification for name in ("coffee", "chelsea"))
    assert coffee.name(0) == "espresso"
    assert coffee.scores[0] > 0.8
    assert {cat.name(i) for i in range(3)} == {"Egyptian cat", "tiger cat", "tabby"}
    assert cat.scores[:3].sum() > 0.9


def test_lite0_says_the_same_of_several_pictures_at_once(model, picture, see):
    lite0, names = model("efficientnet_lite0"), ("coffee", "astronaut", "chelsea")
    assert lite0.single == ""
    frames = [
        Frame(FrameHeader(0, 0, "eye", i, image.shape[1], image.shape[0]), image)
        for i, image in enumerate(map(picture, names))
    ]
    for name, result in zip(names, lite0.detect(frames, lite0.request(3)), strict=True):
        alone = see("efficientnet_lite0", name).classification
        assert np.array_equal(result.classification.class_ids, alone.class_ids)
        np.testing.assert_allclose(result.classification.scores, alone.scores, atol=1e-3)


@pytest.mark.parametrize("name", ["centernet_512", "ssd_mobilenet_v2"])
def test_detectors_find_all_who_walk(see, name):
    found = see(name, 400).detections
    people = found.boxes[[found.name(i) == "person" for i in range(len(found))]]
    for walker in WALKERS:
        assert max(overlap(np.array(walker), box) for box in people) > 0.6


def test_centernet_finds_one_person_and_one_cup(see):
    astronaut, coffee = (see("centernet_512", name).detections for name in ("astronaut", "coffee"))
    assert [astronaut.name(i) for i in range(len(astronaut))] == ["person"]
    whole = np.array([*np.min(PERSON, axis=0), *np.max(PERSON, axis=0)])
    assert overlap(astronaut.boxes[0], whole) > 0.85
    assert [coffee.name(i) for i in range(len(coffee))].count("cup") == 1


def test_ssd_finds_the_cup_and_the_cat(see):
    coffee, cat = (see("ssd_mobilenet_v2", name).detections for name in ("coffee", "chelsea"))
    assert (coffee.name(0), cat.name(0)) == ("cup", "cat")
    assert min(coffee.scores[0], cat.scores[0]) > 0.8


def test_selfie_tells_the_person_from_the_rest(see):
    mask = see("selfie", "astronaut").segmentation.mask
    wanted = np.zeros((512, 512), np.uint8)
    cv2.fillPoly(wanted, [np.array(PERSON, np.int32)], 1)
    judged = np.ones((512, 512), bool)
    judged[HELMET] = False
    both, either = (mask & wanted)[judged].sum(), (mask | wanted)[judged].sum()
    assert mask.shape == (512, 512)
    assert both / either > 0.9


def test_movenet_finds_her_where_centerface_does(see):
    found = see("movenet_multipose", "astronaut").detections
    (points,) = found.keypoints
    place = dict(zip(found.keypoint_names, points, strict=True))
    right_eye, left_eye = EYES_NOSE_MOUTH[:2]  # hers: the other way round than one sees them
    np.testing.assert_allclose(place["left_eye"][:2], left_eye, atol=10)
    np.testing.assert_allclose(place["right_eye"][:2], right_eye, atol=10)
    np.testing.assert_allclose(place["nose"][:2], EYES_NOSE_MOUTH[2], atol=10)
    assert place["left_shoulder"][0] > place["right_shoulder"][0]


def test_movenet_finds_the_nearest_walker_upright(see):
    found = see("movenet_multipose", 400).detections
    best = int(np.argmax([overlap(np.array(WALKERS[0]), box) for box in found.boxes]))
    assert overlap(np.array(WALKERS[0]), found.boxes[best]) > 0.6
    height = dict(zip(found.keypoint_names, found.keypoints[best, :, 1], strict=True))
    for side in ("left", "right"):
        down = [height[f"{side}_{part}"] for part in ("shoulder", "hip", "knee", "ankle")]
        assert down == sorted(down)
