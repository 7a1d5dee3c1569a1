"""Queries as they reach Prometheus."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from pydantic import ValidationError

from edge_ai.deployment.canary.criteria import DEFAULTS, Criterion, filled
from edge_ai.monitoring.metric_names import PREFIX, metric_of

ROOT = Path(__file__).resolve().parents[3]
PROMTOOL = ROOT / "out/programs/prometheus/usr/bin/promtool"


def queries():
    return [q for c in DEFAULTS for q in (c.query, c.bad, c.total) if q is not None]


def test_robots_are_matched_whole_with_or_without_their_port():
    query = filled("up{$group}", ["robot1", "10.0.0.5:9464"], "instance", 30)
    pattern = json.loads(re.fullmatch(r'up\{instance=~(".*")\}', query)[1])
    for instance, ours in {"robot1": True, "robot1:9464": True, "10.0.0.5:9464": True}.items():
        assert bool(re.fullmatch(pattern, instance)) is ours
    for other in ("robot10", "robot1x:9464", "10x0.0.5:9464", "a-robot1", "robot1:9464:1"):
        assert not re.fullmatch(pattern, other)


def test_all_that_stands_for_something_is_filled_in_and_nothing_else():
    query = filled('sum by ($label) (rate(x{$group,y=~"a$"}[$window])) * $seconds', ["r"], "robot", 1.5)
    assert query == 'sum by (robot) (rate(x{robot=~"(r)(:[0-9]+)?",y=~"a$"}[1500ms])) * 1.5'


def test_the_default_criteria_ask_for_what_our_monitor_exports():
    ours = {"inference/failed", "inference/rate", "inference/age_p95", "cpu", "memory"}
    exported = {PREFIX + metric_of(reading).name for reading in ours}
    assert {name for query in queries() for name in re.findall(r"edge_ai_\w+", query)} == exported


def test_the_default_limits_are_those_promised():
    assert {c.name: c.limit for c in DEFAULTS} == {"error rate": 0.01, "latency": 0.1, "cpu": 0.8, "memory": 0.85}


@pytest.mark.skipif(not PROMTOOL.exists(), reason="no promtool; tools/programs.py fetches Debian's")
def test_prometheus_understands_the_default_queries(tmp_path):
    rules = [
        {"record": f"robot:criterion:{number}", "expr": filled(query, ["robot-1", "10.0.0.5:9464"], "instance", 0.6)}
        for number, query in enumerate(queries())
    ]
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "canary", "rules": rules}]}))
    done = subprocess.run([PROMTOOL, "check", "rules", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        ({}, "'query' is wanted"),
        ({"bad": "x{$group}"}, "'query' is wanted"),
        ({"query": "x{$group}", "bad": "x{$group}", "total": "x{$group}"}, "'query' is wanted"),
        ({"query": "x"}, r"'\$group' is wanted"),
        ({"query": "x{$group}", "against": "y"}, r"'\$group' is wanted"),
        ({"bad": "x{$group}", "total": "x{$group}", "against": "y{$group}"}, "'against' goes with"),
        ({"query": "x{$group}", "compared": False}, "wants a 'limit'"),
    ],
)
def test_criteria_that_make_no_sense_are_refused(entry, word):
    with pytest.raises(ValidationError, match=word):
        Criterion(name="x", **entry)
