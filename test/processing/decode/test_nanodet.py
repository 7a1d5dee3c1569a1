"""NanoDet against numbers worked out by hand and a plain loop over the published formula."""

import math

import numpy as np
import pytest

OPTIONS = {"family": "nanodet", "reg_max": 10, "strides": [8, 16, 32]}


def reference(scores, distances, size, threshold, *, reg_max, strides, offset=0.5, logits=False):
    """The formula, one candidate and one side after the other."""
    rows, i = [], 0
    for stride in strides:
        for y in range(math.ceil(size[1] / stride)):
            for x in range(math.ceil(size[0] / stride)):
                values = [1 / (1 + math.exp(-v)) if logits else v for v in scores[i].tolist()]
                best = max(values)
                if best >= threshold:
                    sides = []
                    for side in range(4):
                        bins = distances[i, side * (reg_max + 1) : (side + 1) * (reg_max + 1)].tolist()
                        powers = [math.exp(v) for v in bins]
                        sides.append(sum(k * p for k, p in enumerate(powers)) / sum(powers) * stride)
                    cx, cy = (x + offset) * stride, (y + offset) * stride
                    box = (cx - sides[0], cy - sides[1], cx + sides[2], cy + sides[3])
                    rows.append((*box, best, values.index(best)))
                i += 1
    assert i == len(scores)
    return rows


def test_one_box_worked_out_by_hand(decode, agree):
    """A 64 x 32 input, map of stride 16, second row, third cell: centre (40, 24). Sides 1, 0, 2 and 3.5 strides."""
    scores = np.zeros((1, 32 + 8 + 2, 2), np.float32)
    distances = np.zeros((1, 42, 44), np.float32)
    cell = 32 + 1 * 4 + 2
    scores[0, cell] = 0.2, 0.9
    for side, bins in enumerate([[1], [0], [2], [3, 4]]):
        distances[0, cell, [side * 11 + k for k in bins]] = 60  # all of the softmax, or half each
    found = decode(OPTIONS, (64, 32), 2, 0.5, scores=scores, distances=distances)
    agree(found, [(40 - 16, 24 - 0, 40 + 32, 24 + 56, 0.9, 1)])


@pytest.mark.parametrize("size", [(64, 64), (96, 40)])
@pytest.mark.parametrize("threshold", [0.0, 0.6, 0.97])
def test_random_outputs(decode, agree, size, threshold):
    rng = np.random.default_rng(3)
    count = sum(math.ceil(size[0] / s) * math.ceil(size[1] / s) for s in OPTIONS["strides"])
    scores = rng.random((1, count, 3), np.float32)
    distances = rng.normal(0, 3, (1, count, 44)).astype(np.float32)
    found = decode(OPTIONS, size, 3, threshold, scores=scores, distances=distances)
    wanted = reference(scores[0], distances[0], size, threshold, reg_max=10, strides=[8, 16, 32])
    assert threshold > 0 or len(wanted) == count
    agree(found, wanted)


def test_nanodet_plus_with_one_tensor_and_raw_scores(decode, agree):
    rng = np.random.default_rng(4)
    scores = rng.normal(0, 3, (1, 85, 2)).astype(np.float32)
    distances = rng.normal(0, 3, (1, 85, 32)).astype(np.float32)
    options = {
        "family": "nanodet",
        "reg_max": 7,
        "strides": [8, 16, 32, 64],
        "center_offset": 0.0,
        "activation": "sigmoid",
    }
    both = np.concatenate([scores, distances], axis=2)
    found = decode(options, (64, 64), 2, 0.7, predictions=both)
    kwargs = {"reg_max": 7, "strides": [8, 16, 32, 64], "offset": 0.0, "logits": True}
    agree(found, reference(scores[0], distances[0], (64, 64), 0.7, **kwargs))
    assert len(found.scores) > 5
