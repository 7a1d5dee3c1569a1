"""What a new model is asked beside the one that serves: how quick it is, and whether both see the same."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable

from edge_ai.core.types import Frame, Result
from edge_ai.runtime.model import Model
from edge_ai.runtime.swap.likeness import Likeness
from edge_ai.runtime.swap.params import SwapParams
from edge_ai.runtime.swap.shadow import Shadow
from edge_ai.runtime.swap.status import Check
from edge_ai.runtime.switchable import Leasable

_ROUNDS = 15  # inferences of each model
_SLOWER = 1.2  # times the latency of the active model that a new one may take
_HANGS = 10.0  # s from which an inference beside the active model counts as one that does not end
_LOOK = 0.1  # s


def time_in_turns(
    model: Model, active: Model, picture: Frame, budget: float, run: Callable[[Callable[[], float]], float]
) -> tuple[Check, float]:
    """Compare latencies, both models in turns: whatever else runs here slows both.

    Args:
        model: the new one.
        active: the one that serves.
        picture: for both.
        budget: seconds for a frame; 0: 1.2 times what the active one takes.
        run: calls what it is given, and returns what that does.

    Returns:
        The check, and the budget in seconds.
    """
    times: dict[Model, list[float]] = {model: [], active: []}
    for _ in range(_ROUNDS):
        for one, seconds in times.items():
            seconds.append(run(lambda one=one: _timed(one, picture)))  # type: ignore[misc]
    own, its = (statistics.median(seconds) for seconds in times.values())
    budget = budget or _SLOWER * its
    detail = f"{own * 1e3:.1f} ms a frame, allowed {budget * 1e3:.1f} ms; the active model takes {its * 1e3:.1f} ms"
    return Check("latency", own <= budget, detail), budget


class ShadowCheck:
    """Compares a model with the answers of the active one on live frames, until there are enough.

    Args:
        model: watches; open.
        swap: how many frames, for how long, and what agreement is wanted.
        has_golden: golden answers passed, so that frames with nothing in them need not tell anything.
    """

    def __init__(self, model: Leasable, swap: SwapParams, *, has_golden: bool) -> None:
        self._swap, self._has_golden = swap, has_golden
        self._changed = threading.Condition()
        self._likeness, self._compared, self._failure = Likeness(), 0, ""
        self._deadline = time.monotonic() + swap.shadow_timeout
        self._shadow = Shadow(model, swap.shadow_share, self._on_compared, self._on_failed)

    def offer(self, result: Result, frame: Frame) -> None:
        """A live frame and what the active model says of it; takes microseconds."""
        self._shadow.offer(result, frame)

    @property
    def progress(self) -> float:
        """From 0 to 1."""
        return min(1.0, self._compared / self._swap.shadow_frames)

    def wait(self) -> bool:
        """Wait a moment; whether the check has ended."""
        with self._changed:
            self._changed.wait_for(self._enough, _LOOK)
        if self._shadow.busy > _HANGS:
            self._failure = f"an inference has not ended for {self._shadow.busy:.0f} s"
        return self._enough() or time.monotonic() > self._deadline

    def close(self) -> None:
        """Take no more frames; returns at once."""
        self._shadow.close()

    def join(self) -> None:
        """Wait until it has ended, once closed: for ever, if an inference hangs for ever."""
        self._shadow.join()

    def check(self) -> Check:
        """What came of it; ends it."""
        self.close()
        if not self._failure and not self._shadow.join(_HANGS):
            self._failure = "an inference does not end"
        return self._judged()

    def _judged(self) -> Check:
        found, compared, swap = self._likeness, self._compared, self._swap
        if self._failure:
            return Check("shadow", False, self._failure)
        if compared < swap.shadow_frames:
            detail = f"{compared} of {swap.shadow_frames} live frames in {swap.shadow_timeout:g} s: too few to judge"
            return Check("shadow", False, detail)
        if not found.weight:
            detail = f"neither model finds anything on {compared} live frames"
            return Check("shadow", self._has_golden, f"{detail}; the golden answers count" * self._has_golden or detail)
        detail = f"agreement {found.agreement:.2f} with the active model on {compared} live frames"
        return Check("shadow", found.agreement >= swap.agreement, f"{detail}, wanted {swap.agreement:g}")

    def _enough(self) -> bool:
        return bool(self._failure) or self._compared >= self._swap.shadow_frames

    def _on_compared(self, found: Likeness, _seconds: float) -> None:
        with self._changed:
            self._likeness += found
            self._compared += 1
            self._changed.notify_all()

    def _on_failed(self, error: Exception) -> None:
        with self._changed:
            self._failure = self._failure or f"it fails on a live frame: {error}"
            self._changed.notify_all()


def _timed(model: Model, picture: Frame) -> float:
    begun = time.monotonic()
    model(picture)
    return time.monotonic() - begun
