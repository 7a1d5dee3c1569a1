"""The asyncio loop on which all clients of servers run: one thread for the whole process, while there is a client."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from edge_ai.routing.cloud.base import CloudAnswerError, CloudError, CloudTimeoutError, CloudUnreachableError

T = TypeVar("T")
_log = logging.getLogger(__name__)
_CLOSING = 2.0


class Task(Generic[T]):
    """A coroutine under way on the loop, with a deadline that holds even if the coroutine does not notice.

    Args:
        done: gets the outcome or the error, once; not after a `cancel`.
        ended: is told once when it is over, whichever way.
        what: for the words of errors.
    """

    def __init__(
        self,
        done: Callable[[T | CloudError], None],
        ended: Callable[[Task[T]], None] | None = None,
        what: str = "request",
    ) -> None:
        self._lock = threading.Lock()
        self._done: Callable[[T | CloudError], None] | None = done
        self._ended, self._what = ended, what
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def cancel(self) -> None:
        """Give it up; its connection is freed. Harmless when it has ended."""
        if self._claim() is not None and self._loop is not None:
            hand(self._loop, self._stop)

    def finish(self, outcome: T | CloudError) -> None:
        """Hand over an outcome, unless there was one before."""
        done = self._claim()
        if done is None:
            return
        try:
            done(outcome)
        except Exception:
            _log.exception("a callback of a client failed")

    def abort(self, error: CloudError) -> None:
        """End it with an error, from any thread."""
        self.finish(error)
        if self._loop is not None:
            hand(self._loop, self._stop)

    def start(self, loop: asyncio.AbstractEventLoop, work: Callable[[], Awaitable[T]], due: float) -> None:
        """Begin, on the loop's thread; ``due`` is the loop's time when it must have ended."""
        self._loop = loop
        if self._done is None:
            return
        self._timer = loop.call_at(due, self._expire)
        self._task = loop.create_task(self._run(work))

    def _claim(self) -> Callable[[T | CloudError], None] | None:
        with self._lock:
            done, self._done = self._done, None
        if done is not None and self._ended is not None:
            self._ended(self)
        return done

    async def _run(self, work: Callable[[], Awaitable[T]]) -> None:
        outcome: T | CloudError
        try:
            outcome = await work()
        except CloudError as error:
            outcome = error
        except asyncio.CancelledError:
            outcome = CloudUnreachableError(self._what, got="the client was closed before its answer came")
        except Exception as error:
            _log.exception("a request failed in a way nobody foresaw")
            outcome = CloudAnswerError(self._what, got=f"{type(error).__name__}: {error}")
        if self._timer is not None:
            self._timer.cancel()
        self.finish(outcome)

    def _expire(self) -> None:
        self.finish(CloudTimeoutError(self._what, got="no answer in time"))
        self._stop()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()


class Loop:
    """The process's loop, shared by its users. Thread-safe.

    There is only one, since gRPC's asyncio cannot do with several in one process; it ends with its last user.
    """

    _lock = threading.Lock()
    _shared: Loop | None = None

    def __init__(self) -> None:
        self._users = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._work, name="cloud-clients", daemon=True)
        self._thread.start()

    @classmethod
    def acquire(cls) -> Loop:
        """The loop, started if there is none."""
        with cls._lock:
            if cls._shared is None:
                cls._shared = Loop()
            cls._shared._users += 1
            return cls._shared

    def release(self) -> None:
        """Say that one user is gone; the last one waits for the thread's end."""
        cls = type(self)
        with cls._lock:
            self._users -= 1
            if self._users:
                return
            cls._shared = None
        hand(self._loop, self._loop.stop)
        if threading.current_thread() is not self._thread:
            self._thread.join(2 * _CLOSING)

    def start(self, task: Task[T], work: Callable[[], Awaitable[T]], timeout: float) -> None:
        """Run a coroutine as a task; returns at once and never raises.

        Args:
            task: not started yet.
            work: makes the coroutine.
            timeout: seconds from now until the task ends with a CloudTimeoutError.
        """
        due = self._loop.time() + timeout
        if not hand(self._loop, task.start, self._loop, work, due):
            task.finish(CloudUnreachableError("request", got="a client that is closed"))

    def _work(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._wind_up())
        finally:
            asyncio.set_event_loop(None)
            self._loop.close()

    async def _wind_up(self) -> None:
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=_CLOSING)
        await self._loop.shutdown_asyncgens()


def wait(begin: Callable[[Callable[[T | CloudError], None]], Task[T]], timeout: float) -> T:
    """Begin something and wait for it, on any thread but the loop's.

    Args:
        begin: gets the callback and begins.
        timeout: seconds in which it ends by itself.

    Raises:
        CloudError: it ended with one.
    """
    ended = threading.Event()
    outcomes: list[T | CloudError] = []

    def done(outcome: T | CloudError) -> None:
        outcomes.append(outcome)
        ended.set()

    task = begin(done)
    if not ended.wait(timeout + _CLOSING):
        task.cancel()
        raise CloudTimeoutError("request", got=f"no answer within {timeout:.3f} s")
    outcome = outcomes[0]
    if isinstance(outcome, CloudError):
        raise outcome
    return outcome


def hand(loop: asyncio.AbstractEventLoop, function: Callable[..., object], *args: Any) -> bool:
    """Let the loop's thread call a function; False if the loop is closed."""
    try:
        loop.call_soon_threadsafe(function, *args)
    except RuntimeError:
        return False
    return True
