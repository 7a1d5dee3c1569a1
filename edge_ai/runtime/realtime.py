"""Settings of the interpreter that make its threads prompt."""

from __future__ import annotations

import sys

_SWITCH_INTERVAL = 0.0005


def prompt_threads() -> None:
    """Let a thread that waits for the interpreter have it within half a millisecond.

    Python's default is 5 ms: that is how long decoding one result may keep the next inference from starting. Applies to
    the whole process, so only a program's entry point calls it.
    """
    sys.setswitchinterval(_SWITCH_INTERVAL)
