"""Masks against a plain loop: bilinear samples of the scores, letterbox undone, the best class of each pixel."""

import math

import numpy as np
import pytest

from edge_ai.processing.decode.base import RawMap
from edge_ai.processing.masks import to_mask
from edge_ai.processing.resize import place
from edge_ai.processing.spec import InputSpec

SIZE = (64, 48)


def reference(scores, ids, floor, placement, inside):
    """Each pixel's class from the definition, in float64; None where the two best are too close to call."""
    _, rows, columns = scores.shape
    share_x, share_y = columns / SIZE[0], rows / SIZE[1]
    left, top = math.floor(placement.offset_x * share_x), math.floor(placement.offset_y * share_y)
    right = math.ceil((placement.offset_x + inside[0]) * share_x - 1e-9) - 1
    bottom = math.ceil((placement.offset_y + inside[1]) * share_y - 1e-9) - 1

    def sample(plane, x, y):
        x, y = min(max(x, left), right), min(max(y, top), bottom)
        x1, y1 = min(int(x) + 1, right), min(int(y) + 1, bottom)
        across, down = x - int(x), y - int(y)
        above = plane[int(y), int(x)] * (1 - across) + plane[int(y), x1] * across
        below = plane[y1, int(x)] * (1 - across) + plane[y1, x1] * across
        return above * (1 - down) + below * down

    wanted = []
    for row in range(placement.height):
        for column in range(placement.width):
            x = ((column + 0.5) * placement.scale_x + placement.offset_x) * share_x - 0.5
            y = ((row + 0.5) * placement.scale_y + placement.offset_y) * share_y - 0.5
            values = [sample(plane, x, y) for plane in scores.astype(float)]
            best = max(range(len(values)), key=lambda i: values[i])
            others = [floor, *values[:best], *values[best + 1 :]]
            close = min(abs(values[best] - other) for other in others) < 0.03
            wanted.append(None if close else ids[best] if values[best] >= floor else 0)
    return wanted


@pytest.mark.parametrize("cells", [(64, 48), (16, 12), (8, 6), (20, 15)])
@pytest.mark.parametrize("source", [(80, 60), (96, 40), (30, 70), (33, 17)])
@pytest.mark.parametrize("rule", [{}, {"align": "top_left"}, {"resize": "stretch"}])
def test_every_pixel_is_of_its_best_class(cells, source, rule):
    placement, inside = place(source, InputSpec(name="x", layout="nchw", size=list(SIZE), color="rgb", **rule))
    rng = np.random.default_rng(1)
    raw = RawMap(rng.random((3, *cells[::-1]), np.float32), np.array([0, 2, 5], np.int32), 0.55)
    mask = to_mask(raw, placement, SIZE)
    wanted = reference(raw.scores, [0, 2, 5], 0.55, placement, inside)
    assert (mask.shape, mask.dtype) == (source[::-1], np.uint8)
    sure = [i for i, number in enumerate(wanted) if number is not None]
    assert len(sure) > 0.6 * len(wanted)
    assert mask.ravel()[sure].tolist() == [wanted[i] for i in sure]


def test_the_border_of_a_letterbox_has_no_say():
    spec = InputSpec(name="x", layout="nchw", size=list(SIZE), color="rgb")
    placement, (_, height) = place((64, 16), spec)  # rows 16 to 32 of the input
    scores = np.ones((1, 48, 64), np.float32)
    scores[:, 16 : 16 + height] = 0
    mask = to_mask(RawMap(scores, np.array([1], np.int32), 0.5), placement, SIZE)
    assert not mask.any()


def test_a_tie_goes_to_the_lower_class_and_the_least_score_counts():
    placement, _ = place(SIZE, InputSpec(name="x", layout="nchw", size=list(SIZE), color="rgb"))
    maps = np.full((2, 6, 8), 0.5, np.float32)
    assert set(np.unique(to_mask(RawMap(maps, np.array([3, 4], np.int32), 0.5), placement, SIZE))) == {3}
    assert set(np.unique(to_mask(RawMap(maps, np.array([3, 4], np.int32), 0.6), placement, SIZE))) == {0}


def test_classes_not_wanted_become_background_and_nobody_else_s():
    placement, _ = place(SIZE, InputSpec(name="x", layout="nchw", size=list(SIZE), color="rgb"))
    maps = np.zeros((3, 48, 64), np.float32)
    maps[0], maps[1, :24], maps[2, :, :32] = 0.1, 0.8, 0.9
    raw = RawMap(maps, np.array([0, 1, 2], np.int32), -math.inf)
    mask = to_mask(raw, placement, SIZE, {1})
    assert set(np.unique(mask[:24, 32:])) == {1}
    assert not mask[:24, :32].any(), "what is of class 2 is not of class 1"
    assert not mask[24:].any()
