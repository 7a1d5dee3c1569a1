"""Goals: a figure, its bound, and whether it was met; a figure that could not be had is a miss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Goal:
    """A figure with a bound.

    Attributes:
        name: what it is, with its unit.
        value: what was measured; None or NaN: it could not be.
        bound: the least or greatest value that will do; NaN: it could not be had, so the goal is missed.
        better: "higher" if the bound is the least value, "lower" if it is the greatest.
    """

    name: str
    value: float | None
    bound: float
    better: Literal["higher", "lower"]

    @property
    def met(self) -> bool:
        """Whether the figure was had and keeps to its bound."""
        if self.value is None or math.isnan(self.value):
            return False
        return self.value >= self.bound if self.better == "higher" else self.value <= self.bound

    def as_json(self) -> dict[str, Any]:
        """The goal as it stands in a report."""
        value = None if self.value is None or math.isnan(self.value) else self.value
        bound = None if math.isnan(self.bound) else self.bound
        return {"name": self.name, "value": value, "bound": bound, "better": self.better, "met": self.met}
