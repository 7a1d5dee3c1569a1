"""YOLOX against numbers worked out by hand and a plain loop over the published formula."""

import math

import numpy as np
import pytest

from edge_ai.core.errors import InferenceError


def reference(table, size, strides, threshold, decoded):
    rows, i = [], 0
    for stride in strides:
        for gy in range(size[1] // stride):
            for gx in range(size[0] // stride):
                x, y, w, h, objectness, *classes = table[i].tolist()
                if not decoded:
                    x, y = (x + gx) * stride, (y + gy) * stride
                    w, h = math.exp(w) * stride, math.exp(h) * stride
                scores = [objectness * c for c in classes]
                if max(scores) >= threshold:
                    box = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
                    rows.append((*box, max(scores), scores.index(max(scores))))
                i += 1
    assert i == len(table)
    return rows


@pytest.mark.parametrize("decoded", [False, True])
@pytest.mark.parametrize("strides", [(8, 16, 32), (8, 16, 32, 64)])
def test_random_outputs(decode, agree, decoded, strides):
    rng = np.random.default_rng(7)
    size = (128, 64)
    table = rng.random((1, sum(size[0] // s * (size[1] // s) for s in strides), 8), np.float32)
    table[0, :, :4] = rng.normal(0, 1, table[0, :, :4].shape)
    options = {"family": "yolox", "decoded": decoded, "strides": list(strides)}
    for threshold in (0.0, 0.4):
        found = decode(options, size, 3, threshold, predictions=table)
        agree(found, reference(table[0], size, strides, threshold, decoded))


def test_one_box_worked_out_by_hand(decode, agree):
    """A 64 x 64 input, stride 16, second row, third cell, half a cell in: centre (40, 24), size 32 x 16."""
    table = np.zeros((1, 64 + 16 + 4, 6), np.float32)
    table[0, 64 + 4 + 2] = 0.5, 0.5, math.log(2), 0, 0.9, 1.0
    agree(decode({"family": "yolox"}, (64, 64), 1, 0.5, predictions=table), [(24, 16, 56, 32, 0.9, 0)])


def test_a_size_beyond_all_numbers_is_refused(decode):
    table = np.zeros((1, 84, 6), np.float32)
    table[0, 0] = 0, 0, 1000, 0, 1, 1
    with pytest.raises(InferenceError, match="decoded boxes: got 2 of 4 values NaN or infinite"):
        decode({"family": "yolox"}, (64, 64), 1, 0.5, predictions=table)
