"""Limits of speed, acceleration and jerk, kept whatever the time between two commands."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge_ai.control.params import ControlParams
from edge_ai.core.types import STOP, Velocity

_ROUNDING = 1e-9


@dataclass(frozen=True)
class AxisLimits:
    """Limits of one axis, in m or rad and s.

    Attributes:
        speed: greatest absolute speed.
        acceleration: greatest acceleration away from standstill.
        deceleration: greatest deceleration towards standstill.
        jerk: greatest change of the acceleration; 0: none.
    """

    speed: float
    acceleration: float
    deceleration: float
    jerk: float = 0.0


class Axis:
    """One axis of motion: brings its speed towards a wanted one as fast as the limits allow, without overshoot.

    A change of direction goes through standstill. With a jerk limit J the acceleration a is kept such that the speed
    still to be gained while a falls to zero, a^2 / (2 J), never passes the speed wanted (v = a^2 / (2 J) for a ramp of
    constant jerk from a to 0; see Biagiotti & Melchiorri, Trajectory Planning for Automatic Machines and Robots,
    2008, ch. 3). Steps of any length keep it: a sum of falling rectangles is less than the triangle over them.
    """

    def __init__(self) -> None:
        self.speed = 0.0
        self._acceleration = 0.0

    def stop(self) -> None:
        """Stand still, at once."""
        self.speed = self._acceleration = 0.0

    def move(self, wanted: float, limits: AxisLimits, dt: float) -> float:
        """Advance by ``dt`` seconds towards a wanted speed; returns the speed to command now."""
        goal = min(max(wanted, -limits.speed), limits.speed)
        if self.speed * goal < 0:
            goal = 0.0
        if dt > 0:
            self._acceleration = self._pick(goal - self.speed, limits, dt)
            self.speed += self._acceleration * dt
            if abs(goal - self.speed) < _ROUNDING:
                self.speed = goal
        return self.speed

    def _pick(self, error: float, limits: AxisLimits, dt: float) -> float:
        up = limits.deceleration if self.speed < 0 else limits.acceleration
        down = limits.deceleration if self.speed > 0 else limits.acceleration
        jerk, step = limits.jerk, limits.jerk * dt
        # The root of |error| = a dt + a^2 / (2 J): this step, and the ramp of a to zero that must follow it.
        best = math.copysign(math.sqrt(step**2 + 2 * jerk * abs(error)) - step, error) if jerk else error / dt
        best = min(max(best, -down), up)
        if jerk:
            best = min(max(best, self._acceleration - step), self._acceleration + step)
        return best


class Limiter:
    """Both axes of a planar robot."""

    def __init__(self) -> None:
        self._linear, self._angular = Axis(), Axis()

    def stop(self) -> Velocity:
        """Stand still, at once: nothing is ramped."""
        self._linear.stop()
        self._angular.stop()
        return STOP

    def move(self, wanted: Velocity, params: ControlParams, dt: float) -> Velocity:
        """The velocity to command ``dt`` seconds after the last one, on the way to the one wanted."""
        p = params
        linear = AxisLimits(p.max_linear_speed, p.max_linear_acceleration, p.max_linear_deceleration, p.max_linear_jerk)
        angular = AxisLimits(
            p.max_angular_speed, p.max_angular_acceleration, p.max_angular_acceleration, p.max_angular_jerk
        )
        return Velocity(self._linear.move(wanted.linear, linear, dt), self._angular.move(wanted.angular, angular, dt))
