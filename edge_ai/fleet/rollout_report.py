"""Many simulated rollouts as a table, as JSON and as a picture."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_ai.fleet.drawing import COLOURS, begin_drawing, save
from edge_ai.fleet.releases import RELEASES
from edge_ai.fleet.rollout import Outcome
from edge_ai.fleet.rollout_params import RolloutParams


@dataclass(frozen=True, slots=True)
class Runs:
    """Rollouts of one release that differ only by their seed.

    Attributes:
        params: of the first.
        release: its name.
        outcomes: at least one.
    """

    params: RolloutParams
    release: str
    outcomes: Sequence[Outcome]

    @property
    def bad(self) -> bool:
        """Whether it should be taken back."""
        return RELEASES[self.release].bad

    @property
    def wrong(self) -> float:
        """Share of the rollouts with the wrong end: a bad release promoted, or a good one taken back."""
        return self.mean(lambda one: one.promoted == self.bad)

    def mean(self, figure: Callable[[Outcome], float]) -> float:
        """Over the rollouts."""
        return float(np.mean([figure(one) for one in self.outcomes]))

    def quantile(self, figure: Callable[[Outcome], float], share: float) -> float:
        """Over the rollouts."""
        return float(np.quantile([figure(one) for one in self.outcomes], share))


_COLUMNS: tuple[tuple[str, int, Callable[[Runs], str]], ...] = (
    ("robots", 7, lambda r: f"{r.params.robots}"),
    ("way", 8, lambda r: r.params.way),
    ("release", 12, lambda r: r.release),
    ("", 4, lambda r: "bad" if r.bad else "good"),
    ("runs", 5, lambda r: f"{len(r.outcomes)}"),
    ("promoted %", 10, lambda r: f"{100 * r.mean(lambda o: o.promoted):.0f}"),
    ("asked %", 8, lambda r: f"{100 * r.mean(lambda o: o.holds > 0):.0f}"),
    ("hours p50", 9, lambda r: f"{r.quantile(lambda o: o.hours, 0.5):.2f}"),
    ("p95", 6, lambda r: f"{r.quantile(lambda o: o.hours, 0.95):.2f}"),
    ("touched %", 9, lambda r: f"{100 * r.mean(lambda o: o.touched):.3g}"),
    ("robot-hours", 11, lambda r: f"{r.mean(lambda o: o.robot_hours):.3g}"),
    ("p95", 8, lambda r: f"{r.quantile(lambda o: o.robot_hours, 0.95):.3g}"),
)


def rollout_table(runs: Sequence[Runs]) -> str:
    """A line each."""
    head = "  ".join(f"{name:>{width}}" for name, width, _ in _COLUMNS)
    lines = ["  ".join(f"{cell(one):>{width}}" for _, width, cell in _COLUMNS) for one in runs]
    return "\n".join([head, *lines])


def write_rollouts(runs: Sequence[Runs], path: Path) -> None:
    """All that came of every rollout."""
    found: list[dict[str, Any]] = [
        {"release": one.release, "params": one.params.model_dump(), "outcomes": [asdict(end) for end in one.outcomes]}
        for one in runs
    ]
    path.write_text(json.dumps({"runs": found}, indent=1, allow_nan=False) + "\n")


def draw_rollouts(runs: Sequence[Runs], folder: Path, form: str = "png") -> list[Path]:
    """Blast radius, duration and wrong ends over the size of the fleet, a picture for each way.

    Returns:
        The files written.

    Raises:
        EdgeAIError: matplotlib is not installed.
    """
    begin_drawing()
    ways = dict.fromkeys(one.params.way for one in runs)
    return [_draw(way, [r for r in runs if r.params.way == way], folder / f"rollout_{way}.{form}") for way in ways]


def _draw(way: str, runs: Sequence[Runs], path: Path) -> Path:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(9, 6.5), sharex=True, layout="constrained")
    bad, good = ([one for one in runs if one.bad is bad] for bad in (True, False))
    panels: tuple[tuple[str, Sequence[Runs], Callable[[Runs], float], str], ...] = (
        ("Robot-hours on a bad release, mean", bad, lambda r: r.mean(lambda o: o.robot_hours), "log"),
        ("Robots that a bad release touched, mean, %", bad, lambda r: 100 * r.mean(lambda o: o.touched), "linear"),
        ("Hours until a good release is promoted, median", _promoted(good), _hours, "linear"),
        ("Rollouts with the wrong end, %", runs, lambda r: 100 * r.wrong, "linear"),
    )
    for axis, (title, shown, value, scale) in zip(axes.flat, panels, strict=True):
        axis.set_title(title, loc="left", fontsize=10)
        axis.set(xscale="log", yscale=scale)
        for number, release in enumerate(dict.fromkeys(one.release for one in runs)):
            line = sorted((r for r in shown if r.release == release), key=lambda r: r.params.robots)
            look = {"color": COLOURS[number % len(COLOURS)], "marker": "os"[number // len(COLOURS) % 2], "ms": 4}
            axis.plot([r.params.robots for r in line], [value(r) for r in line], label=release, **look)
        if scale == "linear":
            axis.set_ylim(bottom=0)
    for axis in axes[1]:
        axis.set_xlabel("robots")
    axes[0][1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    figure.suptitle(f"Rollouts, {way}")
    return save(figure, path)


def _promoted(runs: Sequence[Runs]) -> list[Runs]:
    """Those of which any was."""
    return [one for one in runs if any(end.promoted for end in one.outcomes)]


def _hours(runs: Runs) -> float:
    return float(np.median([one.hours for one in runs.outcomes if one.promoted]))
