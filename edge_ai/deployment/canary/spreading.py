"""Bringing a release onto robots and taking it back, several at a time, each step in the journal before and after."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.canary.log import Log
from edge_ai.deployment.canary.plan import Host, Plan
from edge_ai.deployment.canary.target import Target

T = TypeVar("T")
_ATTEMPTS = 3  # to take a release back


class Spreading:
    """Does what a rollout decides.

    Args:
        plan: the robots and the release.
        target: how they are told.
        log: takes every step.
        wait: for so many seconds.
    """

    def __init__(self, plan: Plan, target: Target, log: Log, wait: Callable[[float], None] = time.sleep) -> None:
        self._plan, self._target, self._log, self._wait = plan, target, log, wait

    def spread(self, size: int) -> int:
        """Bring the release onto robots until so many run it, one refuses it, or none is left that can be reached.

        Returns:
            How many more run it now.
        """
        state = self._log.state
        before = len(state.on)
        left = [host for host in self._plan.hosts if host.name not in state.on]
        while left and len(state.on) < size and not state.failed:
            count = size - len(state.on)
            self._bring(left[:count])
            left = left[count:]
        return len(state.on) - before

    def take_back(self) -> bool:
        """Let every robot that was touched run again what ran before; whether all do."""
        before = self._log.state.before
        for attempt in range(_ATTEMPTS):
            if attempt and before:
                self._wait(self._plan.interval)
            hosts = [host for host in self._plan.hosts if host.name in before]
            for host, error in self._each(hosts, self._back):
                if error is None:
                    self._log.write("went back", robot=host.name)
                else:
                    self._log.write("not back", robot=host.name, reason=str(error))
        return not before

    def _bring(self, hosts: Sequence[Host]) -> None:
        before: dict[str, str] = {}
        for name, version in versions(self._target, hosts, self._plan.parallel).items():
            if isinstance(version, DeploymentError):
                self._log.write("not reached", robot=name, reason=str(version))
            elif version == self._plan.release and name not in self._log.state.before:
                reason = "it runs the release already; what it would go back to is not known"
                self._log.write("not told", robot=name, reason=reason)
            else:
                before[name] = version
        reached = [host for host in hosts if host.name in before]
        if not reached:
            return
        self._log.write("applying", robots=[host.name for host in reached], before=before)
        for host, error in self._each(reached, self._apply):
            if error is None:
                self._log.write("applied", robot=host.name)
            else:
                step = "failed" if self._answers(host) else "not reached"
                self._log.write(step, robot=host.name, reason=str(error))

    def _apply(self, host: Host) -> None:
        self._target.apply(self._plan.release, host)
        self._check(host, self._plan.release)

    def _back(self, host: Host) -> None:
        release = self._log.state.before[host.name]
        self._target.roll_back(release, host)
        self._check(host, release)

    def _check(self, host: Host, release: str) -> None:
        if (version := self._target.version(host)) != release:
            raise DeploymentError(f"robot '{host.name}'", got=repr(version), wanted=f"'{release}' to run on it")

    def _answers(self, host: Host) -> bool:
        try:
            self._target.version(host)
        except DeploymentError:
            return False
        return True

    def _each(
        self, hosts: Sequence[Host], work: Callable[[Host], None]
    ) -> Iterator[tuple[Host, DeploymentError | None]]:
        return in_parallel(hosts, work, self._plan.parallel)


def versions(target: Target, hosts: Sequence[Host], parallel: int) -> dict[str, str | DeploymentError]:
    """What runs on each robot, or why that is not known."""
    found = {host.name: version for host, version in in_parallel(hosts, target.version, parallel)}
    return {host.name: found[host.name] for host in hosts}


def in_parallel(
    hosts: Sequence[Host], work: Callable[[Host], T], parallel: int
) -> Iterator[tuple[Host, T | DeploymentError]]:
    """Do this for each, several at a time; what it gave or raised, as they come to an end."""
    with ThreadPoolExecutor(parallel) as pool:
        futures = {pool.submit(_caught, work, host): host for host in hosts}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _caught(work: Callable[[Host], T], host: Host) -> T | DeploymentError:
    try:
        return work(host)
    except DeploymentError as error:
        return error
