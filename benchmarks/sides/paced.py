"""Doing something at given times. It needs nothing but Python, since peers run it in environments of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Send = Callable[[int, float], None]
"""Called with the number of an item and the monotonic time at which it was due."""


def follow(due: Sequence[float], send: Send) -> float:
    """Send an item at each time, ascending, in seconds from now; returns what now was, on the monotonic clock."""
    began = time.monotonic()
    for index, after in enumerate(due):
        at = began + after
        if (left := at - time.monotonic()) > 0:
            time.sleep(left)
        send(index, at)
    return began


def pace(rate: float, seconds: float) -> list[float]:
    """Times at a steady rate."""
    return [number / rate for number in range(round(rate * seconds))]


def overhead_answer(task: Mapping[str, Any], send: Send, times: list[float]) -> dict[str, Any]:
    """Send items at the task's ``rate`` for ``seconds`` after ``warm`` seconds; sending leads to an entry in ``times``.

    Returns:
        ``times`` of the items in seconds and the processor time ``cpu_s`` used for each.
    """
    follow(pace(task["rate"], task["warm"]), send)
    skipped, before = len(times), time.process_time()
    follow(pace(task["rate"], task["seconds"]), send)
    # The last of them may still be under way; what is not in by now is no item's usual time.
    used = time.process_time() - before
    return {"times": times[skipped:], "cpu_s": used / (task["rate"] * task["seconds"])}
