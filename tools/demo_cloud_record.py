"""What the demo of edge and cloud saw, and what it amounts to."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

LONGEST_GAP = 1.0  # s


@dataclass(frozen=True)
class Answer:
    """One result as it left the router.

    Attributes:
        captured: seconds of its frame's capture, from the begin of the recording.
        seconds: from capture to its arrival.
        side: "edge" or "cloud".
        reason: why that side, in the router's words.
    """

    captured: float
    seconds: float
    side: str
    reason: str

    @property
    def at(self) -> float:
        """When it arrived."""
        return self.captured + self.seconds


@dataclass(frozen=True)
class Phase:
    """A stretch of time in which the link was left as it is.

    Attributes:
        name: in a word or two.
        detail: what was done to the link.
        begin: seconds from the begin of the recording.
        end: likewise.
    """

    name: str
    detail: str
    begin: float
    end: float


@dataclass
class Record:
    """Everything seen, in the order it came.

    Attributes:
        deadline: seconds after its capture when an answer is of no more use.
        frames: seconds of each capture.
        answers: results.
        phases: of the link.
        breaker: (seconds, state) whenever it was looked at.
        counts: the router's own, at the end.
    """

    deadline: float
    frames: list[float] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    breaker: list[tuple[float, str]] = field(default_factory=list)
    counts: Mapping[str, Any] = field(default_factory=dict)

    def reordered(self) -> int:
        """Results that came after one of a newer frame, or a second time."""
        captures = [answer.captured for answer in self.answers]
        return sum(later <= earlier for earlier, later in pairwise(captures))

    def longest_gap(self) -> float:
        """Longest time between two results, seconds."""
        instants = [answer.at for answer in self.answers]
        return max((b - a for a, b in pairwise(instants)), default=math.inf)

    def states(self) -> list[str]:
        """States of the breaker, each change once."""
        names = [state for _, state in self.breaker]
        return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]


def row(record: Record, phase: Phase) -> dict[str, Any]:
    """What happened to the frames captured in a phase."""
    frames = sum(phase.begin <= at < phase.end for at in record.frames)
    answers = [answer for answer in record.answers if phase.begin <= answer.captured < phase.end]
    seconds = sorted(answer.seconds for answer in answers)
    sides = Counter(answer.side for answer in answers)
    return {
        "phase": phase.name,
        "link": phase.detail,
        "seconds": round(phase.end - phase.begin, 2),
        "frames": frames,
        "answers": len(answers),
        "edge": sides["edge"],
        "cloud": sides["cloud"],
        "median_ms": round(statistics.median(seconds) * 1e3, 1) if seconds else None,
        "p95_ms": round(seconds[min(len(seconds) - 1, int(0.95 * len(seconds)))] * 1e3, 1) if seconds else None,
        "late": sum(value > record.deadline for value in seconds),
    }


def checks(record: Record) -> dict[str, bool]:
    """What must hold, by its words."""
    rows = {one["phase"]: one for one in (row(record, phase) for phase in record.phases)}
    first, dead, back = next(iter(rows.values())), rows["dead"], rows["back"]
    return {
        f"results went on: never {LONGEST_GAP:g} s without one": record.longest_gap() < LONGEST_GAP,
        "no result was reordered or came twice": record.reordered() == 0,
        "no result came after its deadline": not any(one["late"] for one in rows.values()),
        "the cloud answered frames while the link was good": first["cloud"] > 0,
        "with the link dead the robot answered by itself, as often as before": dead["cloud"] == 0
        and _rate(dead) >= 0.9 * _rate(first),
        "the cloud answered again when the link was back": back["cloud"] > 0,
    }


def _rate(one: Mapping[str, Any]) -> float:
    """Answers to each frame."""
    return float(one["answers"] / one["frames"]) if one["frames"] else 0.0


def summary(record: Record, extra: Mapping[str, Any]) -> dict[str, Any]:
    """All numbers."""
    gap = record.longest_gap()
    return {
        **extra,
        "deadline_s": record.deadline,
        "frames": len(record.frames),
        "answers": len(record.answers),
        "longest_gap_s": round(gap, 3) if math.isfinite(gap) else None,
        "reordered": record.reordered(),
        "breaker": record.states(),
        "phases": [row(record, phase) for phase in record.phases],
        "counts": dict(record.counts),
        "holds": checks(record),
    }


def table(numbers: Mapping[str, Any]) -> str:
    """The phases and what must hold, for a terminal."""
    head = ("phase", "link", "frames", "answers", "edge", "cloud", "median", "p95")
    lines = [head, *(_cells(one) for one in numbers["phases"])]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    shown = [
        "  ".join(c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True)))
        for line in lines
    ]
    holds = [f"  {'yes' if held else 'NO ':<4} {words}" for words, held in numbers["holds"].items()]
    return "\n".join(["  " + line.rstrip() for line in shown] + ["", *holds])


def _cells(one: Mapping[str, Any]) -> Sequence[str]:
    times = [f"{one[key]:.0f} ms" if one[key] is not None else "-" for key in ("median_ms", "p95_ms")]
    return (one["phase"], one["link"], *(str(one[key]) for key in ("frames", "answers", "edge", "cloud")), *times)
