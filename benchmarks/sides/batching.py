"""Our batcher in front of an engine: how long items take under a load, and what the batcher adds to an engine."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Any

import numpy as np

from benchmarks.figures import median
from benchmarks.sides.engines import Engine
from benchmarks.sides.paced import follow, overhead_answer
from benchmarks.sides.serve import Task, serve
from edge_ai.batching.adaptive import AdaptivePolicy
from edge_ai.batching.batcher import Batcher
from edge_ai.batching.policy import BatchPolicy, FixedPolicy
from edge_ai.batching.ticket import Ticket
from edge_ai.realtime.process import prepare_process

MOST = 32


class Batching(AbstractContextManager["Batching"]):
    """One engine and a batcher for each policy asked for, of which one works at a time.

    Args:
        setup: ``model``, an ONNX file.
    """

    def __init__(self, setup: Task) -> None:
        prepare_process()
        self._engine = Engine(setup["model"], MOST)
        self._item = self._engine.item()
        self._batchers: dict[str, Batcher[Any, Any]] = {}
        self._open = ExitStack()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def measure(self, task: Task) -> dict[str, Any]:
        """Do what the task's ``kind`` says: "curve", "load" or "overhead"."""
        works = {"curve": self._curve, "load": self._load, "overhead": self._overhead}
        return works[task["kind"]](task)

    def _curve(self, task: Task) -> dict[str, Any]:
        """Median seconds of an inference for each of the ``sizes``, in turns for ``seconds`` in all."""
        times: dict[int, list[float]] = {size: [] for size in task["sizes"]}
        end = time.perf_counter() + task["seconds"]
        while time.perf_counter() < end:
            for size, taken in times.items():
                began = time.perf_counter()
                self._engine.run([self._item] * size)
                taken.append(time.perf_counter() - began)
        return {"curve": {size: median(taken) for size, taken in times.items()}}

    def _load(self, task: Task) -> dict[str, Any]:
        """Items at random times (Poisson) at a ``rate``, for ``seconds`` after ``warm`` seconds.

        Args:
            task: besides these the ``policy``, the ``seed`` of the times, and the ``deadline`` of each item in seconds
                after it was due to be sent, or None.

        Returns:
            ``times`` from when an item was due to be sent to its result, in seconds, of those that had one; how many
            were ``sent``; how many results came ``in_time``; batches by ``sizes``.
        """
        batcher, allowed = self._batcher(task["policy"]), task["deadline"]
        length = task["warm"] + task["seconds"]
        random = np.random.default_rng(task["seed"])
        due = np.cumsum(random.exponential(1 / task["rate"], round(1.5 * task["rate"] * length) + 10))
        due = due[due < length]
        ended: list[tuple[float, float | None]] = []
        gone = threading.Semaphore(0)
        before = batcher.counts.batches

        def send(index: int, at: float) -> None:
            deadline = None if allowed is None else round((at + allowed) * 1e9)

            def done(ticket: Ticket[Any, Any]) -> None:
                ended.append((at, time.monotonic() - at if ticket.state == "done" else None))
                gone.release()

            batcher.submit(self._item, deadline_ns=deadline, on_done=done)

        began = follow(due.tolist(), send)
        for _ in due:
            gone.acquire()
        judged = [took for at, took in ended if at - began >= task["warm"]]
        times = [took for took in judged if took is not None]
        return {
            "times": times,
            "sent": len(judged),
            "in_time": sum(allowed is None or took <= allowed for took in times),
            "sizes": dict(batcher.counts.batches - before),
        }

    def _overhead(self, task: Task) -> dict[str, Any]:
        """Items at a steady ``rate``, to the engine "directly" or through a ``policy``; see `overhead_answer`."""
        if task["policy"] == "directly":

            def direct(index: int, at: float) -> None:
                began = time.monotonic()
                self._engine.run([self._item])
                times.append(time.monotonic() - began)

            return overhead_answer(task, direct, times := [])
        batcher = self._batcher(task["policy"])

        def through(index: int, at: float) -> None:
            began = time.monotonic()
            batcher.submit(self._item, on_done=lambda ticket: times.append(time.monotonic() - began))

        return overhead_answer(task, through, times := [])

    def _batcher(self, policy: list[Any]) -> Batcher[Any, Any]:
        """The batcher of a policy; an adaptive one keeps what it has learnt from turn to turn."""
        key = repr(policy)
        if key not in self._batchers:
            batcher = Batcher(lambda: self._engine.run, _policy(policy), capacity=1_000_000)
            batcher.start()
            self._open.callback(batcher.stop)
            self._batchers[key] = batcher
        return self._batchers[key]


def _policy(policy: list[Any]) -> BatchPolicy:
    kind, *arguments = policy
    return AdaptivePolicy(*arguments) if kind == "adaptive" else FixedPolicy(*arguments)


if __name__ == "__main__":
    serve(Batching)
    sys.exit(0)
