"""The Grafana dashboard asks for nothing that the robot does not tell."""

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("prometheus_client")

from edge_ai.core.clock import ManualClock
from edge_ai.monitoring.alert import Alert, Level
from edge_ai.monitoring.metrics import Metrics
from edge_ai.monitoring.readings import Sample

DASHBOARD = json.loads((Path(__file__).resolve().parents[2] / "config" / "grafana_dashboard.json").read_text())
MACHINE = (
    "cpu",
    "gpu",
    "memory",
    "swap",
    "temperature",
    "temperature/x",
    "power",
    "power/x",
    "disk_free",
    "monitor/load",
)
WHOLE = ("disk_free", "fps", "fps_share", "age", "processing", "network/x/rx", "network/x/tx")
NODE = ("age_p99", "infer_p50", "dropped", "failed", "cpu", "memory", "refused")


@pytest.fixture(scope="module")
def told():
    """Names of all series."""
    clock = ManualClock()
    metrics = Metrics(clock)
    names = (*MACHINE, *WHOLE, *(f"inference/{what}" for what in NODE))
    metrics.sample(Sample(clock.stamp_ns(), clock.steady_ns(), dict.fromkeys(names, 0.5)))
    metrics.alerts([Alert("cpu", Level.WARN, "", 0)])
    metrics.mitigation({"level": 0, "changes": 0})
    metrics.router({"edge_share": 1.0, "edge_latency": 0.1, "failovers": 0})
    return set(re.findall(r"^(edge_ai_\w+)", metrics.render()[0].decode(), re.MULTILINE))


def expressions():
    yield from (target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ()))
    yield from (note["expr"] for note in DASHBOARD["annotations"]["list"])
    yield from (variable.get("definition", "") for variable in DASHBOARD["templating"]["list"])


def test_every_series_it_shows_is_told(told):
    asked = {name for expression in expressions() for name in re.findall(r"edge_ai_\w+", expression)}
    assert len(asked) > 25
    assert asked <= told


def test_panels_do_not_overlap_and_have_numbers_of_their_own():
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for grid in [panel["gridPos"]]
        for x in range(grid["x"], grid["x"] + grid["w"])
        for y in range(grid["y"], grid["y"] + grid["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(numbers) == len(set(numbers))


def test_it_can_be_imported_anywhere():
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"] if "datasource" in panel} == {"${datasource}"}
    assert all(panel["title"] for panel in DASHBOARD["panels"])
