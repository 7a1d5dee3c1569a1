"""The soft real-time settings of a managed node: applied around its configure, undone after its cleanup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edge_ai.realtime.params import RealtimeParams
from edge_ai.realtime.settings import Outcome, RealtimeSettings

PREFIX = "process."
CLASSES = {PREFIX: RealtimeParams}
"""The parameter class, by prefix."""


class ProcessSettings:
    """Settings of a node's process, from its parameters ``process.*``.

    Args:
        node: a managed node.
    """

    def __init__(self, node: Any) -> None:
        self._node = node
        self._settings: RealtimeSettings | None = None
        self._outcomes: list[Outcome] = []

    def configure(self, action: Callable[[], None]) -> None:
        """Apply them around ``action``; log what became of each.

        Raises:
            EdgeAIError: two of them do not go together, or what ``action`` raises.
        """
        params, log = self._node.params, self._node.get_logger()
        spinning = any(getattr(values, "spinning", "none") == "long" for values in params.values.values())
        self._settings = RealtimeSettings(params[PREFIX], spinning=spinning)
        self._outcomes = self._settings.apply(action)
        for outcome in self._outcomes:
            if outcome.applied:
                log.info(f"{PREFIX}{outcome.setting}: {outcome.words}")
            else:
                log.warning(f"goes on without {PREFIX}{outcome.setting}: {outcome.words}")

    def cleanup(self, action: Callable[[], None]) -> None:
        """Undo them after ``action``, whatever it raises."""
        try:
            action()
        finally:
            if self._settings is not None:
                self._settings.undo()
            self._settings, self._outcomes = None, []

    @property
    def missing(self) -> dict[str, str]:
        """Parameters without effect, and why."""
        return {PREFIX + outcome.setting: outcome.words for outcome in self._outcomes if not outcome.applied}
