"""From the box of somebody in the image to the velocity that follows them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from edge_ai.control.params import ControlParams
from edge_ai.core.types import FrameHeader, Velocity


def bearing(box: Sequence[float], width: int, horizontal_fov: float) -> float:
    """Angle from the optical axis to the middle of a box, in rad, to the left positive (REP 103).

    Pinhole camera without distortion (Hartley & Zisserman, Multiple View Geometry, 2nd ed., ch. 6): focal length
    f = w / (2 tan(fov / 2)) and tan(bearing) = (w / 2 - c) / f for a box centred on column c of a w px wide image.

    Args:
        box: x1, y1, x2, y2 in pixels.
        width: of the image in pixels.
        horizontal_fov: of the camera in rad, below pi.

    Example:
        >>> round(bearing([0, 0, 0, 10], 640, 1.0), 3)
        0.5
    """
    centre = (box[0] + box[2]) / 2
    return math.atan((0.5 - centre / width) * 2 * math.tan(horizontal_fov / 2))


def follow(box: Sequence[float], header: FrameHeader, params: ControlParams) -> Velocity:
    """The velocity that turns towards a box and drives until it is tall enough; a proportional rule on each axis.

    The height of the box stands for the distance: an object of height H at distance Z is f H / Z pixels tall. It turns
    by ``angular_gain`` times the bearing and drives by ``linear_gain`` times the height still missing, neither inside
    its dead band. Limits are not applied here.

    Args:
        box: x1, y1, x2, y2 in pixels of the image that ``header`` describes.
        header: of the frame.
        params: gains, dead bands, field of view.
    """
    angle = bearing(box, header.width, params.horizontal_fov)
    angular = params.angular_gain * angle if abs(angle) > params.bearing_dead_band else 0.0
    missing = params.target_height - (box[3] - box[1]) / header.height
    linear = params.linear_gain * missing if abs(missing) > params.height_dead_band else 0.0
    if linear < 0 and not params.allow_reverse:
        linear = 0.0
    return Velocity(linear, angular)
