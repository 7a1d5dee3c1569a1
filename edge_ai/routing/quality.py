"""How well an image may be encoded for a request to come through in time; images are never made smaller."""

from __future__ import annotations

import math
import threading

from edge_ai.routing.params import CloudParams

_SHAPE = ((1, 0.018), (10, 0.032), (30, 0.065), (50, 0.09), (75, 0.14), (85, 0.19), (90, 0.25), (95, 0.37), (100, 0.8))
"""Bytes a pixel of a camera's image by quality, before one was encoded here."""
_STEP = 5
_SHARE = 0.5
"""Of the time left, what the image may take on its way; the answer and an edge that steps in need the rest."""
_SCENE, _CURVE = 0.3, 0.1  # weight of a new image for the scene, and for the form of the curve
_MOST_OFF = 4.0  # times by which one quality may be off the curve


class JpegQuality:
    """Chooses the quality of each image and learns what images weigh. Thread-safe; a call costs some microseconds.

    What an image weighs is the product of a curve over the quality, of the scene (rich or plain, which every image
    tells of, at whatever quality), and of a correction of the curve around each quality, learned from the images that
    had it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scene = 1.0
        self._seen = False
        self._off = [1.0] * (100 // _STEP + 1)

    def choose(self, pixels: int, bandwidth: float, budget: float, params: CloudParams) -> int:
        """The best quality with which the image is sent within half of its time, in steps of five.

        Args:
            pixels: of the image.
            bandwidth: of the link, bytes/s; NaN: not known.
            budget: seconds until its answer is of no more use.
            params: ``jpeg_quality`` is the best there is, and the one where nothing is known; ``jpeg_least`` the least.
        """
        best, least = params.jpeg_quality, params.jpeg_least
        if not (bandwidth > 0 and math.isfinite(bandwidth) and math.isfinite(budget)):
            return best
        allowed = _SHARE * budget * bandwidth
        quality = best
        while quality > least and self.expected_bytes(pixels, quality) > allowed:
            quality = max(least, (quality - 1) // _STEP * _STEP)
        return quality

    def expected_bytes(self, pixels: int, quality: int) -> float:
        """What an image is expected to weigh, in bytes."""
        with self._lock:
            return pixels * self._scene * self._off[_bucket(quality)] * _bytes_a_pixel(quality)

    def learn(self, quality: int, pixels: int, size: int) -> None:
        """Learn from an image that was encoded to ``size`` bytes."""
        if pixels <= 0 or size <= 0:
            return
        with self._lock:
            bucket = _bucket(quality)
            ratio = size / pixels / _bytes_a_pixel(quality)
            # The first image tells of the scene, later ones of both: a change of the scene shows at every quality, one
            # of the curve remains when the scene has settled.
            self._scene += (ratio / self._off[bucket] - self._scene) * (_SCENE if self._seen else 1.0)
            off = self._off[bucket] + (ratio / self._scene - self._off[bucket]) * (_CURVE if self._seen else 0.0)
            self._off[bucket] = min(max(off, 1 / _MOST_OFF), _MOST_OFF)
            self._seen = True


def _bucket(quality: int) -> int:
    return min(max(round(quality / _STEP), 0), 100 // _STEP)


def _bytes_a_pixel(quality: int) -> float:
    """On the straight lines between the points of the curve."""
    low, weight = _SHAPE[0]
    for high, more in _SHAPE[1:]:
        if quality <= high:
            return weight + (more - weight) * max(0, quality - low) / (high - low)
        low, weight = high, more
    return weight
