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


def thread_ids() -> list[int]:
    """The kernel's numbers of all threads of this process; empty without Linux."""
    try:
        return [int(name) for name in os.listdir(_TASKS) if name.isdigit()]
    except OSError:
        return []


def thread_name(native_id: int) -> str:
    """Its name as the kernel knows it; empty if it is gone."""
    try:
        return (_TASKS / str(native_id) / "comm").read_text(errors="replace").strip()
    except OSError:
        return ""
