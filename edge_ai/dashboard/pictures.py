"""One drawing of a picture for all who look, no more often than they want and than it may cost."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from edge_ai.dashboard.params import DashboardParams
from edge_ai.dashboard.state import Board

_LONGEST = 5.0
"""Seconds to the next picture at most, whatever one costs: providers have to know that somebody looks still."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG file and its number; a later one has a greater number."""

    number: int
    jpeg: bytes


class Pictures:
    """Belongs to one event loop; the provider draws on a thread beside it.

    Args:
        params: most pictures a second, and the share of a core that the page may take: drawing on the thread, and all
            that the event loop's own does between two pictures.
        board: has the provider.
    """

    def __init__(self, params: DashboardParams, board: Board) -> None:
        self._period, self._budget = 1 / params.video_rate, params.video_budget
        self._board = board
        self._newest = Picture(0, b"")
        self._due = 0.0
        self._served: float | None = None
        self._drawing: asyncio.Task[None] | None = None
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="dashboard-picture")

    async def after(self, number: int, patience: float) -> Picture | None:
        """The first picture newer than one seen before.

        Args:
            number: of the one seen; 0 for none. A number from before a restart is as good as none.
            patience: seconds to wait for it.

        Returns:
            The picture, or None when none has come in time.
        """
        number = number if number <= self._newest.number else 0
        until = time.monotonic() + patience
        while self._newest.number <= number:
            left = until - time.monotonic()
            if left <= 0 or self._board.provider is None:
                return None
            if self._drawing is None or self._drawing.done():
                self._drawing = asyncio.get_running_loop().create_task(self._draw())
            await asyncio.wait({self._drawing}, timeout=left)
        return self._newest

    def close(self) -> None:
        """Let go of the thread."""
        self._executor.shutdown(wait=False)

    async def _draw(self) -> None:
        await asyncio.sleep(max(0.0, self._due - time.monotonic()))
        begun = time.monotonic()
        jpeg, cost = await asyncio.get_running_loop().run_in_executor(self._executor, self._ask)
        if jpeg is None:
            self._due = begun + self._period
            return
        served = time.thread_time()
        spent = cost + (served - self._served if self._served is not None else 0.0)
        self._served = served
        # Counted from when drawing began: waiting for the frame is not its fault.
        self._due = time.monotonic() - cost + min(max(self._period, spent / self._budget), _LONGEST)
        self._newest = Picture(self._newest.number + 1, jpeg)

    def _ask(self) -> tuple[bytes | None, float]:
        """A picture, and the seconds of a processor that it took."""
        provider, before = self._board.provider, time.thread_time()
        try:
            jpeg = provider() if provider is not None else None
        except Exception:
            _log.exception("no picture for the dashboard")
            jpeg = None
        return jpeg, time.thread_time() - before
