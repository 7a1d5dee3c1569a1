"""What every family refuses: absent tensors, shapes that do not fit, NaN, infinity and scores that are none."""

import numpy as np
import pytest

from edge_ai.core.errors import InferenceError
from edge_ai.processing.decode.base import RawClasses, RawMap, Target, check_finite
from edge_ai.processing.decode.registry import DECODERS

TARGET = Target((64, 64), 3, 0.5, 2)
# Every family and every set of roles it reads: options, then a fitting shape a role.
FITTING = [
    ({"family": "nanodet", "reg_max": 7, "strides": [16, 32]}, {"scores": (1, 20, 3), "distances": (1, 20, 32)}),
    ({"family": "nanodet", "reg_max": 7, "strides": [16, 32]}, {"predictions": (1, 20, 35)}),
    ({"family": "yolov5"}, {"predictions": (1, 50, 8)}),
    ({"family": "yolov8"}, {"predictions": (1, 7, 50)}),
    ({"family": "yolox"}, {"predictions": (1, 84, 8)}),
    ({"family": "ssd", "feature_maps": [2, 1]}, {"boxes": (1, 18, 4), "scores": (1, 18, 4)}),
    ({"family": "end_to_end"}, {"detections": (1, 50, 6)}),
    ({"family": "end_to_end"}, {"boxes": (1, 50, 4), "scores": (1, 50), "labels": (1, 50)}),
    ({"family": "end_to_end"}, {"boxes": (1, 50, 4), "scores": (1, 50, 3)}),
    ({"family": "centernet"}, {"heatmap": (1, 3, 16, 16), "sizes": (1, 2, 16, 16)}),
    ({"family": "centernet"}, {"heatmap": (1, 3, 16, 16), "sizes": (1, 2, 16, 16), "offsets": (1, 2, 16, 16)}),
    ({"family": "centernet"}, {"heatmap": (1, 3, 16, 16), "sizes": (1, 2, 16, 16), "landmarks": (1, 4, 16, 16)}),
    (
        {"family": "centernet", "layout": "nhwc"},
        {
            "heatmap": (1, 16, 16, 3),
            "sizes": (1, 16, 16, 2),
            "offsets": (1, 16, 16, 2),
            "landmarks": (1, 16, 16, 4),
        },
    ),
    ({"family": "pose_rows"}, {"rows": (1, 6, 11)}),
    ({"family": "classifier"}, {"scores": (1, 3)}),
    ({"family": "segmenter", "layout": "nhwc"}, {"scores": (1, 8, 8, 3)}),
    ({"family": "segmenter"}, {"classes": (1, 8, 8)}),
]
IDS = [f"{options['family']}-{'-'.join(shapes)}" for options, shapes in FITTING]
CASES = [
    pytest.param(options, shapes, role, id=f"{name}-{role}")
    for (options, shapes), name in zip(FITTING, IDS, strict=True)
    for role in shapes
]


def decoder(options, shapes):
    decoder_class = DECODERS.load(options["family"])
    return decoder_class(decoder_class.OPTIONS.model_validate(options), {role: role for role in shapes}, TARGET)


def zeros(shapes):
    return {role: np.zeros(shape, np.float32) for role, shape in shapes.items()}


def test_all_families_and_all_their_roles_are_tested():
    read = {(name, frozenset(roles)) for name in DECODERS.names() for roles in DECODERS.load(name).ROLES}
    assert read == {(options["family"], frozenset(shapes)) for options, shapes in FITTING}


@pytest.mark.parametrize(("options", "shapes"), FITTING, ids=IDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.float64])
def test_silence_is_no_detection(options, shapes, dtype):
    outputs = {role: np.full(shape, -30 if options["family"] == "ssd" else 0, dtype) for role, shape in shapes.items()}
    found = decoder(options, shapes)(outputs)
    if isinstance(found, RawMap):
        assert (found.scores >= found.floor).sum() == (64 if "classes" in shapes else 0)  # all of class 0
        assert found.class_ids.tolist() == [0]
        return
    if isinstance(found, RawClasses):
        assert (found.scores.shape, found.class_ids.shape, found.class_ids.dtype) == ((0,), (0,), np.int32)
        return
    assert (found.boxes.shape, found.scores.shape, found.class_ids.shape) == ((0, 4), (0,), (0,))
    assert (found.boxes.dtype, found.scores.dtype, found.class_ids.dtype) == (np.float32, np.float32, np.int32)


@pytest.mark.parametrize(("options", "shapes", "role"), CASES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_bad_number_anywhere_is_refused(options, shapes, role, value):
    outputs = zeros(shapes)
    outputs[role].flat[-1] = value
    with pytest.raises(InferenceError, match=rf"'{role}' .*got 1 of \d+ values NaN or infinite; wanted numbers"):
        decoder(options, shapes)(outputs)


@pytest.mark.parametrize(("options", "shapes", "role"), CASES)
@pytest.mark.parametrize("change", ["one more", "two images", "axis less", "axis more"])
def test_a_shape_that_does_not_fit_is_refused(options, shapes, role, change):
    shape = shapes[role]
    wrong = {
        "one more": (*shape[:-1], shape[-1] + 1),
        "two images": (2, *shape[1:]),
        "axis less": shape[2:],
        "axis more": (*shape, 1),
    }[change]
    if options["family"] == "yolov8" and change == "one more":
        wrong = (1, shape[1] + 1, shape[2])  # its last axis may have any length
    if role == "classes" and change == "one more":
        wrong = (*shape, 2)  # maps may have any size
    outputs = {**zeros(shapes), role: np.zeros(wrong, np.float32)}
    with pytest.raises(InferenceError, match=r"model output '\w+' \(\w+ of \w+\): got shape .*; wanted .*To mend"):
        decoder(options, shapes)(outputs)


@pytest.mark.parametrize(("options", "shapes", "role"), CASES)
def test_a_missing_tensor_names_those_there(options, shapes, role):
    outputs = {**zeros(shapes), "other": np.zeros(1, np.float32)}
    del outputs[role]
    with pytest.raises(InferenceError, match=rf"'{role}' .*got no such tensor; wanted one of .*other.*'outputs'"):
        decoder(options, shapes)(outputs)


@pytest.mark.parametrize(("options", "shapes"), [case for case in FITTING if "classes" not in case[1]])
def test_scores_above_one_are_refused(options, shapes):
    if options["family"] == "ssd":
        options = {**options, "activation": "none"}
    outputs = {role: np.full(shape, 3.0, np.float32) for role, shape in shapes.items()}
    if "labels" in outputs or "detections" in outputs:
        outputs = {role: np.full(shape, 2.0, np.float32) for role, shape in shapes.items()}
    with pytest.raises(InferenceError, match=r"got scores from .*wanted probabilities, 0 to 1.*activation"):
        decoder(options, shapes)(outputs)


def test_an_image_without_candidates_at_all_is_fine():
    found = decoder({"family": "end_to_end"}, {"detections": ()})({"detections": np.zeros((1, 0, 6), np.float32)})
    assert len(found.scores) == 0


def test_finite_numbers_however_large_pass():
    check_finite("numbers", np.array([3e38, -3e38, 3e38], np.float32))
    check_finite("nothing", np.zeros((0, 4), np.float32))
