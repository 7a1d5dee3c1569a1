"""How the robot fared over a while: averages, maxima and percentiles of every metric."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from edge_ai.monitoring.history import Span
from edge_ai.monitoring.words import spoken


@dataclass(frozen=True, slots=True)
class Row:
    """One metric over the while; only the samples in which it could be read count."""

    name: str
    mean: float
    maximum: float
    p50: float
    p95: float
    p99: float
    samples: int


@dataclass(frozen=True, slots=True)
class Report:
    """Attributes:
    seconds: that are covered.
    rows: one a metric, by name.
    """

    seconds: float
    rows: tuple[Row, ...]

    def __getitem__(self, name: str) -> Row:
        """The row of a metric; KeyError if it was never read."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)

    @property
    def text(self) -> str:
        """The same as a table for people."""
        head = ("metric", "mean", "max", "p50", "p95", "p99", "samples")
        lines = [head] + [
            (
                row.name,
                *(spoken(row.name, value) for value in (row.mean, row.maximum, row.p50, row.p95, row.p99)),
                str(row.samples),
            )
            for row in self.rows
        ]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        body = ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip() for line in lines]
        return "\n".join([f"the last {self.seconds:.0f} s", *body])


def report(span: Span, metrics: Iterable[str] = ()) -> Report:
    """Sum up a while.

    Args:
        span: what was read.
        metrics: names, or beginnings of names that end with a slash; empty: all.
    """
    wanted = tuple(metrics)
    columns = sorted((name, index) for index, name in enumerate(span.names) if not wanted or _chosen(name, wanted))
    rows = (_row(name, span.values[:, index]) for name, index in columns)
    return Report(span.seconds, tuple(row for row in rows if row is not None))


def _chosen(name: str, wanted: tuple[str, ...]) -> bool:
    return name in wanted or any(name.startswith(one) for one in wanted if one.endswith("/"))


def _row(name: str, column: np.ndarray) -> Row | None:
    values = column[~np.isnan(column)].astype(np.float64)
    if not len(values):
        return None
    p50, p95, p99 = (float(value) for value in np.percentile(values, (50, 95, 99)))
    return Row(name, float(values.mean()), float(values.max()), p50, p95, p99, len(values))
