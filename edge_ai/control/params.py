"""Parameters of the control node: the only place with their defaults, ranges, units and descriptions."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from edge_ai.core.params import Params, param


class ControlParams(Params):
    """What to follow, what to stop for, and how fast to move. The default speeds suit a small robot indoors."""

    rate: float = param(
        50.0, "Least number of commands a second; one more goes out with every result.", unit="Hz", ge=20, le=1000
    )
    max_age: float = param(
        0.25,
        "Age of the newest result, from its capture, past which the robot stops.",
        unit="s",
        ge=0.02,
        le=5,
        live=True,
    )
    future_tolerance: float = param(
        0.05, "How far a capture stamp may lie ahead of this machine's clock.", unit="s", ge=0, le=1, live=True
    )

    follow_class: str = param("person", "Class to follow; * follows any, empty follows nothing.", live=True)
    follow_by: Literal["largest", "nearest"] = param(
        "largest", "Whom to choose: the largest box, or the nearest (the lowest bottom edge).", live=True
    )
    min_score: float = param(
        0.45, "Least score of somebody to begin following; a lower one does not lose them.", ge=0, le=1, live=True
    )
    lost_after: float = param(
        1.0,
        "How long to stand and wait for the one followed before choosing another.",
        unit="s",
        ge=0,
        le=60,
        live=True,
    )
    target_height: float = param(
        0.7,
        "Height of the target's box, as a part of the image's, at which the robot is near enough.",
        ge=0.05,
        le=1,
        live=True,
    )
    height_dead_band: float = param(
        0.03, "Error of that height, as a part of the image's, that calls for no driving.", ge=0, le=0.5, live=True
    )
    allow_reverse: bool = param(False, "Back away from a target that is too near.", live=True)
    linear_gain: float = param(
        1.0, "Speed for a target whose box is a whole image height too small.", unit="m/s", ge=0, le=20, live=True
    )
    angular_gain: float = param(
        1.0, "Turning rate for each radian that the target is off centre.", unit="1/s", ge=0, le=20, live=True
    )
    bearing_dead_band: float = param(
        0.05, "Bearing of the target that calls for no turning.", unit="rad", ge=0, le=1, live=True
    )
    horizontal_fov: float = param(
        1.05, "Horizontal field of view of the camera.", unit="rad", ge=0.1, le=3.0, live=True
    )

    obstacle_classes: list[str] = param(
        ["*"],
        "Classes to stop for inside the stop zone, the one followed included; * is any class, empty is none.",
        live=True,
    )
    obstacle_min_score: float = param(0.4, "Least score of an obstacle.", ge=0, le=1, live=True)
    stop_zone: list[float] = param(
        [0.25, 0.9, 0.75, 1.0],
        "Where the robot is about to drive, as parts of the image's width and height: x1, y1, x2, y2 of a rectangle, "
        "or x, y of each corner of a polygon. A box whose bottom edge reaches into it, or past it, is an obstacle.",
        live=True,
    )
    obstacle_clear_after: float = param(
        0.5, "How long the stop zone must have been free before the robot drives on.", unit="s", ge=0, le=10, live=True
    )

    max_linear_speed: float = param(0.3, "Limit of the speed.", unit="m/s", ge=0, le=10, live=True)
    max_angular_speed: float = param(0.8, "Limit of the turning rate.", unit="rad/s", ge=0, le=10, live=True)
    max_linear_acceleration: float = param(
        0.5, "Limit of the acceleration when gaining speed.", unit="m/s^2", ge=0.01, le=50, live=True
    )
    max_linear_deceleration: float = param(
        1.0,
        "Limit of the deceleration when losing speed; a stop for safety is immediate.",
        unit="m/s^2",
        ge=0.01,
        le=50,
        live=True,
    )
    max_angular_acceleration: float = param(
        2.0, "Limit of the change of the turning rate.", unit="rad/s^2", ge=0.01, le=100, live=True
    )
    max_linear_jerk: float = param(
        0.0, "Limit of the change of the acceleration; 0: none.", unit="m/s^3", ge=0, le=1000, live=True
    )
    max_angular_jerk: float = param(
        0.0, "Limit of the change of the angular acceleration; 0: none.", unit="rad/s^3", ge=0, le=1000, live=True
    )

    stamped: bool = param(False, "Publish TwistStamped in place of Twist.")
    base_frame_id: str = param("base_link", "Frame of the robot's body, in which commands are meant.")

    @field_validator("stop_zone")
    @classmethod
    def _check_zone(cls, zone: list[float]) -> list[float]:
        if len(zone) < 4 or len(zone) % 2:
            raise ValueError("a rectangle takes 4 numbers, a polygon 2 for each of 3 or more corners")
        if not all(0 <= value <= 1 for value in zone):
            raise ValueError("every number must lie between 0 and 1")
        if len(zone) == 4 and not (zone[0] < zone[2] and zone[1] < zone[3]):
            raise ValueError("x1 must be less than x2, y1 less than y2")
        return zone
