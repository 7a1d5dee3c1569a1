"""Sides that work in turns, round after round, and what came of it in the calm rounds."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import calm, in_ms, percentile, rate
from benchmarks.machine import own_seconds
from benchmarks.realtime.bench import Answer, Bench, Turn

CALM = 0.3
"""Processors that others may keep busy in a round that is judged, where there are at least `LEAST` such rounds."""
LEAST = 3
_IDLE = 1.0  # s that no side has a turn, to see whether one takes something all the same


@dataclass(frozen=True)
class Rounds:
    """What the sides answered.

    Attributes:
        answers: by side, one answer a round.
        judged: numbers of the rounds that were calm, or of all where too few were.
        idle_cores: processors that all sides together keep busy while none has its turn.
    """

    answers: Mapping[str, Sequence[Answer]]
    judged: Sequence[int]
    idle_cores: float

    def per_round(self, side: str, figure: str) -> list[float]:
        """A figure of a side, see `figures`, in each round judged."""
        return [figures(self.answers[side][i])[figure] for i in self.judged]

    def median(self, side: str, figure: str) -> float:
        """The median over the rounds judged of a figure of a side."""
        return statistics.median(self.per_round(side, figure))

    def ratio(self, side: str, base: str, figure: str) -> float:
        """The median over the rounds judged of a side's figure over the base's of the same round."""
        pairs = zip(self.per_round(side, figure), self.per_round(base, figure), strict=True)
        return statistics.median([value / below if below else math.inf for value, below in pairs])

    def pooled(self, side: str, what: str) -> list[float]:
        """All "ages", "durations" or ages "said" of a side in the rounds judged, in seconds."""
        return [value for i in self.judged for value in self.answers[side][i].get(what, ())]

    def summary(self, side: str) -> dict[str, Any]:
        """A side as it stands in the report: medians over the rounds, and all ages or times of the rounds together."""
        one: dict[str, Any] = {
            name: self.median(side, name) for name in ("results_per_s", "cpu_ms_per_result", "p50_ms", "p99_ms")
        }
        for what, key in (("ages", "age_ms"), ("durations", "frame_ms"), ("said", "age_ms_by_its_own_words")):
            if values := self.pooled(side, what):
                one[key] = in_ms(values)
        for key in ("results_per_s", "p99_ms", "others_cores"):
            one[f"{key}_by_round"] = [figures(answer)[key] for answer in self.answers[side]]
        return one

    def report(self, what: Mapping[str, str]) -> dict[str, Any]:
        """All sides, and what each of them is."""
        return {
            "sides": {side: {"what": what[side], **self.summary(side)} for side in self.answers},
            "rounds_judged": list(self.judged),
            "idle_cores": self.idle_cores,
        }


def figures(answer: Answer) -> dict[str, float]:
    """What an answer says in numbers; where no result came its age and its price are infinite."""
    ages = answer.get("ages") or answer.get("durations") or [math.inf]
    instants = answer["instants"]
    speed = rate(instants) if len(instants) > 1 else len(instants) / answer["seconds"]
    return {
        "results_per_s": speed,
        # Results at the rate they came, since a turn's edges cut through some.
        "cpu_ms_per_result": answer["cpu_s"] * 1e3 / (speed * answer["seconds"]) if speed else math.inf,
        "p50_ms": statistics.median(ages) * 1e3,
        "p99_ms": percentile(ages, 99) * 1e3 if instants else math.inf,
        "others_cores": answer["others_cores"],
    }


def run(
    bench: Bench, part: str, turns: Mapping[str, Turn], *, count: int, warm: float, seconds: float, until: float = 1.0
) -> Rounds:
    """Let sides that stand ready work in turns, too short for the machine to change meanwhile.

    Args:
        bench: of the topic.
        part: name for the progress.
        turns: each side.
        count: rounds, besides one that loads and warms up.
        warm: seconds before each turn's measurement.
        seconds: of each turn.
        until: part (0 to 1) of the topic's time after which no further round begins.
    """
    answers: dict[str, list[Answer]] = {side: [] for side in turns}
    disturbed: list[float] = []
    idle = float("nan")
    for number in range(-1, count):
        if number > 0 and not bench.context.before(until):
            bench.context.say(f"{part}: no time for more than {number} of {count} rounds")
            break
        order = list(turns) if number % 2 else list(reversed(turns))
        taken = {side: {"seconds": seconds, **turns[side](warm, seconds)} for side in order}
        if number < 0:
            idle = _idle_cores()
            continue
        for side in turns:
            answers[side].append(taken[side])
        disturbed.append(max(answer["others_cores"] for answer in taken.values()))
        bench.context.say(f"{part} {number + 1}/{count}: {_words(taken)}; others busy on {disturbed[-1]:.1f} cores")
    return Rounds(answers, calm(disturbed, CALM, LEAST), idle)


def _idle_cores() -> float:
    before, since = own_seconds(), time.monotonic()
    time.sleep(_IDLE)
    return round((own_seconds() - before) / (time.monotonic() - since), 3)


def _words(taken: Mapping[str, Answer]) -> str:
    shown = {side: figures(answer) for side, answer in taken.items()}
    return "; ".join(
        f"{side} {one['results_per_s']:.1f}/s, {one['p50_ms']:.0f}|{one['p99_ms']:.0f} ms"
        for side, one in shown.items()
    )
