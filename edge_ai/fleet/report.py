"""A fleet's runs as a table, as JSON and for plots."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ai.fleet.calibration import Calibration
from edge_ai.fleet.measures import Series, Summary, cloud_share, summarize
from edge_ai.fleet.params import FleetParams
from edge_ai.fleet.simulation import Run
from edge_ai.fleet.tally import BIN_S, End


@dataclass(frozen=True)
class Entry:
    """What is kept of a run: its figures, and what is drawn.

    Attributes:
        params: of the fleet.
        servers: how many there were.
        totals: of all routers.
        wall_s: seconds it took.
        summary: its figures.
        times: begins of the bins, s.
        asked: share of the frames asked of the cloud first, by bin.
        unanswered: share of the frames without an answer, by bin.
        arrivals: requests a second at the servers as a share of what they can answer, by bin.
        quantiles: latency in seconds at 0.5, 1.5, ... 99.5 % of the steady answers.
    """

    params: FleetParams
    servers: int
    totals: dict[str, int]
    wall_s: float
    summary: Summary
    times: Series
    asked: Series
    unanswered: Series
    arrivals: Series
    quantiles: Series


def entry_of(run: Run) -> Entry:
    """Reduce a run."""
    times, asked, _ = cloud_share(run)
    captured, ends = run.frames["captured"], run.frames["end"]
    edges = np.append(times, times[-1] + BIN_S)
    lost = captured[(ends == End.MISSED) | (ends == End.DROPPED) | (ends == End.SKIPPED)]
    begin, end = run.params.steady
    steady = run.frames["latency"][(captured >= begin) & (captured < end) & ~np.isnan(run.frames["latency"])]
    with np.errstate(invalid="ignore", divide="ignore"):
        unanswered = np.histogram(lost, edges)[0] / np.histogram(captured, edges)[0]
    return Entry(
        params=run.params,
        servers=run.servers,
        totals=run.totals,
        wall_s=run.wall_s,
        summary=summarize(run),
        times=times,
        asked=asked,
        unanswered=unanswered,
        arrivals=run.counts["arrivals"][: len(times)] / (run.capacity * BIN_S),
        quantiles=np.percentile(steady, np.arange(0.5, 100)) if len(steady) else np.full(100, np.nan),
    )


_COLUMNS = (
    ("policy", 13, lambda e: e.params.policy),
    ("robots", 7, lambda e: f"{e.params.robots}"),
    ("servers", 7, lambda e: f"{e.servers}"),
    ("p50 ms", 7, lambda e: _number(e.summary.p50 * 1e3, ".0f")),
    ("p95 ms", 7, lambda e: _number(e.summary.p95 * 1e3, ".0f")),
    ("p99 ms", 7, lambda e: _number(e.summary.p99 * 1e3, ".0f")),
    ("cloud %", 8, lambda e: _number(e.summary.cloud_answers * 100, ".0f")),
    ("missed %", 8, lambda e: _number(e.summary.missed * 100, ".2f")),
    ("dropped %", 9, lambda e: _number(e.summary.dropped * 100, ".2f")),
    ("outage lost %", 13, lambda e: _number((e.summary.missed_outage + e.summary.dropped_outage) * 100, ".2f")),
    ("load %", 7, lambda e: _number(e.summary.load * 100, ".0f")),
    ("swings/min", 10, lambda e: _number(e.summary.swings, ".1f")),
    ("in step", 8, lambda e: _number(e.summary.in_step, ".3f")),
    ("storm", 6, lambda e: _number(e.summary.storm, ".2f")),
    ("back in s", 9, lambda e: _number(e.summary.recovery, ".1f")),
)


def table(entries: Sequence[Entry]) -> str:
    """The runs, a line each."""
    head = "  ".join(f"{name:>{width}}" for name, width, _ in _COLUMNS)
    lines = ["  ".join(f"{cell(entry):>{width}}" for _, width, cell in _COLUMNS) for entry in entries]
    return "\n".join([head, *lines])


def write_json(entries: Sequence[Entry], calibration: Calibration, path: Path) -> None:
    """Everything that is kept of the runs; NaN becomes null."""
    runs = [
        {
            "params": entry.params.model_dump(),
            "simulated_rate": entry.params.simulated_rate,
            "servers": entry.servers,
            "wall_s": round(entry.wall_s, 1),
            "summary": {name: _plain(value) for name, value in asdict(entry.summary).items()},
            "totals": entry.totals,
            "series": {
                "bin_s": BIN_S,
                "asked_cloud": _list(entry.asked),
                "unanswered": _list(entry.unanswered),
                "arrivals_of_capacity": _list(entry.arrivals),
            },
        }
        for entry in entries
    ]
    path.write_text(json.dumps({"calibration": asdict(calibration), "runs": runs}, indent=1, allow_nan=False) + "\n")


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _list(values: NDArray[np.float64]) -> list[float | None]:
    return [round(float(value), 4) if math.isfinite(value) else None for value in values]


def _number(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else "-"
