"""Robots that share a server which cannot answer them all must find their share of it, not swing in step."""

import heapq
import random
import statistics

import pytest

from edge_ai.core.clock import NS
from edge_ai.routing.decision import Link, Load, SideState, Snapshot, Where
from edge_ai.routing.estimates import LatencyEstimate
from edge_ai.routing.params import RouterParams
from edge_ai.routing.policy import load_policy

ROBOTS, RATE, CAPACITY, SECONDS = 60, 10.0, 150.0, 25
EDGE, CLOUD, DEADLINE = 0.06, 0.03, 0.5


def shares(name, load):
    """Of all frames of each half second, those that went to the cloud; a server's queue and two estimates a robot."""
    rng, policy, params = random.Random(1), load_policy(name), RouterParams(policy=name, deadline=DEADLINE)
    edges, clouds = ([LatencyEstimate() for _ in range(ROBOTS)] for _ in range(2))
    under_way, free, counts = [0] * ROBOTS, 0.0, [[0, 0] for _ in range(2 * SECONDS)]
    events = [(rng.random() / RATE, "frame", robot, 0.0) for robot in range(ROBOTS)]
    heapq.heapify(events)
    while events[0][0] < SECONDS:
        now, what, robot, took = heapq.heappop(events)
        at_ns = round(now * NS)
        if what == "edge":
            edges[robot].add(took, at_ns)
            continue
        if what == "cloud":
            under_way[robot] -= 1
            (clouds[robot].add if took <= DEADLINE else clouds[robot].late)(min(took, DEADLINE), at_ns)
            continue
        heapq.heappush(events, (now + 1 / RATE, "frame", robot, 0.0))
        edge = SideState(True, "", *edges[robot].state(at_ns))
        full = "too many under way" if under_way[robot] >= params.max_in_flight else ""  # the router says so
        cloud = SideState(not full, full, *clouds[robot].state(at_ns), under_way[robot])
        link = Link(rtt=0.01, payload=40_000)
        seen = Snapshot(640, 480, budget=DEADLINE, edge=edge, cloud=cloud, load=load, link=link, draw=rng.random())
        decision = policy.decide(seen, params)
        counts[int(2 * now)][0] += 1
        if decision.where is Where.CLOUD:
            counts[int(2 * now)][1] += 1
            under_way[robot] += 1
            waits = max(0.0, free - now)
            if waits < DEADLINE:
                free = max(free, now) + 1 / CAPACITY
            took = waits + CLOUD * rng.lognormvariate(0, 0.2)
            heapq.heappush(events, (now + min(took, DEADLINE), "cloud", robot, took))
        if decision.where is Where.EDGE or decision.exploring:
            heapq.heappush(events, (now + EDGE, "edge", robot, EDGE * rng.lognormvariate(0, 0.05)))
    return [went / frames for frames, went in counts]


@pytest.mark.parametrize(("name", "load"), [("cost", Load()), ("adaptive", Load(cpu=0.95))])
def test_robots_that_share_a_server_share_it_out_without_swinging(name, load):
    late = shares(name, load)[SECONDS:]
    assert statistics.fmean(late) == pytest.approx(CAPACITY / ROBOTS / RATE, abs=0.06)
    assert statistics.pstdev(late) < 0.08
    assert max(late) < 0.45
