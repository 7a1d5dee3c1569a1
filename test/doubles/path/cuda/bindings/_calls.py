"""How these bindings answer: a tuple whose first member is the error; nothing is raised for a failed call."""

from __future__ import annotations

import enum
import functools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from edge_ai_doubles import state
from edge_ai_doubles.errors import CudaError

LAST = threading.local()


class Handle:
    """A typed handle, such as a stream."""

    def __init__(self, init_value: int = 0) -> None:
        self._value = int(init_value)

    def __int__(self) -> int:
        return self._value

    __index__ = __int__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Handle) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._value:#x}>"


def answering(errors: type[enum.IntEnum], outputs: int, alive: bool = True) -> Callable[..., Any]:
    """A function of the API: what it returns comes after the error, and as many None where it fails.

    Args:
        errors: the enumeration to answer with.
        outputs: how many values come after the error.
        alive: whether the call fails once the device is lost.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*arguments: Any, **named: Any) -> tuple[Any, ...]:
            with state.LOCK:
                try:
                    if alive:
                        state.check_alive()
                    value = function(*arguments, **named)
                except CudaError as error:
                    LAST.code = error.code
                    return (errors(error.code), *[None] * outputs)
            if outputs == 0:
                return (errors(0),)
            return (errors(0), *value) if outputs > 1 else (errors(0), value)

        return call

    return decorate


def address(pointer: Any) -> int:
    """The address that a number, a handle or a buffer stands for."""
    if pointer is None:
        return 0
    if isinstance(pointer, (int, np.integer, Handle)):
        return int(pointer)
    if hasattr(pointer, "getPtr"):
        return int(pointer.getPtr())
    view = memoryview(pointer)  # TypeError for what has no memory, as the real one
    return np.frombuffer(view, np.uint8).__array_interface__["data"][0] if view.nbytes else 0
