"""A side that is a process on this machine and outlives whoever started it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.blue_green.plan import ProcessPlan, SideName
from edge_ai.deployment.containers import Execution

_MARK = "EDGE_AI_SIDE"  # in its environment: found by that, and not by a file, no crash can lose it
_APPEARS = 5.0  # s
_TAIL = 1 << 16


class ProcessSide:
    """See `Side`. What it starts itself ends with it.

    Args:
        name: "blue" or "green".
        label: tells it from the sides of other deployments on this machine.
        plan: what it runs.
        digest: tells one release of it from another.
        folder: takes its log `NAME.log`; it works there, too.
    """

    def __init__(self, name: SideName, label: str, plan: ProcessPlan, digest: str, folder: Path) -> None:
        self.name, self._plan, self._folder = name, plan, folder
        self._label = f"{folder.resolve()}:{label}:{name}:"
        self._mark = self._label + digest
        self._log = folder / f"{label}_{name}.log"
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """As `Side.start`."""
        if self.current():
            return
        self.stop(10.0)
        try:
            with self._log.open("ab") as log:
                self._child = subprocess.Popen(
                    self._plan.command,
                    env={**self._environment(), _MARK: self._mark},
                    cwd=self._folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            raise DeploymentError(f"side {self.name}: '{self._plan.command[0]}'", got=error.strerror) from None
        # The kernel shows its environment a moment after its program has begun.
        end = time.monotonic() + _APPEARS
        while not self.current() and self._child.poll() is None and time.monotonic() < end:
            time.sleep(0.01)

    def stop(self, grace: float) -> None:
        """As `Side.stop`."""
        marked = list(self._marked())
        for process in marked:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
        _, left = psutil.wait_procs(marked, grace)
        for process in {*left, *self._marked()}:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, grace)

    def running(self) -> bool:
        """As `Side.running`."""
        return any(True for _ in self._marked())

    def current(self) -> bool:
        """As `Side.current`."""
        return any(mark == self._mark for _, mark in self._marks())

    def exec(self, command: Sequence[str], timeout: float) -> Execution:
        """As `Side.exec`; beside it, with its environment."""
        what = f"'{command[0]}' in side {self.name}"
        if not self.running():
            raise DeploymentError(what, got="it does not run")
        try:
            done = subprocess.run(
                list(command),
                env=self._environment(),
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
        try:
            with self._log.open("rb") as log:
                log.seek(max(0, self._log.stat().st_size - _TAIL))
                return "\n".join(log.read().decode("utf-8", errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self._plan.environment}

    def _marked(self) -> Iterator[psutil.Process]:
        return (process for process, _ in self._marks())

    def _marks(self) -> Iterator[tuple[psutil.Process, str]]:
        """Its processes that live, each with its mark."""
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                mark = process.environ().get(_MARK, "")
                if mark.startswith(self._label) and process.status() != psutil.STATUS_ZOMBIE:
                    yield process, mark
