"""A side that is a process on this machine and outlives whoever started it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.blue_green.plan import ProcessPlan, SideName
from edge_ai.deployment.containers import Execution
from edge_ai.deployment.marked_process import MarkedProcess

_GRACE = 10.0  # s for another release that is in its place


class ProcessSide:
    """See `Side`. What it starts itself ends with it.

    Args:
        name: "blue" or "green".
        label: tells it from the sides of other deployments on this machine.
        plan: what it runs.
        digest: tells one release of it from another.
        folder: takes its log `NAME.log`; it works there, too.

    Attributes:
        process: that it is.
    """

    def __init__(self, name: SideName, label: str, plan: ProcessPlan, digest: str, folder: Path) -> None:
        self.name, self._plan, self._digest, self._folder = name, plan, digest, folder
        self.process = MarkedProcess(f"{folder.resolve()}:{label}:{name}", folder / f"{label}_{name}.log")

    def start(self) -> None:
        """As `Side.start`."""
        if self.current():
            return
        self.stop(_GRACE)
        try:
            self.process.start(self._plan.command, self._digest, self._plan.environment, self._folder)
        except OSError as error:
            raise DeploymentError(f"side {self.name}: '{self._plan.command[0]}'", got=error.strerror) from None

    def stop(self, grace: float) -> None:
        """As `Side.stop`."""
        self.process.stop(grace)

    def running(self) -> bool:
        """As `Side.running`."""
        return self.process.release is not None

    def current(self) -> bool:
        """As `Side.current`."""
        return self.process.release == self._digest

    def exec(self, command: Sequence[str], timeout: float) -> Execution:
        """As `Side.exec`; beside it, with its environment."""
        what = f"'{command[0]}' in side {self.name}"
        if not self.running():
            raise DeploymentError(what, got="it does not run")
        try:
            done = subprocess.run(
                list(command),
                env={**os.environ, **self._plan.environment},
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DeploymentError(what, got=f"no answer within {timeout:g} s") from None
        except OSError as error:
            raise DeploymentError(what, got=error.strerror) from None
        return Execution(done.returncode, done.stdout, done.stderr)

    def logs(self, lines: int = 5) -> str:
        """As `Side.logs`."""
        return self.process.logs(lines)
