"""Containers on this machine or another one, through the API that Docker and Podman share."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.container_spec import DIGEST, creation
from edge_ai.deployment.container_spec import ContainerSpec as ContainerSpec

_NO_COMMAND = (126, 127)  # statuses by which engines and shells say so


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
        self._lock = threading.Lock()
        self._kept: Any = None

    def start(self, name: str, spec: ContainerSpec) -> None:
        """Let a container of this name run with this specification and none other.

        One that runs with it is left alone, one that ended or was paused goes on, one of another specification is
        replaced.

        Raises:
            DeploymentError: no engine answers, the image is not there, or it does not start; with the reason.
        """
        with self._asked(f"container '{name}' of image '{spec.image}'"):
            container = self._find(name)
            if container is not None and container.labels.get(DIGEST) != spec.digest:
                self.stop(name)
                container.remove(force=True)
                container = None
            if container is None:
                container = self._client().containers.create(**creation(name, spec))
            if container.status == "paused":
                container.unpause()
            container.start()  # harmless where it runs

    def stop(self, name: str, grace: float = 10.0) -> None:
        """End it, by force after a grace in seconds; none of that name is no error."""
        with self._asked(f"container '{name}'"):
            container = self._find(name)
            if container is not None and container.status == "paused":
                container.unpause()  # else it would not hear that it is to end
            if container is not None:
                container.stop(timeout=round(grace))

    def remove(self, name: str) -> None:
        """End it at once and forget it; none of that name is no error."""
        with self._asked(f"container '{name}'"):
            container = self._find(name)
            if container is not None:
                container.remove(force=True)

    def running(self, name: str) -> bool:
        """Whether it runs now."""
        with self._asked(f"container '{name}'"):
            container = self._find(name)
            return container is not None and container.status == "running"

    def started(self, name: str) -> str:
        """When it was started, by the engine's clock, as it writes it: another word after each restart. Empty: it does
        not run now."""
        with self._asked(f"container '{name}'"):
            container = self._find(name)
            runs = container is not None and container.status == "running"
            return str(container.attrs["State"]["StartedAt"]) if runs else ""

    def runs(self, name: str, spec: ContainerSpec) -> bool:
        """Whether it runs now, started with this specification."""
        with self._asked(f"container '{name}'"):
            container = self._find(name)
            return bool(container and container.status == "running" and container.labels.get(DIGEST) == spec.digest)

    def image(self, name: str) -> str:
        """The image it was made of, as it was asked for; empty where there is none of that name."""
        with self._asked(f"container '{name}'"):
            container = self._find(name)
            return "" if container is None else str(container.attrs["Config"]["Image"])

    def health(self, name: str) -> str:
        """What its image's health check says: "healthy", "unhealthy", "starting", "none" without one, or "absent".

        Podman runs health checks by timers of systemd: without it they stay at "starting".
        """
        with self._asked(f"container '{name}'"):
            container = self._find(name)
            if container is None or container.status != "running":
                return "absent"
            return str(container.attrs["State"].get("Health", {}).get("Status") or "none")

    def exec(self, name: str, command: Sequence[str], timeout: float = 30.0) -> Execution:
        """Run a command in it.

        Raises:
            DeploymentError: it does not run, has no such command, or gave no answer within so many seconds.
        """
        what = f"'{command[0]}' in container '{name}'"
        answer: queue.SimpleQueue[Execution | Exception] = queue.SimpleQueue()

        def work() -> None:
            try:
                container = self._client().containers.get(name)
                status, (output, errors) = container.exec_run(list(command), demux=True)
                answer.put(Execution(status, _text(output), _text(errors)))
            except Exception as error:  # whatever it is, the caller is told
                answer.put(error)

        # The library waits for ever for what a command writes.
        threading.Thread(target=work, name=f"exec in {name}", daemon=True).start()
        with self._asked(what):
            try:
                done = answer.get(timeout=timeout)
            except queue.Empty:
                raise DeploymentError(what, got=f"no answer within {timeout:g} s") from None
            if isinstance(done, Exception):
                raise done
        if done.status in _NO_COMMAND:
            raise DeploymentError(what, got=(done.errors or done.output).strip(), wanted="a command that its image has")
        return done

    def logs(self, name: str, lines: int = 20) -> str:
        """The last lines it wrote; empty where there is none of that name."""
        with self._asked(f"container '{name}'"):
            container = self._find(name)
            return "" if container is None else _text(container.logs(tail=lines))

    def close(self) -> None:
        """Close the connection; a later call opens it again."""
        with self._lock:
            client, self._kept = self._kept, None
        if client is not None:
            client.close()

    def __enter__(self) -> ContainerEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _client(self) -> Any:
        docker = _library()
        with self._lock:
            if self._kept is None:
                how = {"timeout": self._timeout, "version": "auto"}
                self._kept = docker.DockerClient(self._url, **how) if self._url else docker.from_env(**how)
            return self._kept

    def _find(self, name: str) -> Any:
        try:
            return self._client().containers.get(name)
        except _library().errors.NotFound:
            return None

    @contextlib.contextmanager
    def _asked(self, what: str) -> Iterator[None]:
        """Errors of the library and of its connection in our own words."""
        docker = _library()
        import requests  # the library's own

        try:
            yield
        except docker.errors.ImageNotFound:
            mend = "pull, load or build the image on that machine first"
            raise DeploymentError(what, got="no such image there", mend=mend) from None
        except docker.errors.APIError as error:
            raise DeploymentError(what, got=error.explanation or error) from None
        except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
            where = self._url or os.environ.get("DOCKER_HOST") or "the default socket"
            mend = "see that Docker or Podman runs there and that this user may use it"
            raise DeploymentError(what, got=f"no answer from {where} ({error})", mend=mend) from None


def _library() -> Any:
    try:
        import docker
    except ImportError:
        raise DeploymentError("containers", got="no library docker", mend="pip install 'edge_ai[deploy]'") from None
    return docker


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", errors="replace")
