"""What the page shows, held for those who look: newest value of each section, the last minutes, what buttons do."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edge_ai.core.clock import Clock
from edge_ai.core.errors import EdgeAIError

SECTIONS = (
    *("identity", "deployment", "system", "nodes", "alerts", "mitigation"),
    *("routing", "control", "result", "recorder", "update"),
)
PLOTTED = ("cpu", "gpu", "memory", "temperature", "power", "fps", "age")
"""Readings of section "system" that the page draws over time."""
SHARES = ("edge_share", "cloud_share", "skip_share")
"""Fields of section "routing" that the page draws over time."""

Provider = Callable[[], bytes | None]
Act = Callable[[], str | None]

_LEAST_STEP = 0.9  # s, between two points of the plots


@dataclass(frozen=True, slots=True)
class Entry:
    """One section as it was last put.

    Attributes:
        value: JSON's types, numbers may be NaN.
        steady_ns: when it was put.
        version: counts the puts of all sections.
    """

    value: Mapping[str, Any]
    steady_ns: int
    version: int


class Board:
    """Between the robot, which puts from any thread, and the server, which reads only while somebody looks.

    A section is replaced as a whole; who puts one must not change it afterwards. Their fields are in doc/watching.md.

    Args:
        clock: its steady side tells how old a section is.
        history: how far back the plots reach, s.

    Attributes:
        on_stop: stops the robot at once; returns words for the operator or None, raises EdgeAIError if it could not.
            None: there is no such button's work here. All three are called on a thread of the server and may block.
        on_reset: takes the emergency stop back.
        on_record: writes the flight recorder's memory to a file.
    """

    def __init__(self, clock: Clock, history: float = 300.0) -> None:
        self.on_stop: Act | None = None
        self.on_reset: Act | None = None
        self.on_record: Act | None = None
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._version = 0
        self._provider: Provider | None = None
        self._points: deque[tuple[int, tuple[float | None, ...]]] = deque(maxlen=max(2, round(history / _LEAST_STEP)))
        self._history_ns = round(history * 1e9)

    def put(self, section: str, value: Mapping[str, Any]) -> None:
        """Show this from now on, in place of what the section showed.

        Raises:
            EdgeAIError: there is no such section.
        """
        if section not in SECTIONS:
            raise EdgeAIError("section of the dashboard", got=repr(section), wanted=" or ".join(SECTIONS))
        now = self._clock.steady_ns()
        with self._lock:
            self._version += 1
            self._entries[section] = Entry(value, now, self._version)
            if section == "system":
                self._plot(now, value)

    def picture(self, provider: Provider | None) -> None:
        """Say where pictures come from.

        Args:
            provider: gives a JPEG file newer than the one before, or None when there is none; may wait a second for
                one. Called from one thread at a time, and only while somebody looks. None: there are no pictures.
        """
        self._provider = provider

    @property
    def provider(self) -> Provider | None:
        """Where pictures come from."""
        return self._provider

    def since(self, version: int) -> tuple[dict[str, Entry], int]:
        """The sections put after a version, 0 for all, and the version to ask with next time."""
        with self._lock:
            changed = {name: entry for name, entry in self._entries.items() if entry.version > version}
            return changed, self._version

    def age(self, entry: Entry) -> float:
        """Seconds since a section was put."""
        return (self._clock.steady_ns() - entry.steady_ns) / 1e9

    def history(self) -> dict[str, list[float | None]]:
        """The points of the plots, oldest first: "ago" in seconds before now, then a list for each name plotted."""
        now = self._clock.steady_ns()
        with self._lock:
            points = [point for point in self._points if now - point[0] <= self._history_ns]
        columns = zip(*(values for _, values in points), strict=True) if points else [()] * len(PLOTTED + SHARES)
        named = {name: list(column) for name, column in zip(PLOTTED + SHARES, columns, strict=True)}
        return {"ago": [(now - at) / 1e9 for at, _ in points], **named}

    def _plot(self, now: int, system: Mapping[str, Any]) -> None:
        if self._points and now - self._points[-1][0] < _LEAST_STEP * 1e9:
            return
        readings = system.get("readings", {})
        routing = self._entries["routing"].value if "routing" in self._entries else {}
        values = (*(readings.get(name) for name in PLOTTED), *(routing.get(name) for name in SHARES))
        self._points.append((now, values))
