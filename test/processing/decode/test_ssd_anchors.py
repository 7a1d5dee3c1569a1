"""Default boxes: those of TensorFlow's 300-pixel SSD, some of them by hand."""

import math

import numpy as np
import pytest

from edge_ai.processing.decode.ssd import SsdOptions
from edge_ai.processing.decode.ssd_anchors import ssd_anchors

USUAL = SsdOptions(family="ssd").model_dump(
    include={"feature_maps", "min_scale", "max_scale", "aspect_ratios", "reduce_lowest"}
)


def test_there_are_as_many_as_in_the_models():
    maps = USUAL["feature_maps"]
    wanted = [side * side * (3 if i == 0 else 6) for i, side in enumerate(maps)]
    assert wanted == [1083, 600, 150, 54, 24, 6]
    assert ssd_anchors(**USUAL).shape == (1917, 4)


# Index of an anchor, then its centre and size worked out from scales 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.
BY_HAND = {
    0: (0.5 / 19, 0.5 / 19, 0.1, 0.1),
    1: (0.5 / 19, 0.5 / 19, 0.2 * math.sqrt(2), 0.2 / math.sqrt(2)),
    2: (0.5 / 19, 0.5 / 19, 0.2 / math.sqrt(2), 0.2 * math.sqrt(2)),
    3: (1.5 / 19, 0.5 / 19, 0.1, 0.1),
    3 * 19: (0.5 / 19, 1.5 / 19, 0.1, 0.1),
    1083: (0.05, 0.05, 0.35, 0.35),
    1083 + 3: (0.05, 0.05, 0.35 * math.sqrt(3), 0.35 / math.sqrt(3)),
    1083 + 5: (0.05, 0.05, math.sqrt(0.35 * 0.5), math.sqrt(0.35 * 0.5)),
    1916 - 1: (0.5, 0.5, 0.95 / math.sqrt(3), 0.95 * math.sqrt(3)),
    1916: (0.5, 0.5, math.sqrt(0.95), math.sqrt(0.95)),
}


@pytest.mark.parametrize("index", BY_HAND)
def test_some_by_hand(index):
    np.testing.assert_allclose(ssd_anchors(**USUAL)[index], BY_HAND[index], rtol=1e-6)


def test_all_boxes_on_a_full_lowest_map():
    anchors = ssd_anchors([2], min_scale=0.4, max_scale=0.9, aspect_ratios=[1.0, 4.0], reduce_lowest=False)
    wanted = [(0.4, 0.4), (0.8, 0.2), (math.sqrt(0.4), math.sqrt(0.4))]
    np.testing.assert_allclose(anchors[:3], [(0.25, 0.25, *size) for size in wanted], rtol=1e-6)
    np.testing.assert_allclose(anchors[::3, :2], [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)])
