"""Links between robots and servers: round trips, bandwidth and stalls, drawn per robot."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass


@dataclass(frozen=True)
class LinkKind:
    """How links of a kind are distributed.

    Round trips are lognormal about a median, drawn anew for each request. Bandwidth is lognormal over robots and over
    time: its logarithm goes back to the median with a time constant of ``settle`` seconds (Ornstein-Uhlenbeck). Now and
    then a packet is lost, which with TCP shows as a stall of a retransmission time, or a hand-over stops the link.

    Attributes:
        name: in words.
        rtt: median round trip, s.
        rtt_sigma: standard deviation of its logarithm.
        bandwidth: median upwards, bytes/s.
        bandwidth_sigma: standard deviation of its logarithm.
        settle: time constant of the bandwidth's changes, s.
        stall: probability of a stall, for each request.
        stall_s: mean length of a stall, s; exponential above the least retransmission time of 0.2 s.
    """

    name: str
    rtt: float
    rtt_sigma: float = 0.0
    bandwidth: float = 1e8
    bandwidth_sigma: float = 0.0
    settle: float = 10.0
    stall: float = 0.0
    stall_s: float = 0.3


LAN = LinkKind("lan", rtt=0.0006, rtt_sigma=0.2, bandwidth=1.1e8, bandwidth_sigma=0.05)
WIFI = LinkKind("wifi", rtt=0.005, rtt_sigma=0.6, bandwidth=5e6, bandwidth_sigma=0.5, settle=8.0, stall=0.01)
LTE = LinkKind(
    "lte", rtt=0.045, rtt_sigma=0.3, bandwidth=1.2e6, bandwidth_sigma=0.6, settle=5.0, stall=0.01, stall_s=0.6
)


class RobotLink:
    """The link of one robot: one request after another goes up, answers are small."""

    __slots__ = ("_free", "_log", "_rng", "_then", "kind")

    def __init__(self, kind: LinkKind, rng: random.Random) -> None:
        self.kind = kind
        self._rng = rng
        self._log = rng.gauss(0, kind.bandwidth_sigma)
        self._then = 0.0
        self._free = 0.0

    def bandwidth(self, now: float) -> float:
        """Bytes/s upwards at a time not before that of the last call."""
        kind, passed = self.kind, now - self._then
        if kind.bandwidth_sigma and passed > 0:
            keep = math.exp(-passed / kind.settle)
            self._log = self._log * keep + self._rng.gauss(0, kind.bandwidth_sigma * math.sqrt(1 - keep * keep))
            self._then = now
        return kind.bandwidth * math.exp(self._log)

    def send(self, count: float, now: float) -> tuple[float, float]:
        """Send a request of so many bytes: seconds until it is at the server, and the seconds an answer takes back."""
        begun = max(now, self._free)
        self._free = begun + count / self.bandwidth(now)
        half = 0.5 * self.round_trip()
        stalled = 0.0
        if self.kind.stall and self._rng.random() < self.kind.stall:
            stalled = 0.2 + self._rng.expovariate(1 / self.kind.stall_s)
            self._free += stalled
        return self._free - now + half, half

    def round_trip(self) -> float:
        """Seconds for a request without an image, with nothing in its way."""
        return self.kind.rtt * math.exp(self._rng.gauss(0, self.kind.rtt_sigma))
