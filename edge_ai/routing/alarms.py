"""Alarms: call something at a time unless it is cancelled before; one thread for all of them."""

from __future__ import annotations

import heapq
import logging
import threading
from collections.abc import Callable

from edge_ai.core.clock import NS, Clock

_LONGEST_WAIT = 3600.0  # seconds; a wait far ahead is cut, as threads cannot wait for ever long
_FEW = 64  # below so many cancelled entries tidying up is not worth it

_log = logging.getLogger(__name__)


class Alarm:
    """One alarm that was set."""

    __slots__ = ("_alarms", "_callback", "_when_ns")

    def __init__(self, alarms: Alarms, when_ns: int, callback: Callable[[], None]) -> None:
        self._alarms, self._when_ns = alarms, when_ns
        self._callback: Callable[[], None] | None = callback

    @property
    def when_ns(self) -> int:
        """Steady time when it is due."""
        return self._when_ns

    def cancel(self) -> bool:
        """Whether the call was prevented; False: it was called, is being called, or was cancelled before."""
        return self._alarms._cancel(self)


class Alarms:
    """Calls what was set for a time, from one daemon thread between `start` and `stop`, or from `run_due`.

    Callbacks run one after the other, in the order of their times and, for equal times, in the order they were set;
    they must be short, may set and cancel alarms, and what they raise is logged. Cancelled alarms give up their
    callback at once and their place soon: memory follows the number of alarms that are still to ring.

    Args:
        clock: for steady time. With a clock that does not run by itself call `run_due` and do not start.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._heap: list[tuple[int, int, Alarm]] = []
        self._set = self._cancelled = 0
        # When the thread looks next. It is left to sleep until then, even if what it was to wake for was cancelled:
        # most alarms are, and to wake it for each would cost a frame more than all else.
        self._wakes_ns = 0
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        """How many alarms are still to ring."""
        with self._changed:
            return len(self._heap) - self._cancelled

    def at(self, when_ns: int, callback: Callable[[], None]) -> Alarm:
        """Set an alarm.

        Args:
            when_ns: steady time; one that has passed rings at once, though never inside this call.
            callback: what to call.
        """
        alarm = Alarm(self, when_ns, callback)
        with self._changed:
            heapq.heappush(self._heap, (when_ns, self._set, alarm))
            self._set += 1
            if when_ns < self._wakes_ns:
                self._changed.notify_all()
        return alarm

    def start(self) -> None:
        """Start the thread; does nothing while it runs."""
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread and forget all alarms. May be called from a callback, and again; `start` may follow."""
        with self._changed:
            thread, self._thread = self._thread, None
            for _, _, alarm in self._heap:
                alarm._callback = None
            self._heap.clear()
            self._cancelled = 0
            self._changed.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def run_due(self, now_ns: int) -> int:
        """Call all that is due at ``now_ns``, here and now; how many were called."""
        called = 0
        while (callback := self._take(now_ns)) is not None:
            _call(callback)
            called += 1
        return called

    def _run(self) -> None:
        me = threading.current_thread()
        while True:
            with self._changed:
                if self._thread is not me:
                    return
                callback = self._take(self._clock.steady_ns())
                if callback is None:
                    wait = self._seconds_to_next()
                    self._wakes_ns = self._clock.steady_ns() + round(wait * NS)
                    self._changed.wait(wait)
                self._wakes_ns = 0
            if callback is not None:
                _call(callback)
                del callback  # while it waits nothing of the last call is kept alive

    def _seconds_to_next(self) -> float:
        if not self._heap:
            return _LONGEST_WAIT
        return min(_LONGEST_WAIT, max(0, self._heap[0][0] - self._clock.steady_ns()) / NS)

    def _take(self, now_ns: int) -> Callable[[], None] | None:
        """The callback of the next alarm that is due, no longer to be cancelled; None: none is due."""
        with self._changed:
            while self._heap and (self._heap[0][0] <= now_ns or self._heap[0][2]._callback is None):
                alarm = heapq.heappop(self._heap)[2]
                callback, alarm._callback = alarm._callback, None
                if callback is not None:
                    return callback
                self._cancelled -= 1
            return None

    def _cancel(self, alarm: Alarm) -> bool:
        with self._changed:
            if alarm._callback is None:
                return False
            alarm._callback = None
            self._cancelled += 1
            if self._cancelled > _FEW and 2 * self._cancelled > len(self._heap):
                self._heap = [entry for entry in self._heap if entry[2]._callback is not None]
                heapq.heapify(self._heap)
                self._cancelled = 0
            return True


def _call(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception:
        _log.exception("an alarm's callback failed")
