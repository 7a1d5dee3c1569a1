"""A robot of the fleet: the real router between a simulated machine and simulated servers."""

from __future__ import annotations

import random
from collections.abc import Callable

from edge_ai.core.types import Result
from edge_ai.fleet.machine import Machine
from edge_ai.fleet.scene import Scene
from edge_ai.fleet.sides import CloudSide, EdgeSide, Ping, frame_of
from edge_ai.fleet.tally import Asked, End, Tally
from edge_ai.fleet.world import World, WorldAlarms
from edge_ai.routing.decision import Load, Where
from edge_ai.routing.params import RouterParams
from edge_ai.routing.router import Router
from edge_ai.routing.side import Source

_ASKED = {Where.EDGE: Asked.EDGE, Where.CLOUD: Asked.CLOUD, Where.SKIP: Asked.NOBODY}


class Robot:
    """Captures frames at the rate of its camera and notes how each ends."""

    def __init__(
        self,
        number: int,
        world: World,
        tally: Tally,
        router: RouterParams,
        machine: Machine,
        scene: Scene,
        cloud: CloudSide,
        ping: Ping,
        rng: random.Random,
    ) -> None:
        self._number, self._world, self._tally = number, world, tally
        self._machine, self._scene, self._ping = machine, scene, ping
        self.router = Router(
            EdgeSide(machine, scene),
            cloud,
            router,
            world,
            on_result=self._answered,
            on_error=self._missed,
            alarms=WorldAlarms(world),
            rng=rng,
        )

    def run(self, first: float, period: float, until: float) -> None:
        """Capture a frame every ``period`` seconds from ``first`` on, until then."""

        def capture() -> None:
            self._capture()
            if self._world.now + period < until:
                self._world.after(period, step)

        step: Callable[[], None] = capture
        if first < until:
            self._world.after(first, step)

    def _capture(self) -> None:
        now = self._world.now
        trip = self._ping.due(now)
        if trip is not None:
            self.router.pinged(trip)
        self._scene.step()
        self.router.feel(Load(cpu=self._machine.load()))
        index = self._tally.begin(self._number, now)
        decision = self.router.offer(frame_of(self._scene, index, self._world.steady_ns()))
        self._tally.decided(index, _ASKED[decision.where])

    def _answered(self, result: Result, frame: Source) -> None:
        end = End.EDGE if result.source == "edge" else End.CLOUD
        self._tally.end(frame.header.index, end, self._world.now)

    def _missed(self, frame: Source, error: Exception) -> None:
        self._tally.end(frame.header.index, End.MISSED, self._world.now)
