"""The picture of the demo of edge and cloud: latency, who answered, and what the link was like, over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo_cloud_record import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EDGE, CLOUD, NONE = "#2f6fb0", "#e0862a", "#c9ced6"
INK, DIM, GRID = "#1b1f24", "#5b6470", "#e6e9ed"
STATES = {"closed": "#6aa56f", "recovering": "#d9c24a", "half-open": "#e0862a", "open": "#c0433c"}
WINDOW = 1.0  # s of a bar of the second panel


def draw(record: Record, path: Path, title: str) -> None:
    """Write the picture as PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    style: dict[str, Any] = {
        "font.size": 10,
        "axes.edgecolor": GRID,
        "axes.labelcolor": DIM,
        "xtick.color": DIM,
        "ytick.color": DIM,
        "text.color": INK,
    }
    with pyplot.rc_context(style):
        figure, (top, middle, bottom) = pyplot.subplots(
            3, 1, figsize=(12, 7.4), sharex=True, height_ratios=(5, 3, 0.35), layout="constrained"
        )
        figure.suptitle(title, x=0.012, ha="left", fontsize=14, fontweight="bold")
        _latency(top, record)
        _shares(middle, record)
        _breaker(bottom, record)
        for axes in (top, middle, bottom):
            axes.spines[["top", "right", "left"]].set_visible(False)
            axes.tick_params(length=0)
            for i, phase in enumerate(record.phases):
                if i % 2:
                    axes.axvspan(phase.begin, phase.end, color="#f4f6f8", zorder=0)
        bottom.set_xlim(record.phases[0].begin, record.phases[-1].end)
        bottom.set_xlabel("time, s")
        figure.savefig(path, dpi=120)
        pyplot.close(figure)


def _latency(axes: Axes, record: Record) -> None:
    top = record.deadline * 1e3 * 1.28
    for side, colour in (("edge", EDGE), ("cloud", CLOUD)):
        chosen = [answer for answer in record.answers if answer.side == side]
        axes.scatter(
            [answer.captured for answer in chosen],
            [answer.seconds * 1e3 for answer in chosen],
            s=13,
            color=colour,
            alpha=0.8,
            linewidths=0,
            label=f"answered by the {side}",
            zorder=3,
        )
    axes.axhline(
        record.deadline * 1e3, color="#c0433c", linewidth=1.2, linestyle=(0, (5, 3)), label="deadline", zorder=2
    )
    axes.set_ylim(0, top)
    axes.set_yticks([tick for tick in axes.get_yticks() if tick <= record.deadline * 1e3])
    axes.set_ylabel("capture to result, ms")
    axes.grid(axis="y", color=GRID)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.14), ncols=3, frameon=False, handletextpad=0.4)
    for phase in record.phases:
        middle = (phase.begin + phase.end) / 2
        axes.text(middle, top * 0.975, phase.name, ha="center", va="top", fontweight="bold")
        axes.text(middle, top * 0.92, phase.detail.replace(", ", "\n"), ha="center", va="top", color=DIM, fontsize=8.5)


def _shares(axes: Axes, record: Record) -> None:
    begin, end = record.phases[0].begin, record.phases[-1].end
    count = max(1, round((end - begin) / WINDOW))
    edge, cloud, frames = [0] * count, [0] * count, [0] * count
    for answer in record.answers:
        i = int((answer.captured - begin) / WINDOW)
        if 0 <= i < count:
            (edge if answer.side == "edge" else cloud)[i] += 1
    for captured in record.frames:
        i = int((captured - begin) / WINDOW)
        if 0 <= i < count:
            frames[i] += 1
    at = [begin + (i + 0.5) * WINDOW for i in range(count)]
    none = [max(0, f - e - c) for f, e, c in zip(frames, edge, cloud, strict=True)]
    both = [e + c for e, c in zip(edge, cloud, strict=True)]
    how: dict[str, Any] = {"width": WINDOW * 0.86, "zorder": 3}
    axes.bar(at, edge, color=EDGE, **how)
    axes.bar(at, cloud, bottom=edge, color=CLOUD, **how)
    axes.bar(at, none, bottom=both, color=NONE, label="no result", **how)
    axes.set_ylim(0, max(frames) * 1.2)
    axes.set_ylabel("results per second")
    axes.grid(axis="y", color=GRID)
    if any(none):
        axes.legend(loc="upper right", frameon=False)


def _breaker(axes: Axes, record: Record) -> None:
    ends = [at for at, _ in record.breaker[1:]] + [record.phases[-1].end]
    for (at, state), end in zip(record.breaker, ends, strict=True):
        axes.barh(0, end - at, left=at, height=1, color=STATES.get(state, NONE), zorder=3)
    axes.set_ylim(-0.5, 0.5)
    axes.set_yticks([0], ["breaker"])
    seen = [state for state in STATES if state in {one for _, one in record.breaker}]
    handles = [axes.barh(0, 0, color=STATES[state]) for state in seen]
    axes.legend(handles, seen, loc="upper right", bbox_to_anchor=(1, -0.6), ncols=4, frameon=False)
