"""What is known of a side and of the link, learned from the answers that came and from those that did not."""

from __future__ import annotations

import math
import threading
from bisect import bisect_left, insort
from collections import deque
from typing import NamedTuple

from edge_ai.core.clock import NS

_KEPT = 0.8  # weight left to older samples after one more: about the last five count
_MEMORY = 2.0  # s in which a sample loses 63 % of its weight
_WINDOW, _WINDOW_NS = 64, 30 * NS  # what the percentile is taken from
_ALIVE_NS = 5 * NS
_LONGEST = 3600.0  # s; squares of more would overflow some day
_LEAST_WIRE = 1e-5  # s per transfer; below this a link is as good as infinitely fast


class Latency(NamedTuple):
    """How long a side takes; all NaN and the age inf before the first sample.

    Attributes:
        expected: mean of late, s.
        spread: standard deviation, s.
        p95: 95th percentile of late, s.
        age: s since the last sample.
    """

    expected: float
    spread: float
    p95: float
    age: float


class LinkState(NamedTuple):
    """How good a link is; NaN: not known.

    Attributes:
        bandwidth: bytes/s.
        rtt: s for a request without an image.
    """

    bandwidth: float
    rtt: float


class _Fading:
    """Sums in which older samples count less: by how many came since, and by the time that passed."""

    __slots__ = ("_at_ns", "squares", "total", "weight")

    def __init__(self) -> None:
        self.weight = self.total = self.squares = 0.0
        self._at_ns = 0

    def add(self, value: float, weight: float, now_ns: int) -> None:
        """Count a value; ``weight`` is 1, or the denominator where the mean is a ratio of sums."""
        kept = _KEPT * math.exp(min(0.0, (self._at_ns - now_ns) / NS / _MEMORY)) if self.weight else 0.0
        self.weight = self.weight * kept + weight
        self.total = self.total * kept + value
        self.squares = self.squares * kept + value * value
        self._at_ns = max(self._at_ns, now_ns)

    @property
    def mean(self) -> float:
        return self.total / self.weight if self.weight > 0 else math.nan

    @property
    def deviation(self) -> float:
        """Standard deviation, for samples of weight 1."""
        mean = self.mean
        return math.sqrt(max(0.0, self.squares / self.weight - mean * mean)) if self.weight > 0 else math.nan


class LatencyEstimate:
    """Learns how long a side takes. Thread-safe; a call costs some microseconds.

    The last five samples or so make the mean, fewer where they are older than a few seconds: after a pause a new sample
    counts almost alone. The percentile is that of the last 64 samples of the last half minute.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums = _Fading()
        self._window: deque[tuple[int, float]] = deque()
        self._ordered: list[float] = []
        self._last_ns: int | None = None

    def add(self, seconds: float, now_ns: int) -> None:
        """Learn from an answer that took ``seconds``; what is negative or not finite is passed over."""
        if not 0 <= seconds < math.inf:
            return
        with self._lock:
            self._add(seconds, now_ns)

    def late(self, seconds: float, now_ns: int) -> None:
        """Learn from a request that had no answer after ``seconds``.

        It would have taken at least as long. One that was given up early counts as the 95th percentile: it must not
        make the side look quick.
        """
        if not 0 <= seconds < math.inf:
            return
        with self._lock:
            self._add(max(seconds, self._p95() if self._ordered else 0.0), now_ns)

    def state(self, now_ns: int) -> Latency:
        """What is known; old knowledge stays, and its age says how old it is."""
        with self._lock:
            if self._last_ns is None:
                return Latency(math.nan, math.nan, math.nan, math.inf)
            age = max(0, now_ns - self._last_ns) / NS
            return Latency(self._sums.mean, self._sums.deviation, self._p95(), age)

    def _add(self, seconds: float, now_ns: int) -> None:
        seconds = min(seconds, _LONGEST)
        self._sums.add(seconds, 1.0, now_ns)
        window = self._window
        while window and (len(window) >= _WINDOW or now_ns - window[0][0] > _WINDOW_NS):
            del self._ordered[bisect_left(self._ordered, window.popleft()[1])]
        window.append((now_ns, seconds))
        insort(self._ordered, seconds)
        self._last_ns = now_ns

    def _p95(self) -> float:
        return self._ordered[math.ceil(0.95 * len(self._ordered)) - 1]


class LinkEstimate:
    """Learns a link's bandwidth from what was sent over it and its round trip from requests without an image."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rtt = _Fading()
        self._rtts: deque[float] = deque(maxlen=16)
        self._wire = _Fading()
        self._pinged_ns = 0

    def ping(self, seconds: float, now_ns: int) -> None:
        """Learn from a request without an image that took ``seconds``."""
        if not 0 <= seconds < math.inf:
            return
        with self._lock:
            self._rtt.add(seconds, 1.0, now_ns)
            self._pinged_ns = now_ns
            self._rtts.append(seconds)

    def transfer(self, size: int, seconds: float, service_seconds: float, now_ns: int) -> None:
        """Learn from a request.

        Args:
            size: bytes sent.
            seconds: from sending it to its answer.
            service_seconds: of these, those the server says it worked; NaN: it does not say, and the link then looks
                slower than it is.
            now_ns: steady time.
        """
        if size <= 0 or not 0 < seconds < math.inf:
            return
        with self._lock:
            # The least round trip: the mean one has waited behind images.
            trip = min(self._rtts, default=0.0)
            worked = service_seconds if 0 <= service_seconds < math.inf else 0.0
            self._wire.add(float(size), max(_LEAST_WIRE, seconds - worked - trip), now_ns)

    def state(self, now_ns: int) -> LinkState:
        """What is known; a round trip that nobody made lately is not."""
        with self._lock:
            alive = now_ns - self._pinged_ns <= _ALIVE_NS
            return LinkState(self._wire.mean, self._rtt.mean if alive else math.nan)
