"""All who are told what happens in the process, none of whom keeps the robot or another one from going on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal

from edge_ai.watched.watcher import Watcher

log = logging.getLogger(__name__)

Event = Literal["frame", "result", "command", "camera", "sample", "alert", "mitigation", "routing", "update"]


class Watchers:
    """Tells each of them; one that fails is logged, once for each event.

    Args:
        watchers: in the order in which they are told.
    """

    def __init__(self, watchers: Sequence[Watcher]) -> None:
        self._watchers = tuple(watchers)
        self._failed: set[tuple[int, Event]] = set()

    def tell(self, event: Event, *what: object) -> None:
        """Call that method of every watcher."""
        for number, watcher in enumerate(self._watchers):
            try:
                getattr(watcher, event)(*what)
            except Exception:
                if (number, event) not in self._failed:
                    self._failed.add((number, event))
                    log.exception("%s.%s failed; the robot goes on", type(watcher).__name__, event)
