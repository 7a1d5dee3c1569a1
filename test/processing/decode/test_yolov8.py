"""YOLOv8 against a plain loop."""

import numpy as np
import pytest


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("threshold", [0.0, 0.6, 0.99])
def test_random_outputs(decode, agree, normalized, threshold):
    rng = np.random.default_rng(6)
    table = rng.random((1, 4 + 3, 150), np.float32)
    if not normalized:
        table[0, :4] *= np.array([96, 64, 96, 64])[:, None]
    wanted = []
    for i in range(150):
        x, y, w, h, *scores = table[0, :, i].tolist()
        if max(scores) >= threshold:
            kx, ky = (96, 64) if normalized else (1, 1)
            box = ((x - w / 2) * kx, (y - h / 2) * ky, (x + w / 2) * kx, (y + h / 2) * ky)
            wanted.append((*box, max(scores), scores.index(max(scores))))
    options = {"family": "yolov8", "normalized": normalized}
    agree(decode(options, (96, 64), 3, threshold, predictions=table), wanted)
    assert threshold > 0 or len(wanted) == 150


def test_one_box_worked_out_by_hand(decode, agree):
    table = np.zeros((1, 6, 3), np.float32)
    table[0, :, 1] = 30, 40, 20, 10, 0.25, 0.75
    agree(decode({"family": "yolov8"}, (64, 64), 2, 0.5, predictions=table), [(20, 35, 40, 45, 0.75, 1)])
