"""Pictures of a fleet's runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_ai.fleet.drawing import COLOURS, GREY, begin_drawing, save
from edge_ai.fleet.report import Entry
from edge_ai.fleet.tally import BIN_S

_SMOOTH = 2  # bins


def draw(entries: Sequence[Entry], folder: Path, form: str = "png") -> list[Path]:
    """Two pictures: the largest fleet over time, and how figures change with the size of the fleet.

    Args:
        entries: runs of one or more policies and sizes.
        folder: where to write.
        form: "png" or "svg".

    Returns:
        The files written.

    Raises:
        EdgeAIError: matplotlib is not installed.
    """
    begin_drawing()
    largest = max(entry.params.robots for entry in entries)
    files = [_over_time([e for e in entries if e.params.robots == largest], folder / f"fleet_time.{form}")]
    if len({entry.params.robots for entry in entries}) > 1:
        files.append(_over_size(entries, folder / f"fleet_size.{form}"))
    return files


def _over_time(entries: Sequence[Entry], path: Path) -> Path:
    import matplotlib.pyplot as plt

    params = entries[0].params
    figure, axes = plt.subplots(3, 1, figsize=(8, 7), sharex=True, layout="constrained")
    titles = (
        "Frames that the cloud is asked for first, %",
        "Requests at the servers, % of what they can answer",
        "Frames without an answer in time, %",
    )
    for axis, title in zip(axes, titles, strict=True):
        axis.set_title(title, loc="left", fontsize=10)
        if params.has_outage:
            axis.axvspan(params.outage_start, params.outage_end, color=GREY, alpha=0.18, lw=0)
    for number, entry in enumerate(entries):
        look = {"color": COLOURS[number % len(COLOURS)], "lw": 1.6, "label": entry.params.policy}
        for axis, series in zip(axes, (entry.asked, entry.arrivals, entry.unanswered), strict=True):
            times, values = _smooth(entry.times, 100 * series)
            axis.plot(times, values, **look)
    axes[1].axhline(100, color=GREY, lw=1, ls="--")
    axes[0].set_xlim(0, params.horizon)
    for axis in axes:
        axis.set_ylim(bottom=0)
    if params.has_outage:
        middle = (params.outage_start + params.outage_end) / 2
        axes[0].set_ylim(top=1.12 * axes[0].get_ylim()[1])
        words = "nothing comes back" if params.outage == "blackhole" else "connections refused"
        axes[0].text(middle, axes[0].get_ylim()[1], words, ha="center", va="top", color="#555555")
    axes[2].set_xlabel("time, s")
    axes[0].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    scale = f"; 1 frame of {params.stands_for:.3g} is simulated" if params.stands_for > 1 else ""
    figure.suptitle(f"{params.robots} robots share {entries[0].servers} servers{scale}")
    return save(figure, path)


def _over_size(entries: Sequence[Entry], path: Path) -> Path:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(8, 6), sharex=True, layout="constrained")
    panels: tuple[tuple[Any, str, Callable[[Entry], float] | None], ...] = (
        (axes[0][0], "Latency p50 (solid) and p99 (dashed), ms", None),
        (axes[0][1], "Answers that are the cloud's, %", lambda e: 100 * e.summary.cloud_answers),
        (axes[1][0], "Frames without an answer, %", lambda e: 100 * (e.summary.missed + e.summary.dropped)),
        (axes[1][1], "Busiest half second after the outage / before", lambda e: e.summary.storm),
    )
    names = list(dict.fromkeys(entry.params.policy for entry in entries))
    for number, name in enumerate(names):
        runs = sorted((e for e in entries if e.params.policy == name), key=lambda e: e.params.robots)
        sizes = [entry.params.robots for entry in runs]
        look = {"color": COLOURS[number % len(COLOURS)], "marker": "o", "ms": 4, "lw": 1.6}
        for axis, title, value in panels:
            axis.set_title(title, loc="left", fontsize=10)
            if value is not None:
                axis.plot(sizes, [value(entry) for entry in runs], label=name, **look)
                continue
            axis.plot(sizes, [1e3 * entry.summary.p50 for entry in runs], label=name, **look)
            axis.plot(sizes, [1e3 * entry.summary.p99 for entry in runs], ls="--", **look)
    for axis in (*axes[0], *axes[1]):
        axis.set_xscale("log")
        axis.set_ylim(bottom=0)
    for axis in axes[1]:
        axis.set_xlabel("robots")
    axes[1][1].axhline(1, color=GREY, lw=1, ls="--")
    axes[0][1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    figure.suptitle("Policies over the size of the fleet; the servers grow with it")
    return save(figure, path)


def _smooth(times: Any, values: Any) -> tuple[Any, Any]:
    """Means over a second."""
    count = len(values) // _SMOOTH * _SMOOTH
    means = values[:count].reshape(-1, _SMOOTH).mean(axis=1)
    return np.asarray(times[:count:_SMOOTH]) + BIN_S * _SMOOTH / 2, means
