"""Robots as processes under a real Prometheus, to roll releases out on: for tests and benchmarks."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from edge_ai.deployment.canary.plan import Host
from edge_ai.deployment.canary.process import ProcessSettings, ProcessTarget

ROOT = Path(__file__).resolve().parents[1]
ROBOT = ROOT / "tools" / "canary_robot.py"
PROMETHEUS = Path(shutil.which("prometheus") or ROOT / "out" / "programs" / "prometheus" / "usr" / "bin" / "prometheus")
SCRAPE = 0.2  # s between two scrapes of a robot
_PATIENCE = 30.0  # s


class FleetError(Exception):
    """Something that should run does not; says what."""


class CanaryFleet:
    """Robots and a Prometheus that scrapes them, all on this machine's loopback.

    Args:
        folder: takes logs, data and plans.
        releases: that the robots run at first, one each.

    Attributes:
        url: of Prometheus.

    Example:
        >>> with CanaryFleet(Path("out/fleet"), ["1"] * 4) as fleet:      # doctest: +SKIP
        ...     subprocess.run(["edge-ai", "deploy", "canary", fleet.plan("2-slow")])
    """

    def __init__(self, folder: Path, releases: Sequence[str]) -> None:
        self.folder, self._releases = folder, releases
        *ports, port = _free_ports(len(releases) + 1)
        self.url = f"http://127.0.0.1:{port}"
        places = {f"robot{number}": f"127.0.0.1:{port}" for number, port in enumerate(ports, 1)}
        self._hosts = [Host(name=name, address=place, instance=place) for name, place in places.items()]
        command = [sys.executable, str(ROBOT), "{release}", "{address}"]
        self._settings = ProcessSettings(command=command, folder=str(folder / "robots"))
        self._target = ProcessTarget(self._settings)
        self._prometheus: subprocess.Popen[bytes] | None = None

    def plan(self, release: str, **changes: Any) -> Path:
        """Write a plan for all robots with short times, and what is to be different in it."""
        content = {
            "release": release,
            "hosts": [host.model_dump() for host in self._hosts],
            "target": {"kind": "processes", **self._settings.model_dump()},
            "prometheus": self.url,
            "stages": [25, 50, 100],
            "interval": 3 * SCRAPE,
            "settle": 3 * SCRAPE,
            "least": 9 * SCRAPE,
            "patience": 45 * SCRAPE,
            **changes,
        }
        path = self.folder / "plan.yaml"
        path.write_text(json.dumps(content))  # JSON is YAML
        return path

    def runs(self) -> dict[str, str]:
        """The release of each robot; empty: nothing."""
        return {host.name: self._target.version(host) for host in self._hosts}

    def reset(self, window: float = 3 * SCRAPE) -> None:
        """Let every robot run what it ran at first, and wait until the last ``window`` s show nothing else."""
        for host, release in zip(self._hosts, self._releases, strict=True):
            self._target.apply(release, host)
        begun = time.monotonic()
        wait_until(lambda: self.asked("sum(up)") == len(self._hosts), "Prometheus scrapes all robots")
        time.sleep(max(0.0, begun + window + 2 * SCRAPE - time.monotonic()))

    def kill(self, robot: str) -> None:
        """As a power cut would."""
        host = next(host for host in self._hosts if host.name == robot)
        for process in self._target.process(host).processes():
            process.kill()

    def asked(self, query: str) -> float:
        """The first value of a query's answer; NaN: there is none."""
        series = self._ask(query)
        return float(series[0]["value"][1]) if series else math.nan

    def samples(self, query: str) -> list[tuple[float, float]]:
        """When each sample of a range of one series was scraped, s since the epoch, and its value."""
        (series,) = self._ask(query)
        return [(float(at), float(value)) for at, value in series["values"]]

    def _ask(self, query: str) -> list[dict[str, Any]]:
        url = f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        except OSError:
            return []
        return result

    def start_prometheus(self) -> None:
        """Start it and wait until it has looked for every robot; it takes 5 s to begin.

        Raises:
            FleetError: that does not come to pass.
        """
        config = self.folder / "prometheus.yml"
        job = {"job_name": "robots", "static_configs": [{"targets": [host.place for host in self._hosts]}]}
        times = dict.fromkeys(("scrape_interval", "scrape_timeout"), f"{SCRAPE * 1000:.0f}ms")
        config.write_text(json.dumps({"global": times, "scrape_configs": [job]}))
        listen = f"--web.listen-address={self.url.removeprefix('http://')}"
        command = [PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={self.folder / 'tsdb'}", listen]
        with (self.folder / "prometheus.log").open("ab") as log:
            self._prometheus = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(lambda: self.asked("count(up)") == len(self._hosts), "Prometheus looks for all robots")

    def stop_prometheus(self) -> None:
        """End it; what it knows stays on the disk."""
        if self._prometheus is not None:
            self._prometheus.terminate()
            self._prometheus.wait(_PATIENCE)
            self._prometheus = None

    def __enter__(self) -> CanaryFleet:
        try:
            self.start_prometheus()
            self.reset()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_prometheus()
        for host in self._hosts:
            self._target.roll_back("", host)


def wait_until(true: Callable[[], bool], what: str) -> None:
    """Wait for a condition.

    Raises:
        FleetError: it does not come to pass.
    """
    end = time.monotonic() + _PATIENCE
    while not true():
        if time.monotonic() > end:
            raise FleetError(f"not within {_PATIENCE:g} s: {what}")
        time.sleep(0.02)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
