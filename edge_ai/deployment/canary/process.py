"""Robots that are processes of this machine: to try a plan out, and what a simulated fleet is made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.canary.plan import Host
from edge_ai.deployment.marked_process import MarkedProcess
from edge_ai.deployment.plan_file import Entry


class ProcessSettings(Entry):
    """Commands of processes.

    Attributes:
        command: words; ``{release}``, ``{host}`` and ``{address}`` are filled in.
        folder: takes a log for each robot.
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

    def process(self, host: Host) -> MarkedProcess:
        """That a robot is."""
        return MarkedProcess(f"{self._folder.resolve()}:{host.name}", self._log(host))

    def version(self, host: Host) -> str:
        return self.process(host).release or ""

    def apply(self, release: str, host: Host) -> None:
        process = self.process(host)
        if process.release == release:
            return
        process.stop(self._settings.grace)
        filling = {"release": release, "host": host.name, "address": host.place}
        words = [_filled(word, filling) for word in self._settings.command]
        what = f"robot '{host.name}'"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DeploymentError(f"folder '{self._folder}'", got=error, mend="correct 'target.folder'") from None
        try:
            status = process.start(words, release)
        except OSError as error:
            raise DeploymentError(what, got=error, mend="correct 'target.command'") from None
        if status is not None:
            got = f"status {status} of '{' '.join(words)}'"
            raise DeploymentError(what, got=got, mend=f"see {self._log(host)}")

    def roll_back(self, release: str, host: Host) -> None:
        if release:
            self.apply(release, host)
        else:
            self.process(host).stop(self._settings.grace)

    def _log(self, host: Host) -> Path:
        return self._folder / f"{host.name}.log"


def _filled(word: str, filling: Mapping[str, str]) -> str:
    """Other braces are the command's own."""
    for name, value in filling.items():
        word = word.replace(f"{{{name}}}", value)
    return word
