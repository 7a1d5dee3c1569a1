"""What each soft real-time setting does to the age of commands, on a calm machine and beside work on every core."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

from benchmarks.figures import in_ms, median, percentile
from benchmarks.goals import Goal
from benchmarks.pipeline.bench import Bench
from benchmarks.processes import Side

GOALS: dict[str, Goal] = {}
RATE = 30.0
"""Hz; a rate that one core bears, so that ages tell of delays and not of overload."""
_OTHERS = {"priority": 50, "lock_memory": True, "gc": "manual"}
Answers = list[dict[str, Any]]


@contextmanager
def hogs() -> Iterator[None]:
    """One busy process of normal priority for each processor we may use."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in os.sched_getaffinity(0)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


LOADS: dict[str, Callable[[], AbstractContextManager[None]]] = {"calm": nullcontext, "busy": hogs}


def sides() -> dict[str, dict[str, Any]]:
    """The settings of each side: none, each alone, and together without and with the affinity."""
    cpus = sorted(os.sched_getaffinity(0))
    # The first takes most interrupts; on two processors this leaves the robot a single one.
    affinity = {"cpu_affinity": ",".join(map(str, cpus[1:] or cpus))}
    return {
        "none": {},
        "cpu_affinity": affinity,
        "priority": {"priority": _OTHERS["priority"]},
        "lock_memory": {"lock_memory": True},
        "gc_freeze": {"gc": "freeze"},
        "gc_manual": {"gc": "manual"},
        "all_but_affinity": _OTHERS,
        "all": {**affinity, **_OTHERS},
    }


def measure(bench: Bench) -> dict[str, float]:
    """All sides stand ready and take turns, under each load; there are no goals, only the effects."""
    context, settings = bench.context, sides()
    turn = {"warm": 0.5, "seconds": context.pick(1.5, 3.0)}
    heard: dict[str, dict[str, Answers]] = {load: {side: [] for side in settings} for load in LOADS}
    with ExitStack() as stack:
        robots = {side: stack.enter_context(_robot(bench, values)) for side, values in settings.items()}
        for number in range(rounds := int(context.pick(1, 4))):
            for load, beside in LOADS.items():
                for side in list(settings) if number % 2 else reversed(list(settings)):
                    with beside():
                        heard[load][side].append(robots[side].measure(**turn))
            context.say(f"settings {number + 1}/{rounds}: " + "; ".join(_words(heard[load], load) for load in LOADS))
    bench.report.results["settings"] = {
        "what": f"edge_ai.robot.Robot, no ROS, camera at {RATE:g} Hz; age: capture to the first command that heeds it",
        "loads": {"calm": "nothing else", "busy": "one busy process of normal priority for each processor"},
        "turn": turn,
        "settings": settings,
        "not_applied": {side: missing for side in settings if (missing := _missing(heard["calm"][side][0]))},
        **{
            load: {side: figures(answers, by_side["none"]) for side, answers in by_side.items()}
            for load, by_side in heard.items()
        },
    }
    return {}


def figures(answers: Answers, none: Answers) -> dict[str, Any]:
    """What a side answered in all rounds, and against the side without settings in the same round."""
    ages = [age for answer in answers for age in answer["ages"]]
    pauses = [pause for answer in answers for pause in answer["gc_pauses"]]
    pairs = list(zip(answers, none, strict=True))
    return {
        "age_ms": in_ms(ages),
        **{
            f"age_p{p}_over_none": median(
                [percentile(one["ages"], p) / percentile(other["ages"], p) for one, other in pairs]
            )
            for p in (50, 99)
        },
        "results_per_s": median([len(one["instants"]) / one["seconds"] for one in answers]),
        "gc_pauses_ms": in_ms(pauses),
        "resident_mb": max(one["resident_mb"] for one in answers),
        "others_cores": max(one["others_cores"] for one in answers),
    }


def _robot(bench: Bench, values: Mapping[str, Any]) -> Side:
    setup = {"video": bench.video, "rate": RATE, "realtime": True, "process": values}
    return Side("benchmarks.sides.composed", setup, bench.log)


def _missing(answer: Mapping[str, Any]) -> list[str]:
    return [words for _, applied, words in answer["outcomes"] if not applied]


def _words(by_side: Mapping[str, Answers], load: str) -> str:
    ages = {side: answers[-1]["ages"] for side, answers in by_side.items()}
    shown = (f"{side} {median(one) * 1e3:.0f}/{percentile(one, 99) * 1e3:.0f}" for side, one in ages.items())
    return f"{load}, age p50/p99 ms: {', '.join(shown)}"
