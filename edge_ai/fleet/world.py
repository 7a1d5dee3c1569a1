"""Simulated time: the clock and the alarms of every robot, on one simpy environment that counts nanoseconds."""

from __future__ import annotations

from collections.abc import Callable

from edge_ai.core.clock import NS
from edge_ai.core.errors import EdgeAIError
from edge_ai.routing.alarms import Alarms


class World:
    """The clock that everything in a simulation goes by.

    Raises:
        EdgeAIError: simpy is not installed.
    """

    def __init__(self) -> None:
        try:
            import simpy
        except ImportError:
            raise EdgeAIError(
                "a fleet is simulated with simpy", got="no package simpy", mend="pip install 'edge_ai[fleet]'"
            ) from None
        self._env = simpy.Environment()

    def stamp_ns(self) -> int:
        """As steady time: the simulation's clocks never jump."""
        return int(self._env.now)

    def steady_ns(self) -> int:
        """Nanoseconds since the begin."""
        return int(self._env.now)

    @property
    def now(self) -> float:
        """Seconds since the begin."""
        return float(self._env.now / NS)

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something in so many seconds; at once, but not within this call, if that is below 0."""
        self._env.timeout(max(0, round(seconds * NS))).callbacks.append(lambda _: action())

    def run(self, until: float) -> None:
        """Let time pass until then, s."""
        self._env.run(until=round(until * NS))


class WorldAlarm:
    """One alarm in simulated time."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> bool:
        """Whether the call was prevented."""
        prevented, self.callback = self.callback is not None, None
        return prevented

    def ring(self) -> None:
        """It is due."""
        callback, self.callback = self.callback, None
        if callback is not None:
            callback()


class WorldAlarms(Alarms):
    """Alarms that ring in simulated time, without a thread."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._world = world

    def at(self, when_ns: int, callback: Callable[[], None]) -> WorldAlarm:  # type: ignore[override]
        """Set an alarm."""
        alarm = WorldAlarm(callback)
        self._world.after((when_ns - self._world.steady_ns()) / NS, alarm.ring)
        return alarm

    def start(self) -> None:
        """Nothing to start."""

    def stop(self) -> None:
        """Nothing to stop."""
