import math

import cv2
import numpy as np
import pytest

from edge_ai.routing.params import CloudParams
from edge_ai.routing.quality import JpegQuality

PARAMS = CloudParams()
PIXELS = 640 * 480


def scene(seed=1, rich=12.0):
    """A picture with edges, areas and some noise, (480, 640, 3)."""
    rng = np.random.default_rng(seed)
    image = cv2.resize(rng.integers(0, 255, (12, 16, 3), dtype=np.uint8), (640, 480)).astype(np.float64)
    for _ in range(20):
        x, y, w, h = rng.integers(20, 400, 4)
        cv2.rectangle(image, (int(x), int(y)), (int(x + w), int(y + h)), rng.integers(0, 255, 3).tolist(), 3)
    return np.clip(image + rng.normal(0, rich, image.shape), 0, 255).astype(np.uint8)


def weigh(image, quality):
    return len(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def test_with_nothing_known_or_no_hurry_the_best_is_taken():
    quality = JpegQuality()
    for bandwidth, budget in ((math.nan, 0.2), (1e6, math.inf), (0.0, 0.2), (math.inf, 0.2), (1e6, math.nan)):
        assert quality.choose(PIXELS, bandwidth, budget, PARAMS) == PARAMS.jpeg_quality


def test_a_wide_link_gets_the_best_and_a_narrow_one_the_least():
    quality = JpegQuality()
    assert quality.choose(PIXELS, 50e6, 0.2, PARAMS) == 85
    assert quality.choose(PIXELS, 10e3, 0.2, PARAMS) == 50
    assert quality.choose(PIXELS, 10e3, 0.2, PARAMS.changed(jpeg_least=85)) == 85
    assert quality.choose(PIXELS, 50e6, -0.1, PARAMS) == 50


def test_quality_never_falls_with_the_bandwidth_or_the_time_nor_rises_with_the_size():
    quality, params = JpegQuality(), PARAMS.changed(jpeg_quality=100, jpeg_least=1)
    by_bandwidth = [quality.choose(PIXELS, 10 ** (exponent / 5), 0.2, params) for exponent in range(20, 40)]
    by_size = [quality.choose(PIXELS * scale, 1e6, 0.2, params) for scale in range(1, 20)]
    assert by_bandwidth == sorted(by_bandwidth)
    assert by_size == sorted(by_size, reverse=True)
    assert len(set(by_bandwidth)) > 5


@pytest.mark.parametrize("rich", [2.0, 30.0])
def test_real_images_weigh_what_is_expected_after_a_few(rich):
    quality, image = JpegQuality(), scene(rich=rich)
    for _ in range(10):
        for one in (50, 70, 85):
            quality.learn(one, PIXELS, weigh(image, one))
    for one in (50, 70, 85):
        assert quality.expected_bytes(PIXELS, one) == pytest.approx(weigh(image, one), rel=0.15)


def test_images_are_chosen_to_come_through_in_half_of_the_time():
    quality, image = JpegQuality(), scene(rich=6.0)
    bandwidth, budget = 400_000.0, 0.2
    for _ in range(30):
        chosen = quality.choose(PIXELS, bandwidth, budget, PARAMS.changed(jpeg_least=5))
        quality.learn(chosen, PIXELS, weigh(image, chosen))
    assert 5 < chosen < 85
    assert weigh(image, chosen) / bandwidth < 0.55 * budget
    assert weigh(image, chosen + 10) / bandwidth > 0.5 * budget


def test_one_image_tells_of_the_scene_at_every_quality():
    quality = JpegQuality()
    before = quality.expected_bytes(PIXELS, 50)
    quality.learn(85, PIXELS, 3 * round(quality.expected_bytes(PIXELS, 85)))
    assert quality.expected_bytes(PIXELS, 50) == pytest.approx(3 * before, rel=0.01)


def test_empty_images_teach_nothing():
    quality = JpegQuality()
    before = quality.expected_bytes(PIXELS, 85)
    quality.learn(85, 0, 100)
    quality.learn(85, 100, 0)
    assert quality.expected_bytes(PIXELS, 85) == before
