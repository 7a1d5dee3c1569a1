"""A few threads that do newest-first work: what does not fit is dropped, the oldest first."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

_log = logging.getLogger(__name__)
Job = Callable[[], None]


class WorkerPool:
    """Runs jobs in order. Jobs that wait are dropped for newer ones; urgent ones come first and are never dropped.

    Args:
        name: of the threads.
        threads: how many, started with the first job.
        backlog: jobs that may wait.
    """

    def __init__(self, name: str, threads: int, backlog: int) -> None:
        self._name, self._most, self._backlog = name, threads, backlog
        self._ready = threading.Condition()
        self._urgent: deque[Job] = deque()
        self._waiting: deque[tuple[Job, Job]] = deque()
        self._threads: list[threading.Thread] = []
        self._closed = False

    def submit(self, job: Job, dropped: Job) -> bool:
        """Leave a job; False if the pool is closed.

        Args:
            job: to be run.
            dropped: called instead, from any thread, if a newer job takes its place.
        """
        out: list[Job] = []
        with self._ready:
            if self._closed:
                return False
            self._start()
            self._waiting.append((job, dropped))
            while len(self._waiting) > self._backlog:
                out.append(self._waiting.popleft()[1])
            self._ready.notify()
        for told in out:
            _guarded(told)
        return True

    def urgent(self, job: Job) -> bool:
        """Leave a job that comes before all others; False if the pool is closed."""
        with self._ready:
            if self._closed:
                return False
            self._start()
            self._urgent.append(job)
            self._ready.notify()
        return True

    def close(self) -> None:
        """Let running jobs end and forget those that wait; they are told. Harmless twice."""
        with self._ready:
            self._closed = True
            out = [dropped for _, dropped in self._waiting]
            self._waiting.clear()
            threads, self._threads = self._threads, []
            self._ready.notify_all()
        for told in out:
            _guarded(told)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join()

    def _start(self) -> None:
        if not self._threads:
            self._threads = [
                threading.Thread(target=self._run, name=f"{self._name}-{i}", daemon=True) for i in range(self._most)
            ]
            for thread in self._threads:
                thread.start()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            _guarded(job)
            del job  # what it holds must not live until the next one comes

    def _next(self) -> Job | None:
        with self._ready:
            self._ready.wait_for(lambda: self._urgent or self._waiting or self._closed)
            if self._urgent:
                return self._urgent.popleft()
            return self._waiting.popleft()[0] if self._waiting else None


def _guarded(job: Job) -> None:
    try:
        job()
    except Exception:
        _log.exception("a job failed")
