"""What the controller decides: a velocity, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from edge_ai.control.tracker import Target
from edge_ai.core.types import FrameHeader, Velocity


class ControlState(IntEnum):
    """Why the robot moves or stands; the numbers of msg/ControlStatus.msg."""

    FOLLOWING = 0
    NO_TARGET = 1
    OBSTACLE = 2
    STALE = 3
    MALFORMED = 4
    EMERGENCY_STOP = 5


@dataclass(frozen=True, slots=True)
class Command:
    """One decision.

    Attributes:
        velocity: what the wheels are to do now; zero in every state but FOLLOWING.
        state: why.
        reason: the state in words, with numbers.
        age_s: seconds since the capture of the newest result accepted; None if there is none.
        header: of that result.
        target: the one followed; None if nobody is seen.
        commands: commands decided since activation, this one included.
        refused: results refused since activation: too old, out of order or malformed.
        stale: times since activation that fresh results ceased and the robot was stopped for it.
    """

    velocity: Velocity
    state: ControlState
    reason: str
    age_s: float | None
    header: FrameHeader | None
    target: Target | None
    commands: int
    refused: int
    stale: int
