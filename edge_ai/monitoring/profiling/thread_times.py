"""Processor time of the threads of this process, those without Python, too."""

from __future__ import annotations

import os
import time
from pathlib import Path

_TASKS = Path("/proc/self/task")


def thread_ns(native_id: int) -> int | None:
    """Processor time a thread of this process has used so far, ns; None: it is gone, or this is not Linux.

    By Linux's own number for the clock of a thread: unlike pthread_getcpuclockid it is safe for one that has ended.
    """
    try:
        return time.clock_gettime_ns((~native_id << 3) | 6)
    except OSError:
        return None


def all_threads() -> dict[int, str]:
    """Names of all threads of this process by their native ids, as the kernel knows them; empty without Linux."""
    threads = {}
    for name in _listed():
        try:
            threads[int(name)] = (_TASKS / name / "comm").read_text().strip()
        except (OSError, ValueError):
            continue
    return threads


def _listed() -> list[str]:
    try:
        return os.listdir(_TASKS)
    except OSError:
        return []
