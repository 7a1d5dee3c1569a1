"""A robot as far as a rollout sees it: the monitor's real metrics, with figures that its release decides.

python3 tools/canary_robot.py RELEASE HOST:PORT

The release's name says how it fares: "2" well, "2-errors", "2-slow", "2-hungry", "2-idle", "2-mute"; "2-slow@3.5" is
slow from 3.5 s after its start.
"""

from __future__ import annotations

import random
import sys
import time

from edge_ai.core.clock import SystemClock
from edge_ai.monitoring.endpoint import Endpoint
from edge_ai.monitoring.metrics import Metrics
from edge_ai.monitoring.readings import Sample

RATE = 3000.0  # results/s: as of a whole crowd of cameras, so that a test need not wait for evidence
_PERIOD = 0.1  # s
_FARES = {
    "": {},
    "errors": {"inference/failed": 0.05 * RATE},
    "slow": {"inference/age_p95": 0.150},
    "hungry": {"cpu": 0.95},
    "idle": {"inference/rate": 0.0, "inference/failed": 0.0},
}


def readings(release: str, ran: float, draw: random.Random) -> dict[str, float]:
    """What the monitor would measure of it after so many seconds."""
    kind, _, begins = release.partition("-")[2].partition("@")
    fares = {
        "inference/rate": RATE,
        "inference/failed": 0.0005 * RATE * draw.uniform(0.5, 1.5),
        "inference/age_p95": 0.060 * draw.uniform(0.95, 1.05),
        "cpu": 0.40 * draw.uniform(0.9, 1.1),
        "memory": 0.50,
        **_FARES[kind if ran >= float(begins or 0) else ""],
    }
    if not fares["inference/rate"]:
        del fares["inference/age_p95"]
    return fares


def main(release: str, address: str) -> int:
    """Serve until somebody ends this."""
    host, _, port = address.rpartition(":")
    while release.endswith("-mute"):
        time.sleep(3600)
    clock, draw = SystemClock(), random.Random(address)
    metrics = Metrics(clock)
    Endpoint(host, int(port), metrics=metrics, health=None).start()
    begun = time.monotonic()
    while True:
        now = readings(release, time.monotonic() - begun, draw)
        metrics.sample(Sample(clock.stamp_ns(), clock.steady_ns(), now))
        time.sleep(_PERIOD)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
