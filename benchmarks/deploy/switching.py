"""Part `switching`: requests that fail, and what they cost, while a service moves back and forth between two sides."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.figures import median, percentile
from benchmarks.goals import Goal
from benchmarks.topic import ROOT, Context, MeasurementError, Report
from edge_ai.deployment.blue_green.make import make_deployment, make_sides
from edge_ai.deployment.blue_green.plan import Plan
from edge_ai.deployment.containers import ContainerEngine
from edge_ai.deployment.journal import Journal

sys.path.insert(0, str(ROOT / "tools"))
from installer.console import SetupError
from serving.haproxy import Haproxy, unfit
from serving.load import Load

GOALS = {
    "failed": Goal("blue-green, back and forth under load: failed requests", None, 0.0, "lower"),
    "requests": Goal("blue-green, back and forth under load: requests", None, 10_000, "higher"),
}
_CLIENTS = 4
_SERVER = ROOT / "tools" / "serving" / "oip_server.py"


def measure(context: Context, report: Report) -> Mapping[str, float]:
    """Deployments one after the other while clients ask without pause; the values of the goals."""
    if unfit():
        raise MeasurementError(unfit())
    folder = context.folder / "switching"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with Haproxy(folder) as proxy:
            found = _Bench(folder, proxy).run(int(context.pick(4, 20)), 10_000)
    except SetupError as error:
        raise MeasurementError(str(error)) from None
    report.results["switching"] = found
    context.say(
        f"{found['requests']} requests during {found['switches']} deployments of {found['deployment_s']:.1f} s each: "
        f"{found['failed']} failed; p99 {found['p99_ms']:.1f} ms, without a deployment {found['p99_ms_alone']:.1f}"
    )
    return {"failed": found["failed"], "requests": found["requests"]}


class _Bench:
    """Two sides on this machine and how they are deployed."""

    def __init__(self, folder: Path, proxy: Haproxy) -> None:
        self._folder, self._proxy = folder, proxy

    def run(self, switches: int, requests: int) -> dict[str, Any]:
        """Switch until there were so many switches and requests; then ask a little more without any."""
        (self._folder / "plan.journal.jsonl").unlink(missing_ok=True)
        took: list[float] = []
        try:
            self._deploy("green")
            with Load(self._proxy.url, clients=_CLIENTS, pause=0.002) as load:
                while len(took) < switches or load.done < requests:
                    took.append(self._timed(("blue", "green")[len(took) % 2]))
                during = load.done
                while load.done < during + requests // 5:
                    time.sleep(0.05)
        finally:
            for side in make_sides(self._plan("blue"), self._folder, ContainerEngine()).values():
                side.stop(1.0)
        return {
            "requests": during,
            "failed": len(load.failures),
            "failures": load.failures[:5],
            "answers": dict(load.answers),
            "switches": len(took),
            "deployment_s": median(took),
            "p99_ms": 1e3 * percentile(load.seconds[:during], 99),
            "p99_ms_alone": 1e3 * percentile(load.seconds[during:], 99),
        }

    def _timed(self, serve: str) -> float:
        begun = time.monotonic()
        self._deploy(serve)
        return time.monotonic() - begun

    def _deploy(self, serve: str) -> None:
        plan, said = self._plan(serve), []
        with Journal(self._folder / "plan.journal.jsonl").opened() as journal, ContainerEngine() as engine:
            if not make_deployment(plan, self._folder, journal, engine, said.append).deploy():
                raise MeasurementError(f"{serve} was rolled back: {said[-2]}")

    def _plan(self, serve: str) -> Plan:
        sides = {}
        for name, port in self._proxy.ports.items():
            command = [sys.executable, "-S", str(_SERVER), "--port", str(port), "--release", name]
            ready = f"http://127.0.0.1:{port}/v2/health/ready"
            sides[name] = {"release": name, "process": {"command": command}, "ready": ready}
        return Plan.model_validate(
            {
                "serve": serve,
                "sides": sides,
                "traffic": {"socket": self._proxy.socket.name, "backends": ["triton_http", "triton_grpc"]},
                "checks": {"period": 0.2},
                "probation": 0.5,
            }
        )
