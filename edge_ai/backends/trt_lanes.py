"""Several lanes on one engine: while one inference copies, another computes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from edge_ai.backends.cuda_memory import CudaError
from edge_ai.backends.trt_lane import Lane
from edge_ai.core.errors import BackendError

log = logging.getLogger(__name__)


class Lanes:
    """As many lanes as threads infer at once, up to a number, made when they are first needed.

    Everything is called with the device current.

    Args:
        make: makes a lane.
        most: lanes at most; fewer if there is no memory for them.

    Raises:
        CudaError, BackendError: not even the first can be made.
    """

    def __init__(self, make: Callable[[], Lane], most: int) -> None:
        self._make, self._most = make, most
        self._all = [make()]
        self._last_user: dict[Lane, int] = {self._all[0]: 0}  # of the lanes that are free
        self._freed = threading.Condition()

    @contextmanager
    def lane(self) -> Iterator[Lane]:
        """A lane for the calling thread, the one it had before if that is free: its graphs hold that thread's buffers.

        Raises:
            CudaError: the device is lost.
        """
        thread = threading.get_ident()
        with self._freed:
            while (lane := self._find(thread)) is None:
                self._freed.wait()
        try:
            yield lane
        finally:
            with self._freed:
                self._last_user[lane] = thread
                self._freed.notify()

    def close(self) -> None:
        """Free them all; none may be in use."""
        for lane in self._all:
            lane.close()
        self._all, self._last_user = [], {}

    def _find(self, thread: int) -> Lane | None:
        free = sorted(self._last_user, key=lambda lane: self._last_user[lane] != thread)
        if free:
            del self._last_user[free[0]]
            return free[0]
        if len(self._all) >= self._most:
            return None
        try:
            lane = self._make()
        except (CudaError, BackendError) as error:
            if isinstance(error, CudaError) and error.lost:
                raise
            self._most = len(self._all)
            log.warning("inferences share %d TensorRT contexts: %s", self._most, error)
            return None
        self._all.append(lane)
        return lane
