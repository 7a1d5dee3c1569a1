"""A canary rollout from its plan to its end, through crashes of this program, of Prometheus and of robots."""

from __future__ import annotations

import time
from collections.abc import Callable

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.canary.log import Log
from edge_ai.deployment.canary.plan import Plan
from edge_ai.deployment.canary.prometheus import Asker
from edge_ai.deployment.canary.spreading import Spreading, versions
from edge_ai.deployment.canary.stages import Action
from edge_ai.deployment.canary.state import OVER, Phase, State
from edge_ai.deployment.canary.target import Target
from edge_ai.deployment.canary.watching import Watching

_BY_HAND = "asked for by the operator"


class Rollout:
    """Every method goes on until the rollout is over or people are to decide, and returns the phase then.

    Args:
        plan: what comes where.
        target: how robots are told.
        asker: how they fare.
        log: of an opened journal; what it adds up to is where this begins.
        wait: for so many seconds.
    """

    def __init__(
        self, plan: Plan, target: Target, asker: Asker, log: Log, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._plan, self._target, self._log = plan, target, log
        self._spreading = Spreading(plan, target, log, wait)
        self._watching = Watching(plan, asker, log, wait)

    def begin(self) -> Phase:
        """Roll the release out; where this plan's is on all robots already nothing is done.

        Raises:
            DeploymentError: another rollout is under way, or some robots run the release already.
        """
        state = self._log.state
        if state.phase not in OVER:
            mend = "--resume it with its plan, or --abort it"
            raise DeploymentError(f"release '{state.release}'", got=state.phase.value, wanted="an end", mend=mend)
        if state.phase is Phase.PROMOTED and state.digest == self._plan.rollout_digest:
            return state.phase
        self._check_versions()
        self._log.write(
            "planned",
            release=self._plan.release,
            robots=[host.name for host in self._plan.hosts],
            digest=self._plan.rollout_digest,
            evidence=self._plan.evidence_digest,
        )
        return self._run()

    def resume(self) -> Phase:
        """Go on after a crash, or after people mended what it held for.

        Raises:
            DeploymentError: nothing is under way, or the plan is another one.
        """
        state = self._under_way()
        if self._plan.evidence_digest != state.evidence:
            self._log.write("other criteria", evidence=self._plan.evidence_digest)
        if state.phase is Phase.HOLDING:
            if len(state.on) < self._plan.way.size(state.stage, len(self._plan.hosts)):
                self._log.write("stage", stage=state.stage, reason=_BY_HAND)
            else:
                self._log.write("watching", reason=_BY_HAND)
        return self._run()

    def abort(self) -> Phase:
        """Take it back from all robots.

        Raises:
            DeploymentError: as for `resume`.
        """
        self._under_way()
        self._log.write("rolling back", reason=_BY_HAND)
        return self._run()

    def promote(self) -> Phase:
        """Take the step that the evidence was not enough for, and go on from there.

        Raises:
            DeploymentError: as for `resume`; or no stage is being watched.
        """
        state = self._under_way()
        if state.phase not in (Phase.WATCHING, Phase.HOLDING):
            mend = "--resume it first"
            raise DeploymentError("--promote", got=state.phase.value, wanted="a stage that is watched", mend=mend)
        self._go_on(_BY_HAND, without=True)
        return self._run()

    def _under_way(self) -> State:
        state = self._log.state
        if state.phase in OVER:
            raise DeploymentError("rollout", got=state.phase.value, wanted="one that is under way")
        if state.digest != self._plan.rollout_digest:
            mend = "put its release, hosts, target and stages back"
            raise DeploymentError("plan", got="another one", wanted=f"that of release '{state.release}'", mend=mend)
        return state

    def _run(self) -> Phase:
        steps = {Phase.BASELINE: self._baseline, Phase.APPLYING: self._apply, Phase.WATCHING: self._watch}
        while (step := steps.get(self._log.state.phase)) is not None:
            step()
        if self._log.state.phase is Phase.ROLLING_BACK and self._spreading.take_back():
            self._log.write("rolled back", reason=self._log.state.reason)
        return self._log.state.phase

    def _baseline(self) -> None:
        found = versions(self._target, self._plan.hosts, self._plan.parallel)
        # A robot that is switched off now gets its turn in every stage.
        decision = self._watching.baseline([h for h in self._plan.hosts if isinstance(found[h.name], str)])
        if decision.action is Action.PROMOTE:
            self._log.write("stage", stage=0, reason="the robots are well as they are")
        elif decision.action is Action.ROLL_BACK:
            self._log.write("refused", reason=f"before anything was done, {decision.reason}")
        elif decision.action is Action.HOLD:
            self._log.write("undecided", reason=decision.reason)

    def _apply(self) -> None:
        state, size = self._log.state, self._plan.way.size(self._log.state.stage, len(self._plan.hosts))
        more = 0 if state.failed else self._spreading.spread(size)
        if state.failed:
            self._log.write("rolling back", reason=f"the release does not run on {state.failed}")
        elif not more and len(state.on) < size:
            self._log.write("holding", reason=f"no robot can be reached beside the {len(state.on)} that run it")
        else:
            self._watching.begin()
            self._log.write("watching", robots=list(state.on))

    def _watch(self) -> None:
        decision = self._watching.look()
        if decision.action is Action.PROMOTE and (strays := self._strays()):
            self._log.write(
                "rolling back", reason=f"another release runs on {', '.join(strays)}, which had taken it on"
            )
        elif decision.action is Action.PROMOTE:
            self._go_on(decision.reason)
        elif decision.action is Action.ROLL_BACK:
            self._log.write("rolling back", reason=decision.reason)
        elif decision.action is Action.HOLD:
            self._log.write("holding", reason=decision.reason)

    def _strays(self) -> list[str]:
        """Canaries that went back by themselves: a watchdog on the robot knew something that no metric told."""
        canary = [host for host in self._plan.hosts if host.name in self._log.state.on]
        found = versions(self._target, canary, self._plan.parallel)
        release = self._plan.release
        return [name for name, version in found.items() if isinstance(version, str) and version != release]

    def _go_on(self, reason: str, *, without: bool = False) -> None:
        """To the next stage or to the end; the end without some robots only where people say so."""
        state, hosts = self._log.state, self._plan.hosts
        missing = [host.name for host in hosts if host.name not in state.on]
        after = self._plan.way.after(state.stage, len(hosts))
        if after is not None:
            self._log.write("stage", stage=after, reason=reason)
        elif missing and not without:
            self._log.write("holding", reason=f"{reason}; never reached: {', '.join(missing)}")
        else:
            self._log.write("promoted", reason=reason, missing=missing)

    def _check_versions(self) -> None:
        found = versions(self._target, self._plan.hosts, self._plan.parallel)
        errors = [version for version in found.values() if isinstance(version, DeploymentError)]
        if len(errors) == len(found):
            raise errors[0]
        if running := [name for name, version in found.items() if version == self._plan.release]:
            mend = "leave them out of 'hosts': what they would go back to is not known"
            got = f"it on {', '.join(running)} already"
            raise DeploymentError(f"release '{self._plan.release}'", got=got, mend=mend)
