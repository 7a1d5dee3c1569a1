"""A trace replayed: the real router, estimates, breaker and policy on simulated time."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from functools import partial

from benchmarks.cloud.traces import Trace
from benchmarks.cloud.world import CloudOfTrace, EdgeOfTrace, Events, frame_of
from edge_ai.core.clock import NS, ManualClock
from edge_ai.core.types import Result
from edge_ai.routing.params import RouterParams
from edge_ai.routing.router import Router
from edge_ai.routing.side import Outcome, Source

PING_PERIOD, PING_TIMEOUT = 1.0, 1.0  # s
_REST = 2.0  # s after the last frame


@dataclass(slots=True)
class Answered:
    """What became of one frame.

    Attributes:
        seconds: from capture to its answer; inf: none.
        side: who answered; empty: nobody.
        inferred: whether the engine here worked on it.
        sent: bytes that went over the link for it.
    """

    seconds: float = math.inf
    side: str = ""
    inferred: bool = False
    sent: float = 0.0


@dataclass(frozen=True)
class Replayed:
    """What became of all frames of a trace.

    Attributes:
        frames: each.
        reasons: of each decision, in words.
        hedged: frames that the edge was asked for as well.
    """

    frames: list[Answered]
    reasons: list[str] = field(default_factory=list)
    hedged: int = 0

    def share(self, side: str) -> float:
        """The share of the frames that a side answered."""
        return sum(one.side == side for one in self.frames) / len(self.frames)

    @property
    def missed(self) -> int:
        """Frames without an answer."""
        return sum(not one.side for one in self.frames)


class _World:
    """The sides of a trace and what comes of their work."""

    def __init__(self, trace: Trace) -> None:
        self.trace, self.events = trace, Events(ManualClock())
        self.edge, self.cloud = EdgeOfTrace(trace, self.events), CloudOfTrace(trace, self.events)
        self.frames = [Answered() for _ in range(len(trace))]

    def answered(self, result: Result, frame: Source) -> None:
        one = self.frames[frame.header.index]
        one.seconds = (self.events.clock.steady_ns() - frame.header.steady_ns) / NS
        one.side = "edge" if result.source == self.edge.name else "cloud"

    def finish(self) -> list[Answered]:
        self.events.run(self.events.clock.steady_ns() + round(_REST * NS))
        for index, one in enumerate(self.frames):
            one.inferred, one.sent = index in self.edge.ran, self.cloud.sent.get(index, 0.0)
        return self.frames


def replay(trace: Trace, params: RouterParams, seed: int = 1) -> Replayed:
    """Every frame of a trace through a router with these parameters."""
    world, reasons = _World(trace), []
    clock = world.events.clock
    router = Router(
        world.edge,
        world.cloud,
        params,
        clock,
        on_result=world.answered,
        on_error=lambda frame, error: None,
        alarms=world.events,  # type: ignore[arg-type]
        rng=random.Random(seed),
    )
    every = max(1, round(PING_PERIOD / trace.period))
    for index in range(len(trace)):
        frame = frame_of(trace, index)
        world.events.run(frame.header.steady_ns)
        if index % every == 0:
            world.cloud.ping(PING_TIMEOUT, lambda took: router.pinged(took) if isinstance(took, float) else None)
        reasons.append(router.offer(frame).words)
    frames = world.finish()
    return Replayed(frames, reasons, router.status.counts.hedged)


def alone(trace: Trace, side: str, params: RouterParams) -> Replayed:
    """Every frame of a trace asked of one side, come what may."""
    world = _World(trace)
    asked = world.edge if side == "edge" else world.cloud
    for index in range(len(trace)):
        frame = frame_of(trace, index)
        world.events.run(frame.header.steady_ns)
        asked.ask(frame, frame.header.steady_ns + round(params.deadline * NS), partial(_take, world, frame))
    return Replayed(world.finish())


def _take(world: _World, frame: Source, outcome: Outcome) -> None:
    if outcome.result is not None:
        world.answered(outcome.result, frame)
