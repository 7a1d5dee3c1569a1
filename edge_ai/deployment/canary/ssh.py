"""Robots that are told over SSH, by the program ssh: its configuration, keys and known hosts are the user's own."""

from __future__ import annotations

import shlex
import subprocess

from pydantic import Field

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.canary.plan import Host
from edge_ai.deployment.plan_file import Entry

_UNREACHED = 255  # what ssh itself ends with
_SAFE = ("-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "ServerAliveInterval=5")


class SshSettings(Entry):
    """Commands for the robot's shell. ``{release}`` is filled in, quoted.

    Attributes:
        version: writes what runs now.
        apply: lets it run a release, and ends with status 0 when it does.
        roll_back: lets it run an earlier one; empty: as ``apply``.
        options: for ssh, such as ["-F", "fleet.conf"].
        connect_timeout: s.
        timeout: for a command, s.
    """

    version: str = Field(min_length=1)
    apply: str = Field(min_length=1)
    roll_back: str = ""
    options: list[str] = Field([])
    connect_timeout: int = Field(10, ge=1, le=300)
    timeout: float = Field(300.0, gt=0, le=86400)


class SshTarget:
    """See `Target`. A robot whose host key is not known is not told anything.

    Args:
        settings: from the plan.
    """

    Settings = SshSettings

    def __init__(self, settings: SshSettings) -> None:
        self._settings = settings

    def version(self, host: Host) -> str:
        if not (version := self._run(host, self._settings.version)):
            got = f"nothing from '{self._settings.version}'"
            raise DeploymentError(f"robot '{host.name}'", got=got, wanted="the release that it runs")
        return version

    def apply(self, release: str, host: Host) -> None:
        self._run(host, self._settings.apply.replace("{release}", shlex.quote(release)))

    def roll_back(self, release: str, host: Host) -> None:
        command = self._settings.roll_back or self._settings.apply
        self._run(host, command.replace("{release}", shlex.quote(release)))

    def _run(self, host: Host, command: str) -> str:
        options = [*_SAFE, "-o", f"ConnectTimeout={self._settings.connect_timeout}", *self._settings.options]
        words = ["ssh", *options, "--", host.place, command]
        what = f"robot '{host.name}'"
        try:
            done = subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=self._settings.timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            got = f"no end of '{command}' within {self._settings.timeout:g} s"
            raise DeploymentError(what, got=got, mend="look at the robot, or raise 'timeout'") from None
        except OSError as error:
            raise DeploymentError("ssh", got=error.strerror, mend="install OpenSSH's client") from None
        said = " ".join((done.stderr or done.stdout).split())[-300:]
        if done.returncode == _UNREACHED:
            mend = f"ssh -o BatchMode=yes {host.place} true"
            raise DeploymentError(f"{what} cannot be reached", got=said or "no connection", mend=mend)
        if done.returncode:
            raise DeploymentError(what, got=f"status {done.returncode} of '{command}': {said}", wanted="status 0")
        return done.stdout.strip()
