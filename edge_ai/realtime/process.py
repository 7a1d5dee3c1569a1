"""What every program of ours that sees and acts sets first, whatever its parameters."""

from __future__ import annotations

import sys

from edge_ai.realtime.heap import keep_freed_memory

_SWITCH_INTERVAL = 0.0005


def prepare_process() -> None:
    """Make threads prompt and keep the memory of images. Applies to the whole process: for entry points only."""
    prompt_threads()
    keep_freed_memory()


def prompt_threads() -> None:
    """Let a thread that waits for the interpreter have it within half a millisecond.

    Python's default is 5 ms: that is how long decoding one result may keep the next inference from starting.
    """
    sys.setswitchinterval(_SWITCH_INTERVAL)
