"""The topic: the video, then its three questions one after the other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace

from benchmarks.pipeline import overload, throughput, transport
from benchmarks.pipeline.bench import Bench
from benchmarks.sides.replay import SYNTHETIC
from benchmarks.topic import ROOT, Context, MeasurementError, Report


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


def find_video(say: Callable[[str], None]) -> str:
    """The path of the demo's video, fetched if need be; "synthetic" where there is none."""
    folder = ROOT / "out" / "data"
    names = ("vtest.avi", "bikes.mp4")
    if not any((folder / name).is_file() for name in names):
        say("fetching the demo's video")
        subprocess.run([sys.executable, str(ROOT / "tools" / "demo_video.py")], cwd=ROOT, check=False)
    for name in names:
        if (folder / name).is_file():
            return str(folder / name)
    say("no video: drawn shapes take its place, in which the model finds nothing")
    return SYNTHETIC
