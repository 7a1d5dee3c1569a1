"""Builds a fleet, lets it run, and hands back what was seen."""

from __future__ import annotations

import gc
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ai.core.errors import ParameterError
from edge_ai.fleet.calibration import Calibration, load_calibration
from edge_ai.fleet.links import LAN, LTE, WIFI, LinkKind, RobotLink
from edge_ai.fleet.machine import Machine
from edge_ai.fleet.params import ALWAYS, FleetParams
from edge_ai.fleet.robot import Robot
from edge_ai.fleet.scene import Scene
from edge_ai.fleet.servers import Cloud
from edge_ai.fleet.sides import CloudSide, Ping
from edge_ai.fleet.tally import Tally
from edge_ai.fleet.world import World
from edge_ai.routing.params import CloudParams, RouterParams
from edge_ai.routing.policy import policy_names

BASE = RouterParams(edge_accuracy=0.5, cloud_accuracy=0.6)
"""Of every robot: the defaults, and a cloud that sees more, so that all robots have a reason to want it."""
_LOOKED_AT = 200
"""Robots whose breakers are looked at over time."""
_COUNTED = ("hedged", "hedges_won", "hedges_refused", "failovers", "second_opinions", "exploring")

Say = Callable[[float], None]


@dataclass(frozen=True)
class Run:
    """What a simulation saw.

    Attributes:
        params: of the fleet.
        servers: how many there were.
        capacity: images a second that they can answer together.
        frames: columns robot, captured, asked, end, latency; see `Tally.frames`.
        counts: by bin at the servers; see `Tally.counts`.
        samples: (S, 3), see `Tally.samples`.
        totals: of all routers: hedged, hedges_won, ..., retries, opened (breakers).
        wall_s: seconds it took to simulate.
    """

    params: FleetParams
    servers: int
    capacity: float
    frames: dict[str, NDArray[Any]]
    counts: dict[str, NDArray[np.float64]]
    samples: NDArray[np.float64]
    totals: dict[str, int]
    wall_s: float


def router_params(params: FleetParams, base: RouterParams | None = None) -> RouterParams:
    """Parameters of every robot's router.

    Raises:
        ParameterError: no policy has that name.
    """
    base = base or BASE
    if params.policy in ALWAYS:
        return base.changed(override=params.policy.removeprefix("always-"))
    if params.policy not in policy_names():
        wanted = f"one of {', '.join((*policy_names(), *ALWAYS))}"
        raise ParameterError("unknown policy of a fleet", got=repr(params.policy), wanted=wanted)
    return base.changed(policy=params.policy)


def simulate(
    params: FleetParams,
    *,
    calibration: Calibration | None = None,
    router: RouterParams | None = None,
    cloud: CloudParams | None = None,
    kind: LinkKind | None = None,
    say: Say | None = None,
) -> Run:
    """Run a fleet.

    Args:
        params: of the fleet.
        calibration: run times; None: the shipped ones.
        router: parameters of every robot but for the policy; None: the defaults, and a cloud that is more accurate.
        cloud: attempts, retries and pings.
        kind: link of all robots; None: the mix of ``params``.
        say: told from time to time which share is done.

    Raises:
        ParameterError: no policy has that name.
        EdgeAIError: simpy is not installed.
    """
    begun = time.monotonic()
    calibration, cloud = calibration or load_calibration(), cloud or CloudParams()
    normal = router_params(params, router)
    urgent = normal.changed(priorities=[2])
    world, tally = World(), Tally(params)
    servers = Cloud(world, params, calibration, tally)
    robots = []
    period = 1 / params.simulated_rate
    for number in range(params.robots):
        rng = random.Random(f"{params.seed}/{number}")
        scene = Scene(params, rng)
        link = RobotLink(kind or _kind(params, rng), rng)
        side = CloudSide(world, servers, link, scene, calibration, cloud, tally)
        robot = Robot(
            number,
            world,
            tally,
            urgent if scene.urgent else normal,
            Machine(world, params, calibration, rng),
            scene,
            side,
            Ping(link, servers, cloud.ping_period, rng),
            rng,
        )
        robot.run(rng.uniform(0, period), period, params.horizon)
        robots.append(robot)
    servers.plan_outage()
    # The fleet itself is no garbage: the collector need not look at it again and again.
    gc.collect()
    gc.freeze()
    _watch(world, params, tally, servers, robots, say)
    world.run(params.horizon + normal.deadline + 1.0)
    gc.unfreeze()
    tally.close()
    return Run(
        params=params,
        servers=len(servers.servers),
        capacity=len(servers.servers) * calibration.rate(params.max_batch),
        frames=tally.frames(),
        counts=tally.counts(),
        samples=tally.samples(),
        totals=_totals(robots, tally),
        wall_s=time.monotonic() - begun,
    )


def _kind(params: FleetParams, rng: random.Random) -> LinkKind:
    drawn = rng.random()
    if drawn < params.lan:
        return LAN
    return WIFI if drawn < params.lan + params.wifi else LTE


def _watch(
    world: World, params: FleetParams, tally: Tally, servers: Cloud, robots: list[Robot], say: Say | None
) -> None:
    """Look at queues and breakers every second."""
    seen = robots[:: max(1, len(robots) // _LOOKED_AT)]

    def look() -> None:
        alone = sum(robot.router.status.cloud.breaker != "closed" for robot in seen) / len(seen)
        tally.sample(world.now, servers.waiting / len(servers.servers), alone)
        if say is not None:
            say(min(1.0, world.now / params.horizon))

    for second in range(math.ceil(params.horizon)):
        world.after(second, look)


def _totals(robots: list[Robot], tally: Tally) -> dict[str, int]:
    totals = dict.fromkeys(_COUNTED, 0)
    for robot in robots:
        counts = robot.router.status.counts
        for name in _COUNTED:
            totals[name] += getattr(counts, name)
    return {**totals, "retries": tally.retries}
