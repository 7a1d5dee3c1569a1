"""SSD against numbers worked out by hand and a plain loop over the published formula."""

import math

import numpy as np
import pytest

MAPS = [3, 2]  # 9 cells of 3 anchors, 4 cells of 4
SCALES = {"feature_maps": MAPS, "min_scale": 0.3, "max_scale": 0.7, "aspect_ratios": [1.0, 2.0, 0.5]}


def plain_anchors():
    """(centre x, centre y, width, height) in the order of the outputs, from the definitions."""
    scales, anchors = [0.3, 0.7, 1.0], []
    for level, side in enumerate(MAPS):
        sizes = [(scales[level] * math.sqrt(r), scales[level] / math.sqrt(r)) for r in (1.0, 2.0, 0.5)]
        if level == 0:
            sizes[0] = (0.1, 0.1)
        else:
            middle = math.sqrt(scales[level] * scales[level + 1])
            sizes.append((middle, middle))
        for y in range(side):
            for x in range(side):
                anchors += [((x + 0.5) / side, (y + 0.5) / side, w, h) for w, h in sizes]
    return anchors


def reference(boxes, values, size, threshold, activation, background, order):
    rows = []
    for (ax, ay, aw, ah), box, row in zip(plain_anchors(), boxes.tolist(), values.tolist(), strict=True):
        y, x, h, w = box if order == "yxhw" else (box[1], box[0], box[3], box[2])
        if activation == "sigmoid":
            scores = [1 / (1 + math.exp(-v)) for v in row]
        elif activation == "softmax":
            total = sum(math.exp(v) for v in row)
            scores = [math.exp(v) / total for v in row]
        else:
            scores = row
        scores = {"first": scores[1:], "last": scores[:-1], "none": scores}[background]
        if max(scores) >= threshold:
            cx, cy = ax + 0.1 * x * aw, ay + 0.1 * y * ah
            half_w, half_h = aw * math.exp(0.2 * w) / 2, ah * math.exp(0.2 * h) / 2
            corners = (cx - half_w, cy - half_h, cx + half_w, cy + half_h)
            scaled = [v * size[i % 2] for i, v in enumerate(corners)]
            rows.append((*scaled, max(scores), scores.index(max(scores))))
    return rows


@pytest.mark.parametrize("activation", ["none", "sigmoid", "softmax"])
@pytest.mark.parametrize("background", ["first", "last", "none"])
@pytest.mark.parametrize("order", ["yxhw", "xywh"])
def test_random_outputs(decode, agree, activation, background, order):
    rng = np.random.default_rng(8)
    count, classes = 27 + 16, 3
    boxes = rng.normal(0, 2, (1, count, 4)).astype(np.float32)
    scores = rng.normal(0, 2, (1, count, classes + (background != "none"))).astype(np.float32)
    if activation == "none":
        scores = rng.random(scores.shape, np.float32)
    rules = {"activation": activation, "background": background, "box_order": order}
    for threshold in (0.0, 0.35, 0.8):
        found = decode({"family": "ssd", **SCALES, **rules}, (120, 80), classes, threshold, boxes=boxes, scores=scores)
        wanted = reference(boxes[0], scores[0], (120, 80), threshold, activation, background, order)
        assert threshold > 0 or len(wanted) == count
        agree(found, wanted)


def test_one_box_worked_out_by_hand(decode, agree):
    """300 x 300: the square anchor of the coarsest map, moved right by a tenth of its width, twice as high."""
    boxes = np.zeros((1, 1917, 4), np.float32)
    scores = np.full((1, 1917, 91), -10, np.float32)
    boxes[0, 1916] = 0, 1, 5 * math.log(2), 0
    scores[0, 1916, 1] = math.log(9)  # sigmoid 0.9
    side = 300 * math.sqrt(0.95)
    x = 150 + 0.1 * side
    found = decode({"family": "ssd"}, (300, 300), 90, 0.5, boxes=boxes, scores=scores)
    agree(found, [(x - side / 2, 150 - side, x + side / 2, 150 + side, 0.9, 0)])


def test_background_is_never_reported(decode):
    scores = np.zeros((1, 43, 4), np.float32)
    scores[0, :, 0] = 20
    boxes = np.zeros((1, 43, 4), np.float32)
    options = {"family": "ssd", **SCALES, "activation": "softmax"}
    assert len(decode(options, (120, 80), 3, 0.3, boxes=boxes, scores=scores).scores) == 0


def test_an_object_less_likely_than_the_background_counts_if_it_reaches_the_threshold(decode):
    """Background 0.9, object 0.1: nothing is lost by looking at differences of logits first."""
    scores = np.zeros((1, 43, 2), np.float32)
    scores[0, :, 0] = math.log(9)
    boxes = np.zeros((1, 43, 4), np.float32)
    options = {"family": "ssd", **SCALES, "activation": "softmax"}
    assert len(decode(options, (120, 80), 1, 0.099, boxes=boxes, scores=scores).scores) == 43
    assert len(decode(options, (120, 80), 1, 0.101, boxes=boxes, scores=scores).scores) == 0
