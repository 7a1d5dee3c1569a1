"""YOLOv5 against a plain loop."""

import numpy as np
import pytest


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.9])
def test_random_outputs(decode, agree, normalized, threshold):
    rng = np.random.default_rng(5)
    table = rng.random((1, 200, 9), np.float32)
    scale = (1.0, 1.0) if normalized else (96, 64)
    table[0, :, :4] *= (*scale, *scale)
    wanted = []
    for x, y, w, h, objectness, *classes in table[0].tolist():
        scores = [objectness * c for c in classes]
        if max(scores) >= threshold:
            kx, ky = (96, 64) if normalized else (1, 1)
            box = ((x - w / 2) * kx, (y - h / 2) * ky, (x + w / 2) * kx, (y + h / 2) * ky)
            wanted.append((*box, max(scores), scores.index(max(scores))))
    options = {"family": "yolov5", "normalized": normalized}
    agree(decode(options, (96, 64), 4, threshold, predictions=table), wanted)
    assert threshold > 0 or len(wanted) == 200


def test_a_sure_class_in_an_unlikely_box_is_no_detection(decode, agree):
    table = np.array([[[50, 40, 20, 10, 0.4, 1.0], [20, 20, 10, 10, 0.8, 0.75]]], np.float32)
    agree(decode({"family": "yolov5"}, (96, 64), 1, 0.5, predictions=table), [(15, 15, 25, 25, 0.6, 0)])
