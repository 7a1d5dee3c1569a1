"""All that one process holds of the pretended GPU, and the lock around it."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Any

from edge_ai_doubles import settings
from edge_ai_doubles.errors import INVALID_DEVICE, NO_DEVICE, CudaError

if TYPE_CHECKING:
    from edge_ai_doubles.memory import Block

LOCK = threading.RLock()


class State:
    """Memory, streams, contexts and lasting errors of one process."""

    def __init__(self) -> None:
        self.blocks: dict[int, Block] = {}
        self.used = 0  # bytes of the GPU's memory
        self.lost = 0  # the error that every call answers from now on
        self.executions = 0
        self.copies = 0
        self.deserialized = 0
        self.calibrated: list[list[float]] = []
        self.handles: dict[int, Any] = {}  # streams, events, graphs, contexts
        self.primary: dict[int, Any] = {}  # device: context
        self.numbers = itertools.count(1)
        self.initialised = False  # cuInit was called
        self.local = threading.local()  # the stack of contexts and the device of each thread


NOW = State()


def reset() -> None:
    """As in a new process: nothing allocated, no context, no error."""
    with LOCK:
        NOW.__init__()  # type: ignore[misc]


def handle(thing: Any, kind: int) -> int:
    """A number by which the thing can be found; numbers are never used twice.

    Args:
        thing: what to keep.
        kind: tells the numbers of streams from those of events and so on.
    """
    number = 0x5500_0000_0000 + (kind << 32) + 0x100 * next(NOW.numbers)
    NOW.handles[number] = thing
    return number


def check_device(ordinal: int | None = None) -> None:
    """Raise unless there is such a device and it still works."""
    if settings.fault("no_device") or settings.gpu().devices < 1:
        raise CudaError(NO_DEVICE)
    if ordinal is not None and not 0 <= ordinal < settings.gpu().devices:
        raise CudaError(INVALID_DEVICE)


def check_alive() -> None:
    """Raise the lasting error, if there is one: what a faulty kernel leaves can only be mended by a new process."""
    if NOW.lost:
        raise CudaError(NOW.lost)


def lose(code: int) -> None:
    """From now on every call fails with this error."""
    NOW.lost = NOW.lost or code
