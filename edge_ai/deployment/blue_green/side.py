"""What runs a release: a container, or a process where there are no containers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edge_ai.deployment.blue_green.plan import SideName
from edge_ai.deployment.containers import ContainerEngine, ContainerSpec, Execution


class Side(Protocol):
    """One of the two places in which a release runs. Every call may be made again after a crash in the middle of it.

    Attributes:
        name: "blue" or "green".
    """

    name: SideName

    def start(self) -> None:
        """Let it run as the plan says; one that does is left alone, one that runs otherwise is replaced.

        Raises:
            DeploymentError: it cannot be started; with the reason.
        """

    def stop(self, grace: float) -> None:
        """End it, by force after a grace in seconds; harmless where it does not run."""

    def running(self) -> bool:
        """Whether it runs now, as the plan says or otherwise."""

    def current(self) -> bool:
        """Whether it runs now as the plan says."""

    def exec(self, command: Sequence[str], timeout: float) -> Execution:
        """Run a command inside it.

        Raises:
            DeploymentError: it does not run, has no such command, or gave no answer within so many seconds.
        """

    def logs(self, lines: int = 5) -> str:
        """The last lines it wrote."""


class ContainerSide:
    """A side that is a container, see `Side`.

    Args:
        name: "blue" or "green".
        container: the container's name.
        spec: what it is to run with.
        engine: that runs it.
    """

    def __init__(self, name: SideName, container: str, spec: ContainerSpec, engine: ContainerEngine) -> None:
        self.name, self._container, self._spec, self._engine = name, container, spec, engine

    def start(self) -> None:
        """As `Side.start`."""
        self._engine.start(self._container, self._spec)

    def stop(self, grace: float) -> None:
        """As `Side.stop`."""
        self._engine.stop(self._container, grace)

    def running(self) -> bool:
        """As `Side.running`."""
        return self._engine.running(self._container)

    def current(self) -> bool:
        """As `Side.current`."""
        return self._engine.runs(self._container, self._spec)

    def exec(self, command: Sequence[str], timeout: float) -> Execution:
        """As `Side.exec`."""
        return self._engine.exec(self._container, command, timeout)

    def logs(self, lines: int = 5) -> str:
        """As `Side.logs`."""
        return self._engine.logs(self._container, lines)
