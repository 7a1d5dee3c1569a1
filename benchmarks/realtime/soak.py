"""An hour at full rate, and a hundred times up and down: does anything grow? Runs only where asked for by name."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import numpy as np

from benchmarks.figures import median, percentile
from benchmarks.goals import Goal
from benchmarks.machine import holdings
from benchmarks.pipeline.bench import COMPOSED, SEPARATE
from benchmarks.processes import Side
from benchmarks.realtime.bench import VGA, Bench, Setting
from edge_ai.backends.options import physical_cores
from edge_ai.runtime.params import InferenceParams

GOALS = {
    "growth": Goal("an hour at full rate: growth of resident memory over its noise, worst process", None, 1.0, "lower"),
    "fds": Goal("an hour at full rate: file descriptors gained, worst process", None, 0, "lower"),
    "threads": Goal("an hour at full rate: threads gained, worst process", None, 0, "lower"),
    "cycle_fds": Goal("100 lifecycle cycles: file descriptors gained, worst process", None, 0, "lower"),
    "cycle_threads": Goal("100 lifecycle cycles: threads gained, worst process", None, 0, "lower"),
}
Samples = Sequence[Mapping[str, float]]
"""What a process held, see `benchmarks.machine.holdings`, at even intervals."""
RATE = 100.0
"""Hz of each camera; two kinds of nodes at once are then overloaded on most machines, and drop what they cannot do."""
_LEAST_NOISE = 1.0
"""MiB by which a process may differ from itself whatever its samples say: pages come and go in lots."""
_SETTLED = 3
"""Cycles before the first one that counts: libraries load and pools fill."""


def measure(bench: Bench) -> dict[str, float]:
    """The composed node, and then the separate ones: long, and then up and down."""
    context, setting = bench.context, Setting(1, physical_cores(), spinning=InferenceParams().spinning)
    seconds, cycles = context.pick(60.0, 3600.0), int(context.pick(6, 100))
    long: dict[str, Samples] = {}
    up_and_down: dict[str, Samples] = {}
    reached: dict[str, float] = {}
    with ExitStack() as stack:
        sides = {
            kind: stack.enter_context(bench.real_nodes(names, RATE, VGA, setting, topics=("pulses",)))
            for kind, names in (("composed", COMPOSED), ("separate", SEPARATE))
        }
        context.say(f"soak: {' and '.join(sides)} side by side for {seconds:g} s, cameras at {RATE:g} Hz")
        watched = [
            threading.Thread(target=_watch, args=(kind, probe, pids, seconds, long, reached))
            for kind, (probe, pids) in sides.items()
        ]
        for thread in watched:
            thread.start()
        for thread in watched:
            thread.join()
        for kind, (probe, pids) in sides.items():
            context.say(f"soak: {kind} up and down {cycles} times")
            held = probe.measure(cycles=cycles, seconds=0.3, pids=pids)["held"]
            up_and_down |= {_name(kind, i): [one[str(pid)] for one in held] for i, pid in enumerate(pids)}
    grown = {name: growth([one["rss_mib"] for one in samples]) for name, samples in long.items()}
    bench.report.results["soak"] = {
        "seconds": seconds,
        "camera_hz": RATE,
        "results_per_s": reached,
        "memory": grown,
        "cycles": cycles,
        "long": {name: _thin(samples) for name, samples in long.items()},
        "by_cycle": up_and_down,
    }
    bench.draw(
        {
            "title": f"Resident memory after {seconds / 60:.0f} min at full rate",
            "unit": "MiB",
            "legend": ["first sixth", "last sixth"],
            "rows": [{"label": name, "bars": [one["first_mib"], one["last_mib"]]} for name, one in grown.items()],
        }
    )
    return {
        "growth": max(one["growth_over_noise"] for one in grown.values()),
        "fds": max(_gained(samples, "fds", len(samples) // 6) for samples in long.values()),
        "threads": max(_gained(samples, "threads", len(samples) // 6) for samples in long.values()),
        "cycle_fds": max(_gained(samples, "fds", _SETTLED) for samples in up_and_down.values()),
        "cycle_threads": max(_gained(samples, "threads", _SETTLED) for samples in up_and_down.values()),
    }


def growth(rss: Sequence[float]) -> dict[str, float]:
    """How much more memory there is in the last sixth than in the second, and whether that is more than noise.

    Args:
        rss: MiB at even intervals; the first sixth is left out, for caches fill and pools grow to their size.

    Returns:
        Medians of both sixths, the slope by least squares in MiB over the whole time, and growth over noise, where
        noise is what 90 % of the samples differ by once the slope is taken out, and at least 1 MiB.
    """
    sixth = max(1, len(rss) // 6)
    settled = np.asarray(rss[sixth:])
    at = np.arange(len(settled))
    slope = float(np.polyfit(at, settled, 1)[0]) if len(settled) > 1 else 0.0
    flat = (settled - slope * at).tolist()
    noise = max(_LEAST_NOISE, percentile(flat, 95) - percentile(flat, 5))
    first, last = median(rss[sixth : 2 * sixth]), median(rss[-sixth:])
    return {
        "first_mib": first,
        "last_mib": last,
        "slope_mib": slope * len(rss),
        "noise_mib": noise,
        "growth_over_noise": (last - first) / noise,
    }


def _watch(
    kind: str,
    probe: Side,
    pids: Sequence[int],
    seconds: float,
    samples: dict[str, Samples],
    reached: dict[str, float],
) -> None:
    taken: dict[str, list[Mapping[str, float]]] = {_name(kind, i): [] for i in range(len(pids))}
    over = threading.Event()

    def sample() -> None:
        period, due = seconds / 600, time.monotonic()
        while not over.wait(max(0.0, due - time.monotonic())):
            for i, pid in enumerate(pids):
                taken[_name(kind, i)].append(holdings(pid))
            due += period

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        heard = probe.measure(warm=2.0, seconds=seconds)
        reached[kind] = len(heard["pulses"]) / seconds
    finally:
        over.set()
        sampler.join()
    # The first samples and the last were taken while the nodes came up and went down.
    samples.update({name: held[len(held) // 50 + 3 : -2] for name, held in taken.items()})


def _name(kind: str, index: int) -> str:
    return f"{kind}: {(COMPOSED if kind == 'composed' else SEPARATE)[index]}"


def _gained(samples: Samples, what: str, settled: int) -> float:
    """The median of the last few over that of the first few after they have settled."""
    values = [one[what] for one in samples[settled:]]
    few = max(1, len(values) // 6)
    return median(values[-few:]) - median(values[:few])


def _thin(samples: Samples) -> dict[str, list[float]]:
    """A hundred samples at most, by what they hold."""
    step = max(1, len(samples) // 100)
    return {what: [round(one[what], 2) for one in samples[::step]] for what in ("rss_mib", "fds", "threads")}
