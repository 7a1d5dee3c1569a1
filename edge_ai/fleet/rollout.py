"""A release on its way through a simulated fleet, decided by the real limits, the real judge and the real stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_ai.core.errors import EdgeAIError
from edge_ai.deployment.canary.criteria import DEFAULTS
from edge_ai.deployment.canary.evaluation import Evaluation, Figure, windows
from edge_ai.deployment.canary.limits import check_limits
from edge_ai.deployment.canary.stages import LOOKS, Action, Decision, Watch, decide
from edge_ai.deployment.judge.judge import Judge, Judgement
from edge_ai.deployment.judge.params import JudgeParams
from edge_ai.fleet.releases import RELEASES, Measured, Release, Robots
from edge_ai.fleet.rollout_params import RolloutParams

_CRITERIA = [one for one in DEFAULTS if one.compared]
"""Those of a plan without any, as far as they are compared."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a rollout ended.

    Attributes:
        promoted: whether the release came onto all robots to stay.
        holds: how often people were asked.
        hours: from the begin until it was promoted or taken back.
        touched: share of the robots that ever ran it.
        robot_hours: summed over robots, how long they ran it; of a bad one that was promoted, until it was noticed.
        stage: number of the last stage, from 0.
        reason: of the last decision.
    """

    promoted: bool
    holds: int
    hours: float
    touched: float
    robot_hours: float
    stage: int
    reason: str


def release_named(name: str) -> Release:
    """One of `RELEASES`.

    Raises:
        EdgeAIError: there is none of this name.
    """
    if name not in RELEASES:
        raise EdgeAIError("a release to simulate", got=f"'{name}'", wanted=f"one of {', '.join(RELEASES)}")
    return RELEASES[name]


def roll_out(params: RolloutParams, release: Release, judge: JudgeParams) -> Outcome:
    """Simulate one rollout; the same parameters give the same outcome."""
    robots = Robots(params, release, np.random.default_rng(params.seed))
    road, now, robot_seconds, holds = params.road, 0.0, 0.0, 0
    stage: int | None = 0
    while stage is not None:
        reached, size = stage, road.size(stage, params.robots)
        robots.install(size, now)
        decision, watched = _watch_stage(params, robots, size, judge, now)
        held = decision.action is Action.HOLD
        spent = watched + params.answer * held
        now, robot_seconds, holds = now + spent, robot_seconds + spent * size, holds + held
        # People who are asked find out what the release is.
        if decision.action is Action.ROLL_BACK or (held and release.bad):
            touched = size / params.robots
            return Outcome(False, holds, now / 3600, touched, robot_seconds / 3600, stage, decision.reason)
        stage = road.after(stage, params.robots)
    robot_seconds += params.robots * params.noticed * release.bad
    return Outcome(True, holds, now / 3600, 1.0, robot_seconds / 3600, reached, decision.reason)


def _watch_stage(
    params: RolloutParams, robots: Robots, size: int, judge_params: JudgeParams, begun: float
) -> tuple[Decision, float]:
    """Evaluate a stage until something is decided; also says after how long, s."""
    compared = params.way == "judged" and size < params.robots
    judge = Judge(judge_params, [one.name for one in _CRITERIA]) if compared else None
    hosts, watched, seen = [str(number) for number in range(size)], 0.0, 0.0
    evaluations: list[Evaluation] = []
    while True:
        measured: list[Measured] = []
        glances: list[Evaluation] = []
        for _ in range(LOOKS):
            watched += params.interval / LOOKS
            measured.append(robots.measure(begun + watched, params.interval / LOOKS))
            glances.append(_evaluation(measured[-1], size))
            limits = check_limits(_CRITERIA, [*evaluations, *glances], hosts)
            if limits.breached:
                return decide(params.road, Watch(limits)), watched
        evaluations.append(_evaluation(_together(measured), size))
        limits = check_limits(_CRITERIA, evaluations, hosts)
        seen += params.interval * (not limits.unknown)
        judgement = _judgement(judge, evaluations[-1]) if judge is not None else None
        decision = decide(params.road, Watch(limits, judgement, seen, watched))
        if decision.action is not Action.WAIT:
            return decision, watched


def _judgement(judge: Judge, evaluation: Evaluation) -> Judgement:
    for window in windows(_CRITERIA, evaluation):
        judge.add(window)
    return judge.judgement()


def _together(looks: Sequence[Measured]) -> Measured:
    """What one look over all their time would have found."""
    failed, latency = (np.stack([getattr(look, name) for look in looks]) for name in ("failed", "latency"))
    return Measured(failed.sum(axis=0), sum(look.frames for look in looks), latency.mean(axis=0))


def _evaluation(found: Measured, size: int) -> Evaluation:
    """What Prometheus would have answered."""
    counted: list[Figure] = [(float(bad), float(found.frames)) for bad in found.failed]
    valued: list[Figure] = [(float(value),) for value in found.latency]
    figures = {one.name: counted if one.query is None else valued for one in _CRITERIA}
    groups = (slice(None, size), slice(size, None))
    names = [str(number) for number in range(len(counted))]
    canary, stable = (
        {name: dict(zip(names[part], values[part], strict=True)) for name, values in figures.items()} for part in groups
    )
    return Evaluation(canary, stable)
