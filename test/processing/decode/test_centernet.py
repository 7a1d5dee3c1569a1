"""CenterNet and CenterFace against plain loops over their published decoding."""

import math

import numpy as np
import pytest

SIZE = (64, 48)  # 16 x 12 cells of 4 px


def maps(channels, seed=1, classes=1, keypoints=0):
    rng = np.random.default_rng(seed)
    tensors = {
        "heatmap": rng.random((1, classes, 12, 16), np.float32),
        "sizes": rng.normal(1, 0.5, (1, 2, 12, 16)).astype(np.float32),
        "offsets": rng.random((1, 2, 12, 16), np.float32),
    }
    if keypoints:
        tensors["landmarks"] = rng.normal(0, 1, (1, 2 * keypoints, 12, 16)).astype(np.float32)
    return tensors if channels == "first" else {role: t.transpose(0, 2, 3, 1).copy() for role, t in tensors.items()}


def centernet(tensors, threshold):
    """x1, y1, x2, y2, score, class and the landmarks of every peak, best first (Zhou et al., section 4)."""
    heat, (wide, high), (right, down) = tensors["heatmap"][0], tensors["sizes"][0], tensors["offsets"][0]
    found = []
    for c, y, x in np.ndindex(heat.shape):
        around = heat[c, max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
        if heat[c, y, x] >= threshold and heat[c, y, x] == around.max():
            cx, cy, w, h = x + right[y, x], y + down[y, x], wide[y, x], high[y, x]
            box = [4 * v for v in (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)]
            points = [
                (4 * (x + tensors["landmarks"][0, 2 * k, y, x]), 4 * (y + tensors["landmarks"][0, 2 * k + 1, y, x]))
                for k in range(tensors["landmarks"].shape[1] // 2 if "landmarks" in tensors else 0)
            ]
            found.append(((*box, heat[c, y, x], c), points))
    return sorted(found, key=lambda one: -one[0][4])


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_peaks_of_every_class_are_objects(decode, agree, layout):
    wanted = centernet(maps("first", classes=3, keypoints=2), 0.6)
    assert len(wanted) > 20
    tensors = maps("first" if layout == "nchw" else "last", classes=3, keypoints=2)
    found = decode({"family": "centernet", "layout": layout}, SIZE, 3, 0.6, keypoints=2, **tensors)
    agree(found, [row for row, _ in wanted])
    np.testing.assert_allclose(found.keypoints[:, :, :2], [points for _, points in wanted], rtol=1e-4, atol=1e-3)
    np.testing.assert_array_equal(found.keypoints[:, 0, 2], found.scores)


def test_a_heatmap_of_logits(decode, agree):
    tensors = maps("first", classes=2)
    wanted = centernet(tensors, 0.6)
    tensors["heatmap"] = np.log(tensors["heatmap"] / (1 - tensors["heatmap"]))
    found = decode({"family": "centernet", "activation": "sigmoid"}, SIZE, 2, 0.6, **tensors)
    agree(found, [row for row, _ in wanted])


def test_the_best_cells_only_and_no_offsets(decode, agree):
    tensors = maps("first")
    tensors["offsets"][:] = 0.5
    wanted = centernet(tensors, 0.0)[:4]
    del tensors["offsets"]
    found = decode({"family": "centernet", "center_offset": 0.5, "candidates": 4}, SIZE, 1, 0.0, **tensors)
    agree(found, [row for row, _ in wanted])


def centerface(heatmap, scale, offset, landmarks, threshold):
    """Boxes with scores and the landmarks of every cell, as CenterFace's own loop has it, row by row, unclipped."""
    boxes, points = [], []
    for y, x in zip(*np.where(heatmap[0, 0] >= threshold), strict=True):
        height, width = math.exp(scale[0, 0, y, x]) * 4, math.exp(scale[0, 1, y, x]) * 4
        down, right = offset[0, 0, y, x], offset[0, 1, y, x]
        left, top = (x + right + 0.5) * 4 - width / 2, (y + down + 0.5) * 4 - height / 2
        boxes.append((left, top, left + width, top + height, heatmap[0, 0, y, x], 0))
        points.append(
            [(landmarks[0, 2 * k + 1, y, x] * width + left, landmarks[0, 2 * k, y, x] * height + top) for k in range(5)]
        )
    order = sorted(range(len(boxes)), key=lambda i: -boxes[i][4])
    return [boxes[i] for i in order], [points[i] for i in order]


def test_centerface_with_its_five_landmarks(decode, agree):
    tensors = maps("first", seed=5, keypoints=5)
    boxes, points = centerface(*(tensors[role] for role in ("heatmap", "sizes", "offsets", "landmarks")), 0.8)
    assert len(boxes) > 20
    options = {"peaks": False, "order": "yx", "log_size": True, "center_offset": 0.5, "landmarks": "box"}
    found = decode({"family": "centernet", **options}, SIZE, 1, 0.8, keypoints=5, **tensors)
    agree(found, boxes)
    np.testing.assert_allclose(found.keypoints[:, :, :2], points, rtol=1e-4, atol=1e-3)


def test_cells_at_the_edge_may_be_peaks_and_a_plateau_is_one_each(decode):
    heat = np.zeros((1, 1, 12, 16), np.float32)
    heat[0, 0, 0, 0] = heat[0, 0, 11, 15] = 0.9
    heat[0, 0, 5, 5] = heat[0, 0, 5, 6] = 0.8
    sizes = np.ones((1, 2, 12, 16), np.float32)
    found = decode({"family": "centernet"}, SIZE, 1, 0.5, heatmap=heat, sizes=sizes)
    assert found.boxes.tolist() == [[-2, -2, 2, 2], [58, 42, 62, 46], [18, 18, 22, 22], [22, 18, 26, 22]]
