"""What a policy is shown, gathered from all that is known, and when to ask the edge for a late answer of the cloud."""

from __future__ import annotations

from collections.abc import Mapping

from edge_ai.core.clock import NS
from edge_ai.routing.decision import Load, Snapshot, Where
from edge_ai.routing.lane import Lane
from edge_ai.routing.params import RouterParams
from edge_ai.routing.side import Source
from edge_ai.routing.watch import SideWatch

Watches = Mapping[Where, SideWatch]
_OVERRIDES = {where.value: where for where in Where}


def look(
    frame: Source,
    lane: Lane,
    params: RouterParams,
    watches: Watches,
    whys: Mapping[Where, str],
    load: Load,
    now_ns: int,
    draw: float,
) -> Snapshot:
    """The snapshot for a frame.

    Args:
        frame: to be decided about.
        lane: of its camera.
        params: deadline, priorities and override are of these.
        watches: what is known of both sides.
        whys: why each side may not be asked; empty if it may.
        load: of this machine.
        now_ns: steady time.
        draw: random number in [0, 1).
    """
    header, cloud = frame.header, watches[Where.CLOUD]
    size = (header.width, header.height) if header.width else lane.size
    age = (now_ns - header.steady_ns) / NS
    return Snapshot(
        width=size[0],
        height=size[1],
        camera=frame.camera,
        priority=priority(frame.camera, params),
        age=age,
        budget=params.deadline - age,
        confidence=lane.confidence,
        edge=watches[Where.EDGE].state(whys[Where.EDGE], now_ns),
        cloud=cloud.state(whys[Where.CLOUD], now_ns),
        load=load,
        link=cloud.link(frame, now_ns),
        override=_OVERRIDES.get(params.override),
        draw=draw,
    )


def priority(camera: str, params: RouterParams) -> int:
    """The priority of a camera's frames: 0 low, 1 normal, 2 high."""
    if len(params.priorities) == 1 or camera not in params.cameras:
        return params.priorities[0]
    return params.priorities[params.cameras.index(camera)]


def hedge_wait(params: RouterParams, watches: Watches, left: float, now_ns: int) -> float | None:
    """How long to wait for the cloud before the edge is asked as well.

    As long as 95 of 100 answers take, so that few requests are hedged, but never so long that the edge, as slow as 95
    of 100 times, would miss the deadline. What is not known yet is taken as half of the time left.

    Args:
        params: a fixed wait, if one is set.
        watches: what is known of both sides.
        left: seconds until the deadline.
        now_ns: steady time.

    Returns:
        Seconds, 0 and up; None: the edge could not make it any more.
    """
    edge, cloud = (watches[where].state("", now_ns) for where in (Where.EDGE, Where.CLOUD))
    need = edge.p95 if edge.p95 == edge.p95 else left / 2
    if need > left or watches[Where.EDGE].side.unready:
        return None
    latest = left - need
    if params.hedge_after:
        return min(params.hedge_after, latest)
    return min(cloud.p95, latest) if cloud.p95 == cloud.p95 else latest
