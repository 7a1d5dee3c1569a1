"""A board that knows whether anybody looks at it."""

from __future__ import annotations

from edge_ai.core.clock import NS, Clock
from edge_ai.dashboard.state import Board, Entry

_ATTENTION_NS = 3 * NS  # after which nobody looks any more: viewers ask at least every two seconds


class ViewedBoard(Board):
    """See `Board`."""

    def __init__(self, clock: Clock, history: float) -> None:
        super().__init__(clock, history)
        self._steady, self._asked_ns = clock, 0

    @property
    def viewed(self) -> bool:
        """Whether somebody looks."""
        return bool(self._asked_ns) and self._steady.steady_ns() - self._asked_ns < _ATTENTION_NS

    def since(self, version: int) -> tuple[dict[str, Entry], int]:
        self._asked_ns = self._steady.steady_ns()
        return super().since(version)
