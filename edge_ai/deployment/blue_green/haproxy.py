"""Which side HAProxy asks, changed and read through its runtime API (management guide, section 9.3)."""

from __future__ import annotations

import csv
import io
import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.blue_green.plan import TrafficPlan

_TIMEOUT = 5.0  # s for an answer
_UP = 15.0  # s for a server that answers to be seen as up
_GLANCE = 0.05
_FULL = 100  # weight of a server that gets all requests
_LARGEST = 1 << 24


@dataclass(frozen=True, slots=True)
class Server:
    """A server as HAProxy sees it.

    Attributes:
        state: "UP", "DOWN", "DRAIN", "MAINT", "no check", or one of these on its way to another.
        weight: its share, relative to the others'.
        sessions: requests it works at now.
        requests: sessions it was ever given.
        errors: of these, answers 5xx, no answers and connections that failed.
    """

    state: str
    weight: int
    sessions: int
    requests: int
    errors: int

    @property
    def up(self) -> bool:
        """Whether it is asked."""
        return self.state.startswith("UP") or self.state == "no check"


class RuntimeApi:
    """The commands of a running HAProxy.

    Args:
        path: of its socket.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def set(self, commands: Sequence[str]) -> None:
        """Give commands that answer nothing if all is well.

        Raises:
            DeploymentError: HAProxy is not there, or refuses; in its words.
        """
        for command in commands:
            answer = self.ask(command).strip()
            if answer:
                mend = "see that the backend has both sides as servers and the socket 'level admin'"
                raise DeploymentError(f"HAProxy at '{self.path}': {command}", got=answer, mend=mend)

    def ask(self, command: str) -> str:
        """Give a command.

        Raises:
            DeploymentError: HAProxy is not there or does not answer.
        """
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(_TIMEOUT)
                line.connect(str(self.path))
                line.sendall(f"{command}\n".encode())
                answer = bytearray()
                while len(answer) < _LARGEST and (piece := line.recv(1 << 16)):
                    answer += piece
        except OSError as error:
            mend = "start it, with 'stats socket PATH level admin' in its section 'global'"
            raise DeploymentError(f"HAProxy at '{self.path}'", got=error.strerror or error, mend=mend) from None
        return answer.decode("utf-8", errors="replace")

    def servers(self) -> dict[tuple[str, str], Server]:
        """Every server by its backend's name and its own.

        Raises:
            DeploymentError: as for `ask`.
        """
        rows = csv.DictReader(io.StringIO(self.ask("show stat -1 4 -1").removeprefix("# ")))
        return {(row["pxname"], row["svname"]): _server(row) for row in rows if row.get("type") == "2"}


def _server(row: dict[str, str]) -> Server:
    def number(*names: str) -> int:
        return sum(int(row.get(name) or 0) for name in names)

    return Server(row["status"], number("weight"), number("scur"), number("stot"), number("hrsp_5xx", "econ", "eresp"))


class Traffic:
    """Moves requests from one side to the other; all of it may be done again.

    Args:
        plan: which HAProxy, and how.
        folder: of the plan.
        say: takes a line of progress.
    """

    def __init__(self, plan: TrafficPlan, folder: Path, say: Callable[[str], None]) -> None:
        self._plan, self._say = plan, say
        self._api = RuntimeApi(folder / plan.socket)
        self._state_file = folder / plan.state_file if plan.state_file else None

    def check(self) -> None:
        """Whether HAProxy is there and has both servers in every backend.

        Raises:
            DeploymentError: it is not, or has not; says which are missing.
        """
        known = self._api.servers()
        wanted = [(backend, side) for backend in self._plan.backends for side in ("blue", "green")]
        if missing := [f"{backend}/{side}" for backend, side in wanted if (backend, side) not in known]:
            found = ", ".join("/".join(name) for name in known) or "none"
            raise DeploymentError(f"HAProxy's server {', '.join(missing)}", got=f"only {found}", wanted="it as well")

    def states(self) -> dict[str, Server]:
        """Of the servers of both sides by "backend/side"."""
        return {
            "/".join(name): server for name, server in self._api.servers().items() if name[0] in self._plan.backends
        }

    def share(self, side: str, before: str, share: float) -> None:
        """Let a side answer this share of the requests and the other one the rest.

        Raises:
            DeploymentError: HAProxy refuses, or does not see the side as up in time.
        """
        part = max(1, min(_FULL - 1, round(share * _FULL)))
        self._set(f"set weight {{}}/{side} {part}", f"set weight {{}}/{before} {_FULL - part}")
        self._admit(side)

    def move(self, side: str, before: str, *, spare: bool = False) -> None:
        """Let a side answer all requests that come from now on, and the other one end what it has begun.

        Args:
            side: that answers.
            before: that answers no more.
            spare: let that one answer all the same where the side is dead, if HAProxy has a server `BEFORE_spare`.

        Raises:
            DeploymentError: as for `share`; the other side then goes on answering.
        """
        self._set(f"set weight {{}}/{side} {_FULL}", f"set weight {{}}/{before} {_FULL}")
        self._admit(side)
        self._set_spare(side, "maint")
        self._set_spare(before, "ready" if spare else "maint")
        self._set(f"set server {{}}/{before} state drain")
        self._keep()
        self._drained(before)

    def retire(self, side: str) -> None:
        """Ask a side no more, nor look whether it answers."""
        self._set(f"set server {{}}/{side} state maint")
        self._set_spare(side, "maint")
        self._keep()

    def _admit(self, side: str) -> None:
        self._set(f"set server {{}}/{side} state ready")
        end = time.monotonic() + _UP
        while down := [name for name in self._names(side) if not self.states()[name].up]:
            if time.monotonic() > end:
                state = self.states()[down[0]].state
                mend = "compare its address and its check in HAProxy's configuration with the side's"
                raise DeploymentError(f"HAProxy's server {down[0]}", got=state, wanted="UP", mend=mend)
            time.sleep(_GLANCE)

    def _drained(self, side: str) -> None:
        end = time.monotonic() + self._plan.drain
        while left := sum(self.states()[name].sessions for name in self._names(side)):
            if time.monotonic() > end:
                self._say(f"{side} still works at {left} requests after {self._plan.drain:g} s")
                return
            time.sleep(_GLANCE)

    def _names(self, side: str) -> list[str]:
        return [f"{backend}/{side}" for backend in self._plan.backends]

    def _set(self, *commands: str) -> None:
        self._api.set([command.format(backend) for backend in self._plan.backends for command in commands])

    def _set_spare(self, side: str, state: str) -> None:
        spares = [f"{name}_spare" for name in self._names(side)]
        self._api.set([f"set server {name} state {state}" for name in self.states() if name in spares])

    def _keep(self) -> None:
        """Let an HAProxy that starts anew know which side is in charge."""
        if self._state_file is None:
            return
        part = self._state_file.with_name(f"{self._state_file.name}.part")
        try:
            with part.open("w", encoding="utf-8") as stream:
                stream.write(self._api.ask("show servers state"))
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(self._state_file)
        except OSError as error:
            raise DeploymentError(f"HAProxy's state file '{self._state_file}'", got=error.strerror) from None
