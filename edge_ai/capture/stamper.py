"""Steady instants to stamps that only ever grow."""

from __future__ import annotations

import logging

from edge_ai.core.clock import NS, Clock, to_stamp

JUMP_NS = NS // 20
"""A stamp this far before the last one means that the stamping clock was set back; less is the clocks' jitter."""

_log = logging.getLogger(__name__)


class Stamper:
    """Stamps frames so that each is later than the one before, on both clocks.

    One exception: where the stamping clock itself is set back by more than `JUMP_NS` (NTP, a restarted simulation),
    stamps follow it. Clinging to the old time would date frames into the future, and their age would look like
    zero for just as long, even if the camera froze.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stamp = self._steady = -1

    def stamp(self, steady_ns: int) -> tuple[int, int]:
        """Stamp and steady time, in nanoseconds, of a frame captured at ``steady_ns``."""
        steady = max(steady_ns, self._steady + 1)
        stamp = to_stamp(steady, self._clock)
        back = self._stamp - stamp
        if back > JUMP_NS:
            _log.warning("the clock of the stamps was set back by %.3f s; stamps follow it", back / NS)
        elif back >= 0:
            stamp = self._stamp + 1
        self._stamp, self._steady = stamp, steady
        return stamp, steady
