"""Evaluating a stage: figures from Prometheus, the limits, the judge, and what follows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from edge_ai.deployment.canary.criteria import Criterion
from edge_ai.deployment.canary.evaluation import Evaluation, windows
from edge_ai.deployment.canary.limits import check_limits
from edge_ai.deployment.canary.log import Log
from edge_ai.deployment.canary.plan import Host, Plan
from edge_ai.deployment.canary.prometheus import Asker
from edge_ai.deployment.canary.stages import LOOKS, Decision, LimitCheck, Stages, Watch, decide
from edge_ai.deployment.judge.judge import Judge, Judgement

_BASELINE_LOOKS = 3


class Watching:
    """Evaluates once in an interval.

    Args:
        plan: criteria, times and robots.
        asker: who is asked for figures.
        log: takes every evaluation, with all its figures: after a crash the judge hears them again.
        wait: for so many seconds.
    """

    def __init__(self, plan: Plan, asker: Asker, log: Log, wait: Callable[[float], None] = time.sleep) -> None:
        self._plan, self._asker, self._log, self._wait = plan, asker, log, wait
        self._due = 0.0
        self._judge: Judge | None = None
        self._heard = (-1, 0)  # stage, and how many of its evaluations the judge knows

    def baseline(self, hosts: Sequence[Host]) -> Decision:
        """Look at robots as they are, before anything is done to them; only limits count."""
        interval = self._plan.interval
        if self._log.state.looks:
            self._wait(interval)
        stages = Stages((1.0,), interval=interval, least=interval, patience=_BASELINE_LOOKS * interval)
        criteria = [criterion for criterion in self._plan.criteria if criterion.against is None]
        evaluation = self._asker.evaluate(criteria, hosts, (), interval)
        looks = [*self._log.state.evaluations, evaluation]
        return self._decide(stages, evaluation, check_limits(criteria, looks, [host.name for host in hosts]), ())

    def begin(self) -> None:
        """Let the release settle; the first evaluation is one interval later."""
        self._wait(self._plan.settle)
        self._due = 0.0

    def look(self) -> Decision:
        """Evaluate the stage that runs, an interval after the evaluation before; at once when a limit is breached.

        A breach fills the windows of two looks in a row within an interval, however it falls.
        """
        plan, state = self._plan, self._log.state
        canary = [host for host in plan.hosts if host.name in state.on]
        stable = [host for host in plan.hosts if host.name not in state.before]
        # Only in the last stage is it as it should be that no robots are left to compare with.
        beside = bool(stable) or plan.way.after(state.stage, len(plan.hosts)) is not None
        compared = [c for c in plan.criteria if c.compared and (beside or c.against is not None)]
        glances: list[Evaluation] = []
        for _ in range(LOOKS):
            self._wait_for_turn()
            glances.append(self._asker.evaluate(plan.criteria, canary, stable, plan.interval / LOOKS))
            limits = check_limits(plan.criteria, [*state.evaluations, *glances], state.on)
            if limits.breached:
                return self._decide(plan.way, glances[-1], limits, compared)
        evaluation = self._asker.evaluate(plan.criteria, canary, stable, plan.interval)
        limits = check_limits(plan.criteria, [*state.evaluations, evaluation], state.on)
        return self._decide(plan.way, evaluation, limits, compared)

    def _decide(
        self, stages: Stages, evaluation: Evaluation, limits: LimitCheck, compared: Sequence[Criterion]
    ) -> Decision:
        state = self._log.state
        judgement = self._judgement(compared, [*state.evaluations, evaluation]) if compared else None
        seen = state.seen + (not limits.unknown)
        watch = Watch(limits, judgement, seen=seen * stages.interval, watched=(state.looks + 1) * stages.interval)
        decision = decide(stages, watch)
        self._log.write(
            "evaluated",
            action=decision.action.value,
            reason=decision.reason,
            unknown=limits.unknown,
            evidence=dict(judgement.figures) if judgement else {},
            **evaluation.as_facts(),
        )
        return decision

    def _judgement(self, compared: Sequence[Criterion], evaluations: Sequence[Evaluation]) -> Judgement:
        stage = self._log.state.stage
        news: Sequence[Evaluation] = evaluations[-1:]
        if self._judge is None or self._heard != (stage, len(evaluations) - 1):
            self._judge, news = Judge(self._plan.judge_params, [c.name for c in compared]), evaluations
        for evaluation in news:
            for window in windows(compared, evaluation):
                self._judge.add(window)
        self._heard = (stage, len(evaluations))
        return self._judge.judgement()

    def _wait_for_turn(self) -> None:
        """Part of an interval after the last turn, however long asking took; at once where that has passed."""
        now, part = time.monotonic(), self._plan.interval / LOOKS
        self._due = max(self._due, now) if self._due else now + part
        self._wait(self._due - now)
        self._due += part
