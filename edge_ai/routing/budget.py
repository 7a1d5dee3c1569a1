"""How many extra requests, retries and hedges, the ordinary ones pay for."""

from __future__ import annotations

import threading

_ROUNDING = 1e-9


class ShareBudget:
    """Lets extra requests be at most a share of the ordinary ones in the long run. Thread-safe.

    A bucket of tokens: each ordinary request puts in ``share`` of one, each extra request takes a whole one, and
    no more than ``burst`` are kept. It starts full, so that the first trouble after a start can be answered.
    Over any stretch with n ordinary requests there are at most ``burst + share * n`` extra ones.

    Args:
        share: extra requests for each ordinary one, 0 and up; 0: none at all, whatever is in the bucket.
        burst: tokens kept at most, at least 1.
    """

    def __init__(self, share: float, burst: int) -> None:
        self._lock = threading.Lock()
        self._share, self._burst = max(0.0, share), float(max(1, burst))
        self._tokens = self._burst
        self._refused = 0

    def deposit(self) -> None:
        """An ordinary request was sent."""
        with self._lock:
            self._tokens = min(self._burst, self._tokens + self._share)

    def take(self) -> bool:
        """Whether an extra request may be sent; if so it is paid for."""
        with self._lock:
            if self._share <= 0 or self._tokens < 1 - _ROUNDING:
                self._refused += 1
                return False
            self._tokens = max(0.0, self._tokens - 1)
            return True

    @property
    def share(self) -> float:
        """Extra requests for each ordinary one; may be set at any time."""
        with self._lock:
            return self._share

    @share.setter
    def share(self, share: float) -> None:
        with self._lock:
            self._share = max(0.0, share)

    @property
    def refused(self) -> int:
        """How many extra requests were not paid for so far."""
        with self._lock:
            return self._refused
