"""What `edge-ai run` shows on the screen, and writes to a file."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge_ai.capture.status import CaptureState, CaptureStatus
from edge_ai.control.command import Command
from edge_ai.core.clock import NS, Clock
from edge_ai.core.types import Frame, Result
from edge_ai.watched.watcher import Watcher

_WIDTH = 100
_PERIOD, _PLAIN_PERIOD, _WINDOW = (
    0.2,
    2.0,
    3.0,
)  # s between lines on a terminal, elsewhere; of the rate


class Show(Watcher):
    """Prints one line that keeps itself up to date, with warnings above it, and writes the file.

    Args:
        out: JSON lines of results and commands; None: no file.
        clock: as the robot's.

    Attributes:
        commands: seen so far.
        failed: the camera gave up.
    """

    def __init__(self, out: Path | None, clock: Clock) -> None:
        self._clock = clock
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._file = out.open("w") if out else None
        self._shown = 0.0
        self._terminal = sys.stdout.isatty()
        self._results: deque[float] = deque()
        self._found = 0
        self.commands = 0
        self.failed = False

    def result(self, result: Result, frame: Frame) -> None:
        self._results.append(time.monotonic())
        self._found = len(result.detections)
        found = result.detections
        self._write(
            frame=frame.header.index,
            stamp=frame.header.stamp_ns / NS,
            source=result.source,
            boxes=found.boxes.astype(float).round(2).tolist(),
            scores=found.scores.astype(float).round(4).tolist(),
            classes=[found.name(i) for i in range(len(found))],
        )

    def command(self, command: Command) -> None:
        self.commands += 1
        velocity = command.velocity
        self._write(command=[velocity.linear, velocity.angular], state=command.state.name, reason=command.reason)
        now = time.monotonic()
        if now - self._shown < (_PERIOD if self._terminal else _PLAIN_PERIOD):
            return
        self._shown = now
        age = "-" if command.age_s is None else f"{command.age_s * 1e3:.0f} ms"
        while self._results and now - self._results[0] > _WINDOW:
            self._results.popleft()
        rate = len(self._results) / _WINDOW
        line = (
            f"{rate:5.1f} results/s, {self._found:2d} found, age {age:>7}, {command.state.name}: "
            f"{velocity.linear:+.2f} m/s {velocity.angular:+.2f} rad/s"
        )
        sys.stdout.write(f"\r{line:<{_WIDTH}}" if self._terminal else f"{line}\n")
        sys.stdout.flush()

    def camera(self, status: CaptureStatus) -> None:
        if status.state in (CaptureState.ENDED, CaptureState.FAILED):
            self.failed = status.state is CaptureState.FAILED
            if self.failed:
                sys.stderr.write(f"\nerror: camera: {status.detail}\n")
            self._done.set()

    def wait(self, seconds: float) -> None:
        """Wait for the end of the camera, or so long; 0: for ever."""
        self._done.wait(seconds or None)

    def close(self) -> None:
        """Write the file to its end."""
        if self._file is not None:
            self._file.close()

    def _write(self, **values: Any) -> None:
        if self._file is not None:
            with self._lock:
                self._file.write(json.dumps(values) + "\n")


@contextmanager
def logged_above() -> Iterator[None]:
    """Show what is logged above the line that keeps itself up to date: warnings, how the robot fared, new models."""
    handler, ours = _Above(), logging.getLogger("edge_ai")
    levels = {logging.getLogger(name): logging.INFO for name in ("edge_ai.monitoring", "edge_ai.runtime.swap")}
    before = {logger: logger.level for logger in levels}
    ours.addHandler(handler)
    _set(levels)
    try:
        yield
    finally:
        _set(before)
        ours.removeHandler(handler)


def _set(levels: Mapping[logging.Logger, int]) -> None:
    for logger, level in levels.items():
        logger.setLevel(level)


class _Above(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        words = self.format(record)
        if record.levelno >= logging.WARNING:
            words = f"{record.levelname.lower()}: {words}"
        sys.stderr.write(f"\r{words:<{_WIDTH}}\n")
        sys.stderr.flush()
