"""Part `rollback`: how soon a release that turns bad is taken back, from the first scrape that shows it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from random import Random

from benchmarks.figures import median
from benchmarks.goals import Goal
from benchmarks.topic import ROOT, Context, MeasurementError, Report
from edge_ai.deployment.canary.log import Log, read_entries
from edge_ai.deployment.canary.plan import load_plan
from edge_ai.deployment.canary.prometheus import Asker, Prometheus
from edge_ai.deployment.canary.rollout import Rollout
from edge_ai.deployment.canary.state import Phase
from edge_ai.deployment.canary.target import make_target
from edge_ai.deployment.journal import Entry, Journal

sys.path.insert(0, str(ROOT / "tools"))
from canary_fleet import PROMETHEUS, SCRAPE, CanaryFleet, FleetError

GOALS = {
    "decided": Goal("rollback decided after the first bad scrape, evaluation intervals, longest", None, 1.0, "lower"),
    "missed": Goal("bad releases that were not taken back", None, 0.0, "lower"),
}
_INTERVAL = 15 * SCRAPE  # s
# What shows each kind, and the value from which on it does.
_SHOWN = {
    "errors": ('edge_ai_node_failed_frames_per_second{instance="%s",node="inference"}', 100.0),
    "slow": ('edge_ai_node_age_seconds{instance="%s",percentile="95",node="inference"}', 0.1),
    "hungry": ('edge_ai_cpu_usage_ratio{instance="%s"}', 0.8),
}


def measure(context: Context, report: Report) -> Mapping[str, float]:
    """Releases that turn bad at a random moment between two evaluations; the values of the goals."""
    if not PROMETHEUS.exists():
        raise MeasurementError("there is no Prometheus; tools/programs.py fetches Debian's")
    draw, folder = Random(7), context.folder / "rollback"
    shutil.rmtree(folder, ignore_errors=True)  # figures of an earlier run would be taken for today's
    folder.mkdir(parents=True)
    found: dict[str, list[float | None]] = {kind: [] for kind in _SHOWN}
    try:
        with CanaryFleet(folder, ["1"] * 3) as fleet:
            for _ in range(int(context.pick(2, 6))):
                for kind in _SHOWN:
                    found[kind].append(_decided(fleet, kind, 2 * _INTERVAL * (1 + draw.random())))
                    fleet.reset(_INTERVAL)
    except FleetError as error:
        raise MeasurementError(str(error)) from None
    report.results["rollback"] = {"interval_s": _INTERVAL, "scrape_s": SCRAPE, "decided_intervals": found}
    for kind, values in found.items():
        known = [value for value in values if value is not None]
        context.say(
            f"{kind}: taken back {median(known):.2f} intervals after the first bad scrape (longest {max(known):.2f} "
            f"of {len(known)}), {len(values) - len(known)} not at all"
        )
    every = [value for values in found.values() for value in values]
    return {"decided": max(v for v in every if v is not None), "missed": every.count(None)}


def _decided(fleet: CanaryFleet, kind: str, after: float) -> float | None:
    """Intervals from the first bad scrape to the decision; None: there was none."""
    path = fleet.plan(f"2-{kind}@{after:.2f}", interval=_INTERVAL, settle=SCRAPE, patience=20 * _INTERVAL)
    plan, journal = load_plan(path), path.with_name(f"{kind}{after:.4f}.jsonl")
    prometheus = Prometheus(plan.prometheus)
    with Journal(journal).opened() as opened:
        log = Log(opened, lambda line: None)
        phase = Rollout(plan, make_target(plan.target), Asker(prometheus, plan.label), log).begin()
    prometheus.close()
    if phase is not Phase.ROLLED_BACK:
        return None
    entries = read_entries(journal)
    applied, decided = (_at(entries, step) for step in ("applied", "rolling back"))
    query, bad = _SHOWN[kind]
    samples = fleet.samples(f"{query % plan.hosts[0].label}[{round(8 * _INTERVAL)}s]")
    first = next(at for at, value in samples if at > applied and value > bad)
    return (decided - first) / _INTERVAL


def _at(entries: Sequence[Entry], step: str) -> float:
    """When the first entry of a step was written, s since the epoch."""
    return next(datetime.fromisoformat(entry.at).timestamp() for entry in entries if entry.step == step)
