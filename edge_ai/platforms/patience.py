"""Questions to services and drivers that may never answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TypeVar

T = TypeVar("T")


def asked(question: Callable[[], T]) -> Future[T]:
    """The answer to come, or what the question raises; asked in a thread that the process does not wait for."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(question())
        except Exception as error:  # handed to whoever takes the answer
            future.set_exception(error)

    threading.Thread(target=work, name="question", daemon=True).start()
    return future


def within(seconds: float, question: Callable[[], T]) -> T:
    """The answer, or what the question raises; its thread is left behind when it takes too long.

    Raises:
        TimeoutError: there was no answer in time.
    """
    return answer(asked(question), seconds)


def answer(future: Future[T], seconds: float) -> T:
    """The answer, or what the question raised, once it is there.

    Raises:
        TimeoutError: it was not there in time.
    """
    try:
        return future.result(seconds)
    except FutureTimeoutError:
        if future.done():  # the question itself met a time limit
            raise
        raise TimeoutError(f"no answer within {seconds:g} s") from None
