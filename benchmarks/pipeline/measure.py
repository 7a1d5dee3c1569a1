"""The topic: the video, then its three questions one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from benchmarks.pipeline import overload, throughput, transport
from benchmarks.pipeline.bench import Bench
from benchmarks.topic import ROOT, Context, MeasurementError, Report
from benchmarks.video import find_video


def measure(context: Context, report: Report) -> None:
    """Fill in the report of topic `pipeline`."""
    log = context.folder / "pipeline.log"
    log.write_bytes(b"")
    bench = Bench(context, report, find_video(context.say), log)
    report.results["video"] = bench.video.removeprefix(f"{ROOT}/")
    for part in (throughput, overload, transport):
        name = part.__name__.rpartition(".")[2]
        values: Mapping[str, float] = {}
        try:
            values = part.measure(bench)
        except MeasurementError as error:
            context.say(f"{name} failed: {error}")
            report.failures.append(f"{name}: {error}")
        report.goals += [replace(goal, value=values.get(key)) for key, goal in part.GOALS.items()]
