"""Brings items of many sources together into batches for one engine, and its results back to who asked."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Generic

from edge_ai.batching.counts import BatchCounts, SourceCounts
from edge_ai.batching.fair_queue import Share
from edge_ai.batching.policy import BatchPolicy, Plan
from edge_ai.batching.ticket import In, Out, Ticket
from edge_ai.batching.waiting_room import WaitingRoom
from edge_ai.core.clock import NS, Clock, SystemClock
from edge_ai.core.errors import InferenceError, ParameterError

Runner = Callable[[Sequence[In]], Sequence[Out]]
"""Runs a batch; returns an output for each item, in their order."""

log = logging.getLogger(__name__)


class Batcher(Generic[In, Out]):
    """Runs items in batches on worker threads; which ones next, `FairQueue` says, and how many, the policy.

    One worker at a time gathers a batch while others run theirs. A batch that fails is run again item by item, so that
    a bad item fails alone. A source that sends nothing, or whose callback raises, holds nobody up.

    Args:
        make_runner: called once on each worker, so that each has buffers of its own.
        policy: how many items at once, and how long to wait for them.
        workers: batches in work at once.
        shares: what each source may have; one not named has `Share`'s defaults.
        clock: tells the time; default: the machine's.
        name: of the threads.
        capacity: items of one source that may wait; more are dropped as "full".
        refresh: called by a worker before it looks for its next batch, to submit what is newest just then. It must not
            block.
    """

    def __init__(
        self,
        make_runner: Callable[[], Runner[In, Out]],
        policy: BatchPolicy,
        *,
        workers: int = 1,
        shares: Mapping[str, Share] | None = None,
        clock: Clock | None = None,
        name: str = "infer",
        capacity: int = 64,
        refresh: Callable[[], None] | None = None,
    ) -> None:
        if workers < 1 or capacity < 1:
            raise ParameterError(
                "a batcher", got=f"{workers} workers and room for {capacity} items", wanted="at least 1 of each"
            )
        self._make_runner, self._policy, self._refresh = make_runner, policy, refresh
        self._idle = threading.Event()
        self._now_ns = (clock or SystemClock()).steady_ns
        lock = threading.RLock()
        self._ready, self._taken = threading.Condition(lock), threading.Condition(lock)
        self._turn = threading.Lock()
        self._room: WaitingRoom[In, Out] = WaitingRoom(policy, shares or {}, capacity)
        self._batches: Counter[int] = Counter()
        self._retried = 0
        # The worker that gathers wants to be woken for so many items, or for a deadline before this one.
        self._enough, self._soonest = 1, 0
        self._closed = False
        self._faults: list[Exception] = []
        self._made = threading.Semaphore(0)
        self._threads = [threading.Thread(target=self._work, name=f"{name}-{i}", daemon=True) for i in range(workers)]

    def start(self) -> None:
        """Begin, once every worker has its runner; call once.

        Raises:
            Exception: what ``make_runner`` raised; the batcher is stopped then.
        """
        for thread in self._threads:
            thread.start()
        for _ in self._threads:
            self._made.acquire()
        if self._faults:
            self.stop()
            raise self._faults[0]

    def stop(self) -> None:
        """End all workers after the batches they are at; what waits is dropped as "closed"."""
        with self._ready:
            self._closed = True
            self._idle.set()
            left = self._room.clear()
            self._ready.notify_all()
            self._taken.notify_all()
        for ticket in left:
            ticket.end("dropped")
        for thread in self._threads:
            if thread.ident is not None and thread is not threading.current_thread():
                thread.join()

    def submit(
        self,
        item: In,
        *,
        source: str = "",
        deadline_ns: int | None = None,
        latest: bool = False,
        patience: float = 0.0,
        on_done: Callable[[Ticket[In, Out]], None] | None = None,
    ) -> Ticket[In, Out]:
        """Hand in an item; returns at once unless patient.

        Args:
            item: what to run.
            source: whose it is.
            deadline_ns: steady time by which the result must be there; an item that cannot make it is not run.
            latest: take the place of an item of this source that still waits, instead of waiting behind it.
            patience: seconds to let what waits go first, where it would be replaced or leaves no room.
            on_done: called exactly once with the ticket when it has ended, whatever became of it: on the worker right
                after its batch, where outputs that lie in the runner's own buffers are still good; if it is dropped,
                on the thread that drops it, possibly before this returns.

        Returns:
            Its ticket.
        """
        ticket = Ticket(item, source, self._now_ns(), deadline_ns, on_done, self._cancel)
        with self._ready:
            if patience > 0 and not self._room.has_room(source, latest):
                self._taken.wait_for(lambda: self._closed or self._room.has_room(source, latest), patience)
                ticket.since_ns = self._now_ns()
            counts = self._room.counts.get(source)
            if counts is None:
                counts = self._room.counts[source] = SourceCounts()
            counts.submitted += 1
            if self._closed:
                dropped = self._room.drop([ticket], "closed")
            else:
                dropped = self._room.admit(ticket, latest, ticket.since_ns)
            if len(self._room) >= self._enough or (deadline_ns is not None and deadline_ns < self._soonest):
                self._ready.notify()
        for other in dropped:
            other.end("dropped")
        return ticket

    def wait_idle(self, timeout: float) -> bool:
        """Wait until a worker has nothing to do; False after so many seconds. A stopped batcher is idle."""
        return self._idle.wait(timeout)

    @property
    def waiting(self) -> int:
        """Items that wait."""
        return len(self._room)

    @property
    def counts(self) -> BatchCounts:
        """What became of the items so far."""
        with self._ready:
            sources = {source: counts.copy() for source, counts in self._room.counts.items()}
            return BatchCounts(sources, Counter(self._batches), self._retried)

    def _cancel(self, ticket: Ticket[In, Out]) -> bool:
        with self._ready:
            if not self._room.remove(ticket):
                return False
            self._taken.notify_all()
        ticket.end("dropped")
        return True

    def _work(self) -> None:
        try:
            run = self._make_runner()
        except Exception as error:
            self._faults.append(error)
            return
        finally:
            self._made.release()
        while not self._closed:
            self._look_around()
            with self._turn:
                batch, late = self._gather()
            for ticket in late:
                ticket.end("dropped")
            if batch:
                self._run(run, batch)

    def _look_around(self) -> None:
        if self._refresh is not None:
            try:
                self._refresh()
            except Exception:
                log.exception("looking for the newest items failed")

    def _gather(self) -> tuple[list[Ticket[In, Out]], list[Ticket[In, Out]]]:
        """Wait for a batch; returns it and what has come too late to be in it. Both are empty once closed."""
        single = self._policy.max_size == 1
        with self._ready:
            while not self._closed:
                waiting = len(self._room)
                if not waiting:
                    self._enough = 1
                    self._idle.set()
                    self._ready.wait()
                    continue
                self._idle.clear()
                now = self._now_ns()
                plan = Plan(1, 1, now, self._policy.least_ns(now)) if single else self._room.plan(now)
                if waiting < plan.enough and now < plan.until_ns:
                    self._enough, self._soonest = plan.enough, self._room.soonest_ns() or plan.until_ns
                    self._ready.wait((plan.until_ns - now) / NS)
                    continue
                taken = self._room.take(plan.size, now + plan.takes_ns)
                self._taken.notify_all()
                return taken
        return [], []

    def _run(self, run: Runner[In, Out], batch: Sequence[Ticket[In, Out]]) -> None:
        began = self._now_ns()
        try:
            outputs = run([ticket.item for ticket in batch])
            if len(outputs) != len(batch):
                raise InferenceError("a batch", got=f"{len(outputs)} outputs", wanted=f"{len(batch)}")
        except Exception as error:
            self._fail(run, batch, error)
            return
        now = self._now_ns()
        with self._ready:
            self._batches[len(batch)] += 1
            self._policy.ran(len(batch), now - began, now)
            for ticket in batch:
                self._room.counts[ticket.source].processed += 1
        for ticket, output in zip(batch, outputs, strict=True):
            ticket.output = output
            ticket.end("done")
        try:
            self._policy.tune()
        except Exception:
            log.exception("the policy of batching did not tune itself; it goes on as it was")

    def _fail(self, run: Runner[In, Out], batch: Sequence[Ticket[In, Out]], error: Exception) -> None:
        alone = batch[0] if len(batch) == 1 else None
        with self._ready:
            self._batches[len(batch)] += 1
            if alone is None:
                self._retried += 1
            else:
                self._room.counts[alone.source].failed += 1
        if alone is not None:
            alone.error = error
            alone.end("failed")
            return
        log.warning("a batch of %d failed and is run item by item: %s", len(batch), error)
        for ticket in batch:
            self._run(run, [ticket])
