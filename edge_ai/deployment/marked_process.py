"""A process on this machine that outlives whoever started it, and is found again by a mark in its environment.

By that and not by a file: no crash of who started it can lose it, and no other process has its number one day.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

MARK = "EDGE_AI_DEPLOYED_BY"
_APPEARS = 5.0  # s
_TAIL = 1 << 16


class MarkedProcess:
    """What one owner runs, one release of it at a time; what that starts itself is found, and ends, with it.

    Args:
        owner: tells it from all others on this machine.
        log: takes what it writes.
    """

    def __init__(self, owner: str, log: Path) -> None:
        self._owner, self._log = f"{owner}:", log

    @property
    def release(self) -> str | None:
        """What runs, as `start` called it; None: nothing does."""
        return next((release for _, release in self._marks()), None)

    def processes(self) -> list[psutil.Process]:
        """All of it that lives."""
        return [process for process, _ in self._marks()]

    def start(
        self, command: Sequence[str], release: str, more: Mapping[str, str] | None = None, folder: Path | None = None
    ) -> int | None:
        """Start it; what runs already is not touched.

        Args:
            command: its words.
            release: what it is called from now on.
            more: variables of its environment besides ours.
            folder: to work in; None: ours.

        Returns:
            Its exit status if it has ended at once, else None.

        Raises:
            OSError: there is no such program, or the log cannot be written.
        """
        with self._log.open("ab") as log:
            child = subprocess.Popen(
                list(command),
                env={**os.environ, **(more or {}), MARK: self._owner + release},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        # The kernel shows its environment a moment after its program has begun.
        end = time.monotonic() + _APPEARS
        while self.release != release and child.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
        return child.poll()

    def stop(self, grace: float) -> None:
        """End it, by force after a grace in seconds; harmless where nothing runs."""
        marked = self.processes()
        for process in marked:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
        _, left = psutil.wait_procs(marked, grace)
        for process in {*left, *self.processes()}:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, grace)

    def logs(self, lines: int = 5) -> str:
        """The last lines it wrote."""
        try:
            with self._log.open("rb") as log:
                log.seek(max(0, self._log.stat().st_size - _TAIL))
                return "\n".join(log.read().decode("utf-8", errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def _marks(self) -> Iterator[tuple[psutil.Process, str]]:
        """Its processes that live, each with its release."""
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                mark = process.environ().get(MARK, "")
                if mark.startswith(self._owner) and process.status() != psutil.STATUS_ZOMBIE:
                    yield process, mark[len(self._owner) :]
