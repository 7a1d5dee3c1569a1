"""Containers on this machine or another one, through the API that Docker and Podman share."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from edge_ai.core.errors import DeploymentError

_DIGEST = "edge_ai.spec"
_BIND = r"^([0-9.]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5}$"


class ContainerSpec(BaseModel):
    """What a container is started with; hardened as the shipped compose file does, whatever else it says.

    Attributes:
        image: name and tag, or digest; must be on the machine already.
        command: words; empty: the image's own.
        environment: variables by name.
        ports: where on the host each port of the container is found: {8000: "127.0.0.1:8100"}.
        volumes: named volumes and absolute paths of the host by where they appear in the container, with ":ro" behind
            them where they are only read: {"/models": "/srv/models:ro"}.
        devices: of the host, such as "/dev/video0".
        groups: numbers or names of groups that its user joins, for the devices.
        gpu: whether it gets all NVIDIA GPUs of the host (PC).
        runtime: another one than the engine's default: "nvidia" on a Jetson.
        network: network or "host"; empty: the engine's default.
        ipc: "host" for shared memory with others; empty: its own.
        memory: most it may use, as "2g"; empty: no limit.
        user: "uid:gid"; empty: the image's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: str = Field(min_length=1)
    command: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    ports: dict[int, str] = {}
    volumes: dict[str, str] = {}
    devices: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    gpu: bool = False
    runtime: str = ""
    network: str = ""
    ipc: str = ""
    memory: str = Field("", pattern=r"^([0-9]+[bkmg]?)?$")
    user: str = ""

    @property
    def digest(self) -> str:
        """Tells one specification from another."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Execution:
    """How a command ended.

    Attributes:
        status: its exit status.
        output: what it wrote to standard output.
        errors: what it wrote to standard error.
    """

    status: int
    output: str
    errors: str = ""


class ContainerEngine:
    """Starts, asks and ends containers. Every call may be made again after a crash in the middle of it. Thread-safe.

    Args:
        url: of the API, "unix:///run/docker.sock" or "ssh://robot@host"; empty: as DOCKER_HOST says.
        timeout: s for one answer of the API.

    Example:
        >>> with ContainerEngine() as engine:                            # doctest: +SKIP
        ...     engine.start("green", ContainerSpec(image="edge_ai/robot:2"))
        ...     engine.health("green")
        'healthy'
    """

    def __init__(self, url: str = "", timeout: float = 30.0) -> None:
        self._url, self._timeout = url, timeout

    def start(self, name: str, spec: ContainerSpec) -> None:
        """Let a container of this name run with this specification and none other.

        One that runs with it is left alone, one that ended is started again, one of another specification is replaced.

        Raises:
            DeploymentError: no engine answers, the image is not there, or it does not start; with the reason.
        """
        raise NotImplementedError

    def stop(self, name: str, grace: float = 10.0) -> None:
        """End it, by force after a grace in seconds; none of that name is no error."""
        raise NotImplementedError

    def remove(self, name: str) -> None:
        """End it at once and forget it; none of that name is no error."""
        raise NotImplementedError

    def running(self, name: str) -> bool:
        """Whether it runs now."""
        raise NotImplementedError

    def runs(self, name: str, spec: ContainerSpec) -> bool:
        """Whether it runs now, started with this specification."""
        raise NotImplementedError

    def image(self, name: str) -> str:
        """The image it was made of, as it was asked for; empty where there is none of that name."""
        raise NotImplementedError

    def health(self, name: str) -> str:
        """ "healthy", "unhealthy" or "starting" as its image's health check says; "none" without one, "absent".

        Podman runs health checks by timers of systemd: without it they stay at "starting".
        """
        raise NotImplementedError

    def exec(self, name: str, command: Sequence[str], timeout: float = 30.0) -> Execution:
        """Run a command in it.

        Raises:
            DeploymentError: it does not run, has no such command, or gave no answer within so many seconds.
        """
        raise NotImplementedError

    def logs(self, name: str, lines: int = 20) -> str:
        """The last lines it wrote; empty where there is none of that name."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connection; a later call opens it again."""

    def __enter__(self) -> ContainerEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
