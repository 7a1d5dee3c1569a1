"""The two sides a simulated robot's router asks: its own machine, and the servers at the other end of its link."""

from __future__ import annotations

import random
from collections.abc import Callable

from edge_ai.core.clock import NS
from edge_ai.core.types import Detections, Frame, Result
from edge_ai.fleet.calibration import Calibration
from edge_ai.fleet.links import RobotLink
from edge_ai.fleet.machine import Machine, Work
from edge_ai.fleet.scene import Scene
from edge_ai.fleet.servers import Cloud
from edge_ai.fleet.tally import Tally
from edge_ai.fleet.world import World
from edge_ai.routing.budget import ShareBudget
from edge_ai.routing.cloud.base import CloudBusyError, CloudUnreachableError
from edge_ai.routing.params import CloudParams
from edge_ai.routing.side import Outcome, Source

Done = Callable[[Outcome], None]
_LEAST_LEFT = 0.01
"""With less time than this to its deadline a request is not sent again, s."""
_RETRIES = 10
"""Retries a robot saves up at most."""


class EdgeSide:
    """The robot's own engine."""

    name = "edge"
    unready = ""

    def __init__(self, machine: Machine, scene: Scene) -> None:
        self._machine, self._scene = machine, scene

    def ask(self, frame: Source, deadline_ns: int, done: Done) -> Work:
        """Begin to answer."""

        def end(answered: bool) -> None:
            done(Outcome(result=answer(frame, self._scene.detections, "edge")) if answered else Outcome(dropped=True))

        work = Work(end)
        self._machine.ask(work)
        return work

    def expected_bytes(self, frame: Source) -> float:
        """None."""
        return 0.0


class CloudSide:
    """Servers behind a link. A refused request is sent again where the retry budget and its deadline allow."""

    name = "cloud"
    unready = ""

    def __init__(
        self,
        world: World,
        cloud: Cloud,
        link: RobotLink,
        scene: Scene,
        calibration: Calibration,
        params: CloudParams,
        tally: Tally,
    ) -> None:
        self._world, self._cloud, self._link, self._scene, self._tally = world, cloud, link, scene, tally
        self._attempts = params.attempts
        self._retries = ShareBudget(params.retry_share, _RETRIES)
        self._request = calibration.request_s
        self._encode = calibration.encode_s * scene.size
        self._bytes = round(calibration.jpeg_bytes * scene.size)

    def ask(self, frame: Source, deadline_ns: int, done: Done) -> SimulatedCall:
        """Encode and send."""
        self._retries.deposit()
        call = SimulatedCall(self, frame, deadline_ns, done)
        self._send(call, self._encode)
        return call

    def expected_bytes(self, frame: Source) -> float:
        """Of the JPEG."""
        return float(self._bytes)

    def _send(self, call: SimulatedCall, encode: float) -> None:
        call.attempts += 1
        up, back = self._link.send(self._bytes, self._world.now + encode)
        call.back = back + self._request
        self._world.after(encode + up, lambda: self._cloud.submit(call))

    def replied(self, call: SimulatedCall, fault: str, service: float) -> None:
        """A server's reply has left for here."""
        self._world.after(call.back, lambda: self._arrived(call, fault, service))

    def _arrived(self, call: SimulatedCall, fault: str, service: float) -> None:
        if call.ended:
            return
        if not fault:
            call.ended = True
            result = answer(call.frame, self._scene.detections, self.name)
            call.done(Outcome(result=result, sent=self._bytes, service=service))
            return
        left = (call.deadline_ns - self._world.steady_ns()) / NS
        if call.attempts < self._attempts and left > _LEAST_LEFT and self._retries.take():
            self._tally.retries += 1
            self._send(call, 0.0)
            return
        call.ended = True
        kind = CloudBusyError if fault == "busy" else CloudUnreachableError
        call.done(Outcome(error=kind(f"server: {fault}"), sent=self._bytes))


class SimulatedCall:
    """A request to the servers."""

    __slots__ = ("_side", "arrived", "attempts", "back", "deadline_ns", "done", "ended", "frame")

    def __init__(self, side: CloudSide, frame: Source, deadline_ns: int, done: Done) -> None:
        self._side, self.frame, self.deadline_ns, self.done = side, frame, deadline_ns, done
        self.arrived = self.back = 0.0
        self.attempts = 0
        self.ended = False

    def cancel(self) -> None:
        """The robot gives it up; a server that has not begun with it yet never will."""
        self.ended = True

    def replied(self, fault: str, service: float) -> None:
        """A server's reply leaves."""
        self._side.replied(self, fault, service)


class Ping:
    """When a robot last looked whether the servers are there."""

    def __init__(self, link: RobotLink, cloud: Cloud, period: float, rng: random.Random) -> None:
        self._link, self._cloud, self._period = link, cloud, period
        self._next = rng.uniform(0, period)

    def due(self, now: float) -> float | None:
        """The round trip, where a look is due and a server answers it."""
        if now < self._next:
            return None
        self._next = now + self._period
        return None if self._cloud.down else self._link.round_trip()


def answer(frame: Source, detections: Detections, source: str) -> Result:
    """An answer as a model gives it."""
    return Result(frame.header, detections, "simulated", "1", source)


def frame_of(scene: Scene, index: int, now_ns: int) -> Frame:
    """A frame that has just been captured; its pixels do not matter."""
    return Frame(scene.header(index, now_ns), scene.pixels)
