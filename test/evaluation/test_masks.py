"""Regions as pycocotools draws them."""

import numpy as np
import pytest

from edge_ai.evaluation.coco_file import Runs
from edge_ai.evaluation.masks import Drawing, unpacked
from edge_ai.evaluation.truth import IGNORED

mask = pytest.importorskip("pycocotools.mask")


def drawn(shape, height, width):
    return Drawing("labels", width, height, None, ((1, 0, shape),))() != IGNORED


@pytest.mark.parametrize("share", [0.001, 0.03, 0.5, 0.99])
def test_runs_packed_and_plain(share):
    random = np.random.default_rng(9)
    for height, width in ((1, 1), (7, 300), (480, 640)):
        wanted = random.random((height, width)) < share
        packed = mask.encode(np.asfortranarray(wanted.astype(np.uint8)))["counts"].decode()
        assert np.array_equal(drawn(Runs(size=[height, width], counts=packed), height, width), wanted)
        assert np.array_equal(drawn(Runs(size=[height, width], counts=unpacked(packed)), height, width), wanted)


def test_polygons():
    random = np.random.default_rng(9)
    shape = [random.uniform(0, 60, 12).tolist(), random.uniform(0, 60, 8).tolist()]
    wanted = mask.decode(mask.merge(mask.frPyObjects(shape, 50, 70))).astype(bool)
    assert 0 < wanted.sum() < wanted.size
    assert np.array_equal(drawn(shape, 50, 70), wanted)


def test_later_regions_lie_on_top_and_all_of_them_on_crowds():
    def runs(first, count):
        return Runs(size=[1, 10], counts=[first, count, 10 - first - count])

    regions = ((1, 0, runs(0, 5)), (2, 1, runs(3, 4)), (3, -1, runs(6, 3)))
    assert Drawing("labels", 10, 1, 2, regions)().tolist() == [[0, 0, 0, 1, 1, 1, 1, IGNORED, IGNORED, 2]]


@pytest.mark.parametrize("counts", ["", "~", "P", "0\n", "00é"])
def test_what_is_no_packed_form(counts):
    assert unpacked(counts) == []
