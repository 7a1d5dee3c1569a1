"""Is something in the robot's way? Geometry in the image, where lower means nearer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

Point = tuple[float, float]


def corners(zone: Sequence[float]) -> list[Point]:
    """The corners of a zone given as x1, y1, x2, y2 of a rectangle or as x, y of each corner of a polygon.

    Example:
        >>> corners([0.0, 0.5, 1.0, 1.0])
        [(0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)]
    """
    if len(zone) == 4:
        x1, y1, x2, y2 = zone
        return [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
    return list(zip(zone[::2], zone[1::2], strict=True))


def reaches(box: Sequence[float], polygon: Sequence[Point]) -> bool:
    """Whether the bottom edge of a box reaches into a zone, or past it towards the robot.

    True if any part of the zone within the box's width lies at or above the bottom edge. An object beyond the zone's
    near end counts too: it is nearer than the zone, and to ignore it would open a blind strip in front of the robot.

    Args:
        box: x1, y1, x2, y2, in the units of ``polygon``.
        polygon: corners of the zone, in order, convex or not.
    """
    left, _, right, bottom = box
    return any(top <= bottom for top in _heights(polygon, left, right))


def _heights(polygon: Sequence[Point], left: float, right: float) -> Iterator[float]:
    """The y of both ends of every edge, cut to left <= x <= right: the least of them is the zone's top there."""
    for (xa, ya), (xb, yb) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if max(xa, xb) < left or min(xa, xb) > right:
            continue
        for x, y in ((xa, ya), (xb, yb)):
            inside = min(max(x, left), right)
            yield y if inside == x else ya + (yb - ya) * (inside - xa) / (xb - xa)
