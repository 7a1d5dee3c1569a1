"""The page's web server, on a thread of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_ai.dashboard.board import Board
from edge_ai.dashboard.params import DashboardParams

if TYPE_CHECKING:
    from edge_ai.monitoring.health import Health
    from edge_ai.monitoring.metrics import Metrics


class DashboardServer:
    """Serves a board, and /metrics, /livez and /readyz beside it.

    Args:
        params: where to listen, who may look, how much it may cost.
        board: what to show.
        metrics: for Prometheus; None: /metrics is not found.
        health: None: always ready.
    """

    def __init__(
        self, params: DashboardParams, board: Board, *, metrics: Metrics | None = None, health: Health | None = None
    ) -> None:
        self._params, self._board, self._metrics, self._health = params, board, metrics, health

    def start(self) -> None:
        """Listen; returns once browsers can connect.

        Raises:
            EdgeAIError: the address cannot be had, a token is wanted, or a library is missing.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """Say good-bye to all viewers and free the port."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        """Where the page is, without the token: "http://127.0.0.1:8080/"."""
        raise NotImplementedError
