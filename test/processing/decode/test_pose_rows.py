"""Rows of people: MoveNet's order and YOLO's, against plain loops."""

import numpy as np
import pytest

SIZE = (256, 192)


def test_movenet_multipose(decode, agree):
    rows = np.random.default_rng(2).random((1, 6, 56), np.float32)
    boxes, points = [], []
    for row in rows[0].tolist():
        if row[55] >= 0.4:
            top, left, bottom, right = row[51:55]
            boxes.append((left * 256, top * 192, right * 256, bottom * 192, row[55], 0))
            points.append([(row[3 * k + 1] * 256, row[3 * k] * 192, row[3 * k + 2]) for k in range(17)])
    assert 1 < len(boxes) < 6
    found = decode({"family": "pose_rows"}, SIZE, 1, 0.4, keypoints=17, rows=rows)
    agree(found, boxes)
    np.testing.assert_allclose(found.keypoints, points, rtol=1e-5)


@pytest.mark.parametrize("activation", ["none", "sigmoid"])
def test_yolov8_pose(decode, agree, activation):
    rng = np.random.default_rng(3)
    table = rng.random((1, 5 + 3 * 4, 50), np.float32)
    table[0, :4] *= 100
    boxes, points = [], []
    for row in table[0].T.tolist():
        if row[4] >= 0.7:
            x, y, w, h = row[:4]
            boxes.append((x - w / 2, y - h / 2, x + w / 2, y + h / 2, row[4], 0))
            points.append([row[5 + 3 * k : 8 + 3 * k] for k in range(4)])
    assert len(boxes) > 5
    if activation == "sigmoid":
        table[0, 4] = np.log(table[0, 4] / (1 - table[0, 4]))
    options = {
        "columns": ["box", "score", "keypoints"],
        "keypoint_order": "xy",
        "box_format": "cxcywh",
        "normalized": False,
        "transposed": True,
        "activation": activation,
    }
    found = decode({"family": "pose_rows", **options}, SIZE, 1, 0.7, keypoints=4, rows=table)
    agree(found, boxes)
    np.testing.assert_allclose(found.keypoints, points, rtol=1e-5)
