"""What the demo saw on the topics, joined by capture stamp, and what it amounts to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NS = 1_000_000_000


@dataclass(frozen=True)
class Processed:
    """One result: when its frame was captured, and what was found in it."""

    stamp_ns: int
    infer_s: float
    boxes: list[list[float]]
    scores: list[float]
    classes: list[str]


@dataclass(frozen=True)
class Commanded:
    """One command: when it was published, why, and from which capture."""

    stamp_ns: int
    state: str
    linear: float
    angular: float
    result_stamp_ns: int  # 0: none yet
    age_s: float
    has_target: bool

    @property
    def is_zero(self) -> bool:
        """Whether it tells the robot to stand still."""
        return self.linear == 0.0 and self.angular == 0.0


@dataclass
class Record:
    """Everything received; filled by the probe, read at the end.

    Attributes:
        source: the camera's own name for what it captures, without credentials.
        index_of: 0-based index in the source, by capture stamp.
        captured: frames captured, by the camera's own count.
        results: by capture stamp.
        commands: in order of arrival.
        velocities: (linear, angular) of each message on cmd_vel.
    """

    source: str = ""
    index_of: dict[int, int] = field(default_factory=dict)
    captured: int = 0
    results: dict[int, Processed] = field(default_factory=dict)
    commands: list[Commanded] = field(default_factory=list)
    velocities: list[tuple[float, float]] = field(default_factory=list)

    def ages(self) -> list[float]:
        """Seconds from each capture to the first command made from its result."""
        first: dict[int, float] = {}
        for command in self.commands:
            if command.result_stamp_ns in self.results and command.state != "STALE":
                first.setdefault(command.result_stamp_ns, command.age_s)
        return list(first.values())

    def rate(self) -> float:
        """Results a second, from the first capture to the last."""
        stamps = sorted(self.results)
        return (len(stamps) - 1) / ((stamps[-1] - stamps[0]) / NS) if len(stamps) > 1 else 0.0

    def stop(self) -> tuple[int, Commanded] | None:
        """The command that stopped the robot after the last result, and its place among the commands."""
        last = max(self.results, default=0)
        for place, command in enumerate(self.commands):
            if command.state == "STALE" and command.result_stamp_ns == last and command.is_zero:
                return place, command
        return None

    def stands_still(self, seconds: float, rate: float) -> bool:
        """Whether the robot stopped, and has since been told zero at a rate in Hz for some seconds, and only zero."""
        found = self.stop()
        if found is None:
            return False
        after = self.commands[found[0] :]
        least = int(seconds * rate)
        long_enough = after[-1].stamp_ns - after[0].stamp_ns >= seconds * NS
        told = self.velocities[-least:]
        zeros = all(command.is_zero for command in after) and all(velocity == (0.0, 0.0) for velocity in told)
        return zeros and long_enough and len(after) >= least and len(told) == least

    def was_moving(self) -> bool:
        """Whether the last command before the stop told the robot to move."""
        found = self.stop()
        return found is not None and found[0] > 0 and not self.commands[found[0] - 1].is_zero


def percentiles(seconds: Sequence[float]) -> dict[str, float | None]:
    """Median and 99th percentile in milliseconds; None where there is nothing."""
    ordered = sorted(seconds)
    if not ordered:
        return {"p50": None, "p99": None}
    return {f"p{part}": round(1e3 * ordered[round(part / 100 * (len(ordered) - 1))], 2) for part in (50, 99)}


def summary(record: Record, *, stopped: bool, extra: dict[str, Any]) -> dict[str, Any]:
    """The demo's numbers, as summary.json holds them."""
    stop = record.stop()
    last = max(record.results, default=0)
    return {
        "source": record.source,
        "frames_captured": record.captured,
        "frames_processed": len(record.results),
        "frames_dropped": max(record.captured - len(record.results), 0),
        "detections": sum(len(result.boxes) for result in record.results.values()),
        "fps": round(record.rate(), 2),
        "age_ms": percentiles(record.ages()),
        "inference_ms": percentiles([result.infer_s for result in record.results.values()]),
        "commands": len(record.velocities),
        "stopped_on_stale": stopped,
        "stop_after_s": round((stop[1].stamp_ns - last) / NS, 4) if stop else None,
        **extra,
    }


def write_detections(record: Record, path: Path) -> None:
    """Write one line of JSON for each processed frame, in order of capture."""
    with path.open("w", encoding="utf-8") as out:
        for stamp_ns in sorted(record.results):
            result = record.results[stamp_ns]
            line = {
                "frame": record.index_of.get(stamp_ns),
                "stamp": stamp_ns / NS,
                "boxes": result.boxes,
                "scores": result.scores,
                "classes": result.classes,
            }
            out.write(json.dumps(line) + "\n")


def table(numbers: dict[str, Any]) -> str:
    """The summary as a short table for people."""
    age, infer = numbers["age_ms"], numbers["inference_ms"]
    stop = f"robot stopped {numbers['stop_after_s'] or 0:.3f} s after the last good capture"
    rows = {
        "source": numbers["source"],
        "frames": "{frames_captured} captured, {frames_processed} processed, {frames_dropped} dropped".format(
            **numbers
        ),
        "rate": f"{numbers['fps']:.1f} results/s",
        "age": f"{_ms(age['p50'])} median, {_ms(age['p99'])} p99 (capture to command)",
        "inference": f"{_ms(infer['p50'])} median, {_ms(infer['p99'])} p99",
        "detections": numbers["detections"],
        "commands": numbers["commands"],
        "camera lost": stop if numbers["stopped_on_stale"] else "robot was NOT stopped",
    }
    return "\n".join(f"  {name:<12}{value}" for name, value in rows.items())


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"
