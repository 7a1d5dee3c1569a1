"""Decides what the wheels do: results in, commands out, and zero whenever in doubt."""

from __future__ import annotations

import logging
import threading

from edge_ai.control.command import Command as Command
from edge_ai.control.command import ControlState as ControlState
from edge_ai.control.follow import bearing, follow
from edge_ai.control.intake import Intake
from edge_ai.control.limits import Limiter
from edge_ai.control.params import ControlParams
from edge_ai.control.scene import Scene
from edge_ai.control.tracker import Target
from edge_ai.core.clock import NS, Clock
from edge_ai.core.spans import profiled
from edge_ai.core.types import STOP, Result

log = logging.getLogger(__name__)

_STATES_THAT_SEE = (ControlState.FOLLOWING, ControlState.OBSTACLE)


class Controller:
    """Follows somebody, within limits, as long as fresh results of the model say that it may.

    Every state but FOLLOWING commands zero at once, without a ramp: the simple choice, and the safe one. A robot that
    stands is told zero again with every step. Safe to call from several threads. Active from the start.

    Args:
        params: how to move.
        clock: ages are taken on its steady time.

    Example:
        >>> from edge_ai.core.clock import ManualClock
        >>> Controller(ControlParams(), ManualClock()).step().reason
        'no result yet'
    """

    def __init__(self, params: ControlParams, clock: Clock) -> None:
        self._params, self._clock = params, clock
        self._lock = threading.RLock()
        self._emergency = ""
        self._begin()

    def activate(self) -> None:
        """Begin anew: counters at zero and no result known. An emergency stop stays in force."""
        with self._lock:
            self._begin()

    def deactivate(self) -> Command:
        """Take no more results and stand still until `activate`; returns the stop to send last."""
        with self._lock:
            self._active = False
            return self.step()

    def update(self, params: ControlParams) -> None:
        """Use other parameters from now on."""
        with self._lock:
            self._params = params

    def emergency_stop(self, reason: str) -> None:
        """Stand still until `reset`, whatever else is called."""
        with self._lock:
            self._emergency = reason or "no reason given"
            self._limiter.stop()

    def reset(self) -> str:
        """Lift the emergency stop; the robot moves again only on a result handed in later. Says what was done."""
        with self._lock:
            done = f"emergency stop lifted ({self._emergency})" if self._emergency else "no emergency stop to lift"
            self._emergency = ""
            self._intake.forget()
            self._scene.forget_target()
            return done

    @profiled(name="track")
    def offer(self, result: Result) -> None:
        """Hand in a result. One that is too old, out of order or malformed is refused and counted.

        Args:
            result: its ``header.steady_ns`` is the instant of capture on the clock given to the controller.
        """
        with self._lock:
            if self._active:
                self._intake.offer(result, self._params, self._clock.steady_ns())

    @profiled(name="control")
    def step(self) -> Command:
        """Decide what to do now. Never raises: what goes wrong inside stops the robot and is logged."""
        with self._lock:
            self._commands += 1
            try:
                return self._step()
            except Exception as error:
                log.exception("the controller failed; the robot stands still")
                return self._fail(error)

    def _begin(self) -> None:
        self._active = True
        self._intake, self._scene, self._limiter = Intake(), Scene(), Limiter()
        self._commands = self._stale = 0
        self._state = ControlState.STALE
        self._stepped_ns: int | None = None

    def _step(self) -> Command:
        now = self._clock.steady_ns()
        dt = self._elapsed(now)
        state, reason = self._judge(now)
        target = self._scene.target if state in _STATES_THAT_SEE else None
        result, velocity = self._intake.result, STOP
        if state is ControlState.FOLLOWING and target is not None and result is not None:
            velocity = self._limiter.move(follow(target.box, result.header, self._params), self._params, dt)
        else:
            self._limiter.stop()
        ceased = state is ControlState.STALE and self._state is not state and result is not None and self._active
        self._stale += ceased
        self._state = state
        header = result.header if result is not None else None
        age = self._intake.age(now)
        return Command(velocity, state, reason, age, header, target, self._commands, self._intake.refused, self._stale)

    def _judge(self, now: int) -> tuple[ControlState, str]:
        if self._emergency:
            return ControlState.EMERGENCY_STOP, f"emergency stop: {self._emergency}"
        if not self._active:
            return ControlState.STALE, "not active"
        if self._intake.malformed:
            return ControlState.MALFORMED, f"malformed result: {self._intake.malformed}"
        if self._intake.result is None or not self._intake.fresh(self._params, now):
            return ControlState.STALE, self._why_stale(now)
        self._scene.look(self._intake.result, self._params)
        if self._scene.obstacle:
            return ControlState.OBSTACLE, self._scene.obstacle
        if self._scene.target is None:
            return ControlState.NO_TARGET, self._scene.waiting(now)
        return ControlState.FOLLOWING, self._why_moving(self._scene.target, self._intake.result)

    def _why_stale(self, now: int) -> str:
        age, refusal = self._intake.age(now), self._intake.refusal
        reason = "no result yet" if age is None else f"newest result {age:.3f} s old, limit {self._params.max_age:g} s"
        return f"{reason}; last one refused: {refusal}" if refusal else reason

    def _why_moving(self, target: Target, result: Result) -> str:
        angle = bearing(target.box, result.header.width, self._params.horizontal_fov)
        height = (target.box[3] - target.box[1]) / result.header.height
        return (
            f"following {target.class_name} {target.track_id} ({target.score:.2f}): bearing {angle:+.2f} rad, "
            f"height {height:.2f} of {self._params.target_height:g}"
        )

    def _elapsed(self, now: int) -> float:
        """Seconds since the last step; a late one earns no more than two periods, so the speed never leaps."""
        period = 1 / self._params.rate
        last, self._stepped_ns = self._stepped_ns, now
        return period if last is None else min((now - last) / NS, 2 * period)

    def _fail(self, error: Exception) -> Command:
        self._limiter, self._scene = Limiter(), Scene()
        self._intake.forget()
        self._intake.malformed = f"internal error: {error!r}"
        self._state = state = ControlState.MALFORMED
        return Command(
            STOP, state, self._intake.malformed, None, None, None, self._commands, self._intake.refused, self._stale
        )
