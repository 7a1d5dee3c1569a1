"""The servers that a fleet shares: a balancer, bounded queues, batches, and outages."""

from __future__ import annotations

import random
from collections import deque
from typing import Protocol

from edge_ai.fleet.calibration import Calibration
from edge_ai.fleet.machine import noisy
from edge_ai.fleet.params import FleetParams
from edge_ai.fleet.tally import Tally
from edge_ai.fleet.world import World


class Request(Protocol):
    """A request as a server sees it."""

    ended: bool
    arrived: float

    def replied(self, fault: str, service: float) -> None:
        """The server's reply leaves: an answer if ``fault`` is empty, after so many seconds of work."""


class _Server:
    """One replica: takes what waits as a batch whenever it is idle."""

    __slots__ = ("busy", "running", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[Request] = deque()
        self.running: list[Request] = []
        self.busy = False

    @property
    def outstanding(self) -> int:
        return len(self.waiting) + len(self.running)


class Cloud:
    """All replicas behind a balancer that compares two at random and takes the one with less to do.

    A request that finds the queue full, or waits too long in it, is refused, as Triton's queue policy does. A request
    that its robot gave up is not run. In an outage all is lost that waits or runs, and nothing else is taken.
    """

    def __init__(self, world: World, params: FleetParams, calibration: Calibration, tally: Tally) -> None:
        self._world, self._params, self._calibration, self._tally = world, params, calibration, tally
        self._rng = random.Random(f"{params.seed}/cloud")
        self.servers = [_Server() for _ in range(replicas(params, calibration))]
        self._epoch = 0
        self.down = False

    def submit(self, request: Request) -> None:
        """A request arrives."""
        if request.ended:
            return
        now = self._world.now
        self._tally.count("arrivals", now)
        if self.down:
            if self._params.outage == "refuse":
                request.replied("refused", 0.0)
            return
        server = self._choose()
        if len(server.waiting) >= self._params.queue_size:
            self._tally.count("refusals", now)
            request.replied("busy", 0.0)
            return
        request.arrived = now
        server.waiting.append(request)
        if not server.busy:
            self._start(server)

    def fail(self) -> None:
        """All servers go, with all they hold."""
        self.down = True
        self._epoch += 1
        for server in self.servers:
            server.waiting.clear()
            server.running = []
            server.busy = False

    def recover(self) -> None:
        """All servers are back, empty."""
        self.down = False

    @property
    def waiting(self) -> int:
        """Requests in all queues."""
        return sum(len(server.waiting) for server in self.servers)

    def _choose(self) -> _Server:
        servers = self.servers
        if len(servers) == 1:
            return servers[0]
        one, other = self._rng.choice(servers), self._rng.choice(servers)
        return one if one.outstanding <= other.outstanding else other

    def _start(self, server: _Server) -> None:
        now, params = self._world.now, self._params
        batch: list[Request] = []
        while server.waiting and len(batch) < params.max_batch:
            request = server.waiting.popleft()
            if request.ended:
                continue
            if now - request.arrived > params.queue_timeout:
                self._tally.count("refusals", now)
                request.replied("busy", 0.0)
                continue
            batch.append(request)
        server.running, server.busy = batch, bool(batch)
        if not batch:
            return
        took = self._calibration.service(len(batch)) * noisy(self._rng, params.noise)
        self._tally.count("images", now, len(batch))
        self._tally.count("work", now, took)
        epoch = self._epoch
        self._world.after(took, lambda: self._finish(server, epoch, took))

    def _finish(self, server: _Server, epoch: int, took: float) -> None:
        if epoch != self._epoch:
            return
        done, server.running = server.running, []
        for request in done:
            request.replied("", took)
        self._start(server)

    def plan_outage(self) -> None:
        """Fail and recover when the parameters say."""
        if self._params.has_outage:
            self._world.after(self._params.outage_start, self.fail)
            self._world.after(self._params.outage_end, self.recover)


def replicas(params: FleetParams, calibration: Calibration) -> int:
    """Servers that answer ``provision`` of the simulated frames; at least one."""
    wanted = params.provision * params.robots * params.simulated_rate
    return max(1, round(wanted / calibration.rate(params.max_batch)))
