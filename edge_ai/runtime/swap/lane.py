"""A thread for calls that may never return: who asks waits no longer than it wants to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

from edge_ai.core.errors import InferenceError

T = TypeVar("T")


class HungError(InferenceError):
    """A call has not returned in its time."""


class Lane:
    """Runs calls one after the other, on a thread of its own that holds up no end of the process.

    A call that hangs cannot be ended; what it says later is thrown away, and the lane takes no other one.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        self._answer: Future[Any] | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        self.hung = False

    def call(self, what: str, work: Callable[[], T], timeout: float) -> T:
        """What ``work`` returns or raises.

        Args:
            what: the call, for messages.
            work: called on the lane's thread.
            timeout: seconds to wait for it.

        Raises:
            HungError: it has not returned by then, or a call before it has not, or `give_up` was called.
        """
        answer: Future[T] = Future()
        self._answer = answer
        if self.hung:
            raise HungError(what, got="a call before it that still hangs")
        self._calls.put((work, answer))
        try:
            return answer.result(timeout)
        except FutureTimeoutError:
            if answer.done():  # just now, or it raised one itself
                return answer.result()
            self.hung = True
            raise HungError(what, got="no end", wanted=f"one within {timeout:.3g} s") from None
        finally:
            self._answer = None  # what it holds must not live until the next one comes

    def give_up(self) -> None:
        """Let whoever waits for the call under way wait no longer: it counts as one that hangs. From any thread."""
        self.hung = True
        answer = self._answer
        if answer is not None:
            with suppress(InvalidStateError):  # it has just returned
                answer.set_exception(HungError("a call", got="no end", wanted="one before it was given up"))

    def close(self) -> None:
        """End the thread after the call under way; returns at once. Harmless twice."""
        self._calls.put(None)

    def join(self) -> None:
        """Wait until a closed lane has ended: for ever, if a call hangs for ever."""
        self._thread.join()

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            work, answer = call
            with suppress(InvalidStateError):  # it was given up
                try:
                    answer.set_result(work())
                except BaseException as error:
                    answer.set_exception(error)
            del call, work, answer  # what they hold must not live until the next one comes
