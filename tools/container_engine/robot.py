"""The robot in containers as docker/compose.yaml starts it, for as long as a `with` block."""

from __future__ import annotations

import json
import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml
from domain import free_domain
from installer.console import SetupError

from container_engine.engine import Engine

DOCKER = Path(__file__).resolve().parents[2] / "docker"
PROJECT = "edge_ai_check"
READY = 240.0  # s until both containers are healthy, on a loaded machine


class ContainerRobot:
    """One robot, on a ROS domain and on ports that nobody else uses.

    Args:
        engine: that runs it.
        folder: takes its parameters.
        image: of the robot.
        source: of its camera: a file, which is copied and played in a loop, or what the parameter takes.
    """

    def __init__(self, engine: Engine, folder: Path, image: str, source: str) -> None:
        self.engine = engine
        self.port, self.domain = _free_port(), free_domain()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "params.yaml").write_text(yaml.safe_dump(_params(folder, source)), encoding="utf-8")
        self._variables = {
            "COMPOSE_PROJECT_NAME": PROJECT,
            "EDGE_AI_IMAGE": image,
            "EDGE_AI_CONFIG": str(folder),
            "EDGE_AI_METRICS_PORT": str(self.port),
            "ROS_DOMAIN_ID": str(self.domain),
        }

    def __enter__(self) -> ContainerRobot:
        self._compose("down", "--volumes")  # what a run left that was killed
        self._compose("up", "--detach")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._compose("down", "--volumes")

    def stop(self) -> float:
        """End it in order; how long that took in seconds."""
        start = time.monotonic()
        self._compose("stop")
        return time.monotonic() - start

    def name(self, service: str) -> str:
        """The name of a service's container."""
        return self._compose("ps", "--quiet", service).strip()

    def inspect(self, service: str) -> dict[str, Any]:
        """All that the engine knows of a service's container."""
        found: list[dict[str, Any]] = json.loads(self.engine.docker("inspect", self.name(service)))
        return found[0]

    def health(self, service: str) -> str:
        """What its health check says: starting, healthy or unhealthy."""
        return str(self.inspect(service)["State"]["Health"]["Status"])

    def inside(self, service: str, *command: str) -> str:
        """What a command prints inside a service's container.

        Raises:
            SetupError: it failed; with what it said.
        """
        return self.engine.docker("exec", self.name(service), *command)

    def ask(self, service: str, *topics: str) -> dict[str, Any]:
        """What the ROS graph looks like from inside a container: managers, their nodes' states, living topics."""
        words = ["status", "--manager", "/lifecycle_manager", "--manager", "/watch_manager", "--timeout", "20"]
        words += [word for topic in topics for word in ("--topic", topic)]
        agent = ["/opt/edge_ai/docker/entrypoint.sh", "python3", "-m", "edge_ai.nodes.side_agent", *words]
        said = self.inside(service, "sh", "-c", '"$@"; true', "sh", *agent)
        answer: dict[str, Any] = json.loads(said.splitlines()[-1])
        return answer

    def ready(self) -> tuple[int, str]:
        """What /readyz says on this machine: status and words; 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2.0) as answer:
                return int(answer.status), answer.read().decode().strip()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode().strip()
        except OSError as error:
            return 0, str(error)

    def wait_healthy(self, *services: str, timeout: float = READY) -> float:
        """Wait until the engine calls them healthy; how long that took in seconds.

        Raises:
            SetupError: they are not in time; with what they log.
        """
        start = time.monotonic()
        while (states := [self.health(service) for service in services]) != ["healthy"] * len(services):
            if time.monotonic() - start > timeout:
                told = "\n".join(self.logs(service) for service in services)
                raise SetupError(f"after {timeout:.0f} s {', '.join(services)} are {', '.join(states)}:\n{told}")
            time.sleep(0.5)
        return time.monotonic() - start

    def logs(self, service: str) -> str:
        """The last lines that a service wrote."""
        return self._compose("logs", "--no-color", "--tail", "15", service)

    def _compose(self, *words: str) -> str:
        return self.engine.compose("--file", DOCKER / "compose.yaml", *words, extra=self._variables)


def _params(folder: Path, source: str) -> dict[str, Any]:
    """Its parameters, and the file that the camera plays beside them."""
    if Path(source).is_file():
        shutil.copy(source, folder / Path(source).name)
        source = f"/etc/edge_ai/{Path(source).name}"
    pipeline, dashboard = {"camera": {"source": source, "loop": True}}, {"port": 0}
    return {f"/**/{node}": {"ros__parameters": values} for node, values in _each(pipeline, dashboard)}


def _each(pipeline: dict[str, Any], dashboard: dict[str, Any]) -> Sequence[tuple[str, dict[str, Any]]]:
    return (("pipeline", pipeline), ("dashboard", dashboard))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
