"""Whether a side is well: before it takes over, and while it is watched."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.blue_green.checks import Check, proofs, readiness
from edge_ai.deployment.blue_green.plan import Plan
from edge_ai.deployment.blue_green.side import Side


class Examiner:
    """Puts a plan's checks to a side, as patiently as the plan says.

    Args:
        plan: what is checked.
        folder: to which its paths are relative.
    """

    def __init__(self, plan: Plan, folder: Path) -> None:
        self._plan, self._checks, self._folder = plan, plan.checks, folder

    def ready(self, side: Side) -> list[str]:
        """Wait until a side is there; what was found.

        Raises:
            DeploymentError: it is not in time, or it ended.
        """
        wanted = readiness(side, self._plan.sides[side.name], self._checks)
        end = time.monotonic() + self._checks.start
        while True:
            try:
                return [check() for check in wanted]
            except DeploymentError:
                if time.monotonic() > end or not side.running():
                    raise
            time.sleep(self._checks.period)

    def prove(self, side: Side) -> list[str]:
        """Whether a side that is there does what it should; what was found.

        Raises:
            DeploymentError: it does not.
        """
        return self._insist(side, proofs(side, self._plan.sides[side.name], self._checks, self._folder))

    def watch(self, side: Side, more: Sequence[Check], seconds: float) -> list[str]:
        """Look at a side that takes over again and again, at least once; what the last look found.

        Args:
            side: that is looked at.
            more: checks besides the plan's.
            seconds: for so long.

        Raises:
            DeploymentError: it is not well.
        """
        running, *ready = readiness(side, self._plan.sides[side.name], self._checks)
        wanted = [*ready, *proofs(side, self._plan.sides[side.name], self._checks, self._folder), *more]
        end = time.monotonic() + seconds
        while True:
            found = [running(), *self._insist(side, wanted)]  # one that has ended is not asked twice
            left = end - time.monotonic()
            if left <= 0:
                return found
            time.sleep(min(self._checks.period, left))

    def _insist(self, side: Side, checks: Sequence[Check]) -> list[str]:
        return [self._asked(side, check) for check in checks]

    def _asked(self, side: Side, check: Check) -> str:
        """Ask again, up to the plan's number of attempts, where it fails and the side still runs."""
        for _ in range(self._checks.attempts - 1):
            try:
                return check()
            except DeploymentError:
                if not side.running():
                    raise
            time.sleep(self._checks.period)
        return check()
