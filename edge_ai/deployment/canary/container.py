"""Robots whose releases are container images, started through the API of each robot's Docker or Podman."""

from __future__ import annotations

import threading
import time
from typing import Any

from pydantic import Field, field_validator

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.canary.plan import Host
from edge_ai.deployment.container_spec import ContainerSpec
from edge_ai.deployment.containers import ContainerEngine
from edge_ai.deployment.plan_file import Entry

_TICK = 0.5  # s between two looks at a container's health


class ContainerSettings(Entry):
    """What is started where.

    Attributes:
        engine: URL of the API; ``{address}`` is the robot's: "ssh://robot@{address}".
        image: its name; ``{release}`` is filled in and told back by it: "edge_ai/robot:{release}".
        container: its name on the robot.
        spec: all else of `ContainerSpec`.
        ready: how long it may take to be healthy, s.
        settle: how long one without a health check has to run for that, s.
    """

    engine: str = "ssh://{address}"
    image: str
    container: str = Field("edge_ai", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    spec: dict[str, Any] = Field({})
    ready: float = Field(120.0, gt=0, le=3600)
    settle: float = Field(3.0, ge=0, le=600)

    @field_validator("image")
    @classmethod
    def _of_release(cls, image: str) -> str:
        if image.count("{release}") != 1:
            raise ValueError("'{release}' is wanted in it, once")
        return image

    @field_validator("spec")
    @classmethod
    def _complete(cls, spec: dict[str, Any]) -> dict[str, Any]:
        ContainerSpec(image="any", **spec)
        return spec


class ContainerTarget:
    """See `Target`.

    Args:
        settings: from the plan.
    """

    Settings = ContainerSettings

    def __init__(self, settings: ContainerSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._engines: dict[str, ContainerEngine] = {}

    def version(self, host: Host) -> str:
        engine, name = self._engine(host), self._settings.container
        if not engine.running(name):
            return ""
        before, _, behind = self._settings.image.partition("{release}")
        image = engine.image(name)
        if image.startswith(before) and image.endswith(behind):
            return image[len(before) : len(image) - len(behind)]
        return image

    def apply(self, release: str, host: Host) -> None:
        engine, name = self._engine(host), self._settings.container
        image = self._settings.image.replace("{release}", release)
        engine.start(name, ContainerSpec(image=image, **self._settings.spec))
        if fault := self._wait(engine):
            engine.stop(name)  # else it would be started again and again
            got = f"{fault} container '{name}' of '{image}': {' '.join(engine.logs(name, 5).split())}"
            raise DeploymentError(f"robot '{host.name}'", got=got, wanted="a healthy one")

    def roll_back(self, release: str, host: Host) -> None:
        if release:
            self.apply(release, host)
        else:
            self._engine(host).remove(self._settings.container)

    def _wait(self, engine: ContainerEngine) -> str:
        """Until it is healthy, or without a health check has run long enough; empty, or what it is instead."""
        name, begun = self._settings.container, time.monotonic()
        run, since = "", begun
        while True:
            now, health, before, run = time.monotonic(), engine.health(name), run, engine.started(name)
            if run != before:
                since = now
            if not run or health == "unhealthy":
                return health if run else "ended"
            if health == "healthy" or (health == "none" and now - since >= self._settings.settle):
                return ""
            if now - begun > self._settings.ready:
                return "restarting" if health == "none" else health
            time.sleep(_TICK)

    def _engine(self, host: Host) -> ContainerEngine:
        url = self._settings.engine.replace("{address}", host.place)
        with self._lock:
            return self._engines.setdefault(url, ContainerEngine(url))
