"""Questions to services and drivers that may never answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, question: Callable[[], T]) -> T:
    """The answer, or what the question raises; asked in a thread that is left behind when it takes too long.

    Raises:
        TimeoutError: there was no answer in time.
    """
    answers: list[T] = []
    failures: list[Exception] = []

    def work() -> None:
        try:
            answers.append(question())
        except Exception as error:  # handed to the caller below
            failures.append(error)

    thread = threading.Thread(target=work, name="within", daemon=True)
    thread.start()
    thread.join(seconds)
    if failures:
        raise failures[0]
    if not answers:
        raise TimeoutError(f"no answer within {seconds:g} s")
    return answers[0]
