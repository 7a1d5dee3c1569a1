"""Batch size and wait from what the engine and the arrivals have shown."""

from __future__ import annotations

from collections import deque
from statistics import median

import numpy as np

from edge_ai.batching.control import best_control
from edge_ai.batching.curve import LatencyCurve, Seconds
from edge_ai.batching.policy import Plan
from edge_ai.core.clock import NS
from edge_ai.core.errors import ParameterError

_TUNE_NS = NS // 2
"""The control is worked out anew no more often; it takes milliseconds."""
_LOOK_NS = NS // 10
"""A size is run for the sake of learning no more often."""
_DOUBT_NS = 10 * NS
"""Under a backlog the largest size is run at least so often, however bad it is thought to be."""
_TRUST_NS = NS
"""Nothing is refused on the strength of an older run: the engine may be quicker by now."""
_CHANGE = 0.05
_ABOUT = 0.9
_ARRIVALS, _ARRIVALS_NS, _ALLOWED = 256, 2 * NS, 31


class AdaptivePolicy:
    """Makes the mean time from arrival to result least, and meets the deadlines that can be met.

    It learns how long a batch of each size takes (`LatencyCurve`) and how often items come, and from them the best
    control (`best_control`): an idle engine starts at once unless waiting for one more pays, a backlog is served in the
    sizes that clear it best, and where a batch is no quicker than its items one by one, they run one by one. Deadlines
    go before: a wait ends in time for the soonest; a batch is made smaller for it as long as the engine then keeps up;
    no batch takes so long that those who come meanwhile are lost; what cannot make it is not run, so that under
    overload the most results come in time. About once a minute a size
    that has not run lately is run again, to see whether things have changed; a size grows to twice the largest known.

    Args:
        max_size: items in a batch at most, at least 1.

    Raises:
        ParameterError: it is out of range.
    """

    def __init__(self, max_size: int) -> None:
        if max_size < 1:
            raise ParameterError("the size of a batch", got=max_size, wanted="at least 1")
        self._max_size = max_size
        self._curve = LatencyCurve(max_size)
        self._arrivals: deque[int] = deque(maxlen=_ARRIVALS)
        self._allowed_ns: deque[int] = deque(maxlen=_ALLOWED)
        self._ran_ns = self._looked_ns = -NS
        self._due_ns = 0
        # Handed from `ran` to `tune`, and what the control in use was made for.
        self._task: tuple[float, Seconds] | None = None
        self._made_for: tuple[float, Seconds] | None = None
        self._rate = 0.0
        self._sizes: list[int] = []
        self._usual_ns = [0] * (max_size + 1)
        self._fitting = max_size
        self._high_ns = [0] * (max_size + 1)

    @property
    def max_size(self) -> int:
        return self._max_size

    @property
    def control(self) -> tuple[int, ...]:
        """How many to run, by how many wait; 0: wait for one more. Empty before anything ran."""
        return tuple(self._sizes)

    def plan(self, now_ns: int, waiting: int, since_ns: int, soonest_ns: int | None) -> Plan:
        trusted = now_ns - self._ran_ns < _TRUST_NS
        dared = min(waiting, self._max_size, max(1, 2 * self._curve.known))
        size, enough = self._choose(dared, waiting, now_ns)
        if enough > waiting:
            # No longer than running the first alone would have taken, should the arrivals be fewer than thought.
            until = since_ns + min(round(3 * enough / self._rate * NS), self._usual_ns[1])
            if soonest_ns is not None:
                until = min(until, soonest_ns - self._high_ns[min(enough, self._max_size)])
            if until > now_ns:
                return Plan(size, enough, until)
        if soonest_ns is not None and trusted:
            size = self._hasten(min(size, self._fitting), soonest_ns - now_ns)
        # By what is usual: more caution gives up too many that would have been in time.
        return Plan(size, waiting, now_ns, self._usual_ns[size] if trusted else 0)

    def least_ns(self, now_ns: int) -> int:
        return self._usual_ns[1] if now_ns - self._ran_ns < _TRUST_NS else 0

    def arrived(self, now_ns: int, deadline_ns: int | None) -> None:
        self._arrivals.append(now_ns)
        if deadline_ns is not None:
            self._allowed_ns.append(deadline_ns - now_ns)

    def ran(self, size: int, took_ns: int, now_ns: int) -> None:
        self._curve.add(size, took_ns / NS, now_ns)
        self._ran_ns = now_ns
        if now_ns < self._due_ns:
            return
        seconds, spread = self._curve.seconds(), self._curve.spread()
        self._due_ns = now_ns + (_TUNE_NS if self._made_for else 0)
        self._usual_ns = [round(value * NS) for value in seconds.tolist()]
        self._high_ns = [round(value * spread) for value in self._usual_ns]
        rate = self._arrival_rate(now_ns)
        if self._allowed_ns:
            self._fitting = _fitting(seconds[1:], median(self._allowed_ns) / NS, rate)
        if self._made_for is None or _apart(self._made_for, (rate, seconds)):
            self._task = (rate, seconds)

    def tune(self) -> None:
        task, self._task = self._task, None
        if task is None:
            return
        # The list is swapped as a whole: `plan` may be at work meanwhile.
        self._rate, self._sizes = max(task[0], 1e-3), best_control(*task).tolist()
        self._made_for = task

    def _choose(self, dared: int, waiting: int, now_ns: int) -> tuple[int, int]:
        """Size, and how many should wait for it."""
        sizes = self._sizes
        if not sizes:
            return dared, waiting
        last = len(sizes) - 1
        # A backlog may come of a wrong idea of larger sizes; of a stale one, anyway.
        since_ns = now_ns - self._looked_ns
        doubtful = since_ns > _DOUBT_NS and waiting > sizes[min(waiting, last)] > 0
        if doubtful or (since_ns > _LOOK_NS and self._curve.stale(dared, now_ns)):
            self._looked_ns = now_ns
            return dared, waiting
        enough = min(waiting, last)
        while sizes[enough] == 0 and enough < last:
            enough += 1
        if enough > waiting:
            return min(self._max_size, enough), enough
        return min(dared, sizes[enough]), waiting

    def _hasten(self, size: int, left_ns: int) -> int:
        """The largest size that still meets a deadline, if the engine keeps up with it; else the size as it is."""
        for smaller in range(size, 0, -1):
            if self._high_ns[smaller] <= left_ns:
                return smaller if smaller * NS >= self._rate * self._usual_ns[smaller] else size
        return size

    def _arrival_rate(self, now_ns: int) -> float:
        arrivals = self._arrivals
        while len(arrivals) > 20 and now_ns - arrivals[0] > _ARRIVALS_NS:
            arrivals.popleft()
        return (len(arrivals) - 1) * NS / (now_ns - arrivals[0]) if len(arrivals) > 1 and now_ns > arrivals[0] else 0.0


def _fitting(seconds: Seconds, allowed: float, rate: float) -> int:
    """The largest size with about the most results in time where batch follows upon batch.

    An item that comes when a part u of a batch is left is in time if u of it and all of its own fit into what is
    allowed; of batches in a row of L seconds each that is a share allowed / L - 1 of all items.
    """
    share = np.clip(allowed / seconds - 1, 0, 1)
    results = np.minimum(rate * share, np.arange(1, len(seconds) + 1) / seconds)
    return int(np.flatnonzero(results >= _ABOUT * results.max())[-1]) + 1


def _apart(one: tuple[float, Seconds], other: tuple[float, Seconds]) -> bool:
    """Whether arrivals or times are so different that another control may be better."""
    if abs(one[0] - other[0]) > _CHANGE * one[0]:
        return True
    return bool((abs(one[1] - other[1]) > _CHANGE * one[1]).any())
