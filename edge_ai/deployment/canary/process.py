"""Robots that are processes of this machine: to try a plan out, and what a simulated fleet is made of."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
from pydantic import Field

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.canary.plan import Host
from edge_ai.deployment.plan_file import Entry

# The child writes its own number: whoever kills us between its start and our next step leaves no process unknown.
_WRAPPER = 'printf "%s\\n%s\\n" "$$" "$1" > "$0.part" && mv "$0.part" "$0" && shift && exec "$@"'
_TICK = 0.02  # s


class ProcessSettings(Entry):
    """Commands of processes.

    Attributes:
        command: words; ``{release}``, ``{host}`` and ``{address}`` are filled in.
        folder: takes a log and a file with the process's number for each robot.
        grace: of an old process that is to end, before it is killed, s.
    """

    command: list[str] = Field(min_length=1)
    folder: str = Field(min_length=1)
    grace: float = Field(5.0, gt=0, le=600)


class ProcessTarget:
    """See `Target`.

    Args:
        settings: from the plan.
    """

    Settings = ProcessSettings

    def __init__(self, settings: ProcessSettings) -> None:
        self._settings, self._folder = settings, Path(settings.folder)

    def version(self, host: Host) -> str:
        return self._running(host)[1]

    def apply(self, release: str, host: Host) -> None:
        process, version = self._running(host)
        if version == release:
            return
        if process is not None:
            self._end(process)
        self._start(release, host)

    def roll_back(self, release: str, host: Host) -> None:
        if release:
            self.apply(release, host)
        elif (process := self._running(host)[0]) is not None:
            self._end(process)

    def _running(self, host: Host) -> tuple[psutil.Process | None, str]:
        state = self._folder / host.name
        try:
            number, release = state.read_text().splitlines()
            process = psutil.Process(int(number))
            # A number is used again for another process, but not one that was there when the file was written.
            ours = process.create_time() <= state.stat().st_mtime + 1 and not _ended(process)
        except (FileNotFoundError, psutil.NoSuchProcess):
            return None, ""
        except (OSError, ValueError) as error:
            raise _wrong(self._folder, error) from None
        return (process, release) if ours else (None, "")

    def _start(self, release: str, host: Host) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _wrong(self._folder, error) from None
        state = self._folder / host.name
        state.unlink(missing_ok=True)
        filling = {"release": release, "host": host.name, "address": host.place}
        words = [_filled(word, filling) for word in self._settings.command]
        with state.with_suffix(".log").open("ab") as log:
            child = subprocess.Popen(
                ["/bin/sh", "-c", _WRAPPER, str(state), release, *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while not state.exists() and child.poll() is None:
            time.sleep(_TICK)
        if child.poll() is not None:
            got = f"status {child.returncode} of '{' '.join(words)}'"
            raise DeploymentError(f"robot '{host.name}'", got=got, mend=f"see {state.with_suffix('.log')}")

    def _end(self, process: psutil.Process) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
            end = time.monotonic() + self._settings.grace
            while not _ended(process):
                if time.monotonic() > end:
                    process.kill()
                time.sleep(_TICK)


def _wrong(folder: Path, error: Exception) -> DeploymentError:
    return DeploymentError(f"folder '{folder}'", got=error, mend="correct 'target.folder'")


def _filled(word: str, filling: Mapping[str, str]) -> str:
    """Other braces are the command's own."""
    for name, value in filling.items():
        word = word.replace(f"{{{name}}}", value)
    return word


def _ended(process: psutil.Process) -> bool:
    """Also where whoever started it has not asked for its exit status yet."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
