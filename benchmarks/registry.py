"""The topics: one line each."""

from __future__ import annotations

from benchmarks.topic import Measure
from edge_ai.core.registry import Registry

TOPICS: Registry[Measure] = Registry(
    "topic",
    {
        "pipeline": "benchmarks.pipeline.measure:measure",
        "realtime": "benchmarks.realtime.measure:measure",
        "workshop": "benchmarks.workshop.measure:measure",
        "cloud": "benchmarks.cloud.measure:measure",
        "watch": "benchmarks.watch.measure:measure",
        "deploy": "benchmarks.deploy.measure:measure",
        "gpu": "benchmarks.gpu.measure:measure",
    },
)
"""Each topic's `measure` function by its name; its report goes to ``out/bench/<name>.json``."""

ON_DEMAND = frozenset({"gpu"})
"""Topics that run only when named: they need hardware that most machines lack."""
