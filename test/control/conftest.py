"""Results as a model would give them, and a clock that moves when told to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import settings

from edge_ai.core.clock import ManualClock, to_steady
from edge_ai.core.types import Detections, FrameHeader, Result

# A deadline for each example would fail on a busy machine.
settings.register_profile("control", deadline=None)
settings.load_profile("control")

LABELS = ("person", "dog", "chair")
MakeResult = Callable[..., Result]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def make_result(clock: ManualClock) -> MakeResult:
    """A result for a 640 x 480 image captured ``age`` seconds ago, stamps taken as a node would take them."""

    def make(
        boxes: Sequence[Sequence[float]] = (),
        scores: Sequence[float] | None = None,
        classes: Sequence[int] | None = None,
        *,
        age: float = 0.0,
        size: tuple[int, int] = (640, 480),
    ) -> Result:
        count = len(boxes)
        stamp = clock.stamp_ns() - round(age * 1e9)
        header = FrameHeader(stamp, to_steady(stamp, clock), "camera", 0, *size)
        found = Detections(
            np.array(boxes, np.float32).reshape(count, 4),
            np.array([0.8] * count if scores is None else scores, np.float32),
            np.array([0] * count if classes is None else classes, np.int32),
            LABELS,
        )
        return Result(header, found, "test", "1")

    return make
