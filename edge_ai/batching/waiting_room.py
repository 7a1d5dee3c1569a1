"""Who is let in to wait for the engine, who is called next, and what became of everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic

from edge_ai.batching.counts import SourceCounts
from edge_ai.batching.fair_queue import FairQueue, Share
from edge_ai.batching.policy import BatchPolicy, Plan
from edge_ai.batching.rate_limit import RateLimit
from edge_ai.batching.ticket import In, Out, Reason, Ticket
from edge_ai.core.clock import NS

SILENCE_NS = NS
"""A source that sends only its latest and has been silent for so long is not waited for to fill a batch."""


class WaitingRoom(Generic[In, Out]):
    """The items that wait, and the rules by which they come and go.

    Not safe between threads: the batcher calls it under its lock. It counts what is dropped; telling the owners
    (`Ticket.end`) is for the batcher, once it has let go of the lock.

    Args:
        policy: how many items at once, and how long to wait for them.
        shares: what each source may have.
        capacity: items of one source that may wait.
    """

    def __init__(self, policy: BatchPolicy, shares: Mapping[str, Share], capacity: int) -> None:
        self._policy, self._capacity = policy, capacity
        self._queue: FairQueue[Ticket[In, Out]] = FairQueue(shares)
        self._limits = {source: RateLimit(share.max_rate) for source, share in shares.items() if share.max_rate}
        # When each source that sends only its latest last did, and whether there are others.
        self._heard: dict[str, int] = {}
        self._others = False
        self.counts: dict[str, SourceCounts] = {}

    def __len__(self) -> int:
        return len(self._queue)

    def has_room(self, source: str, latest: bool) -> bool:
        """Whether an item would be let in without another being dropped for it."""
        return len(self._queue.waiting(source)) < (1 if latest else self._capacity)

    def admit(self, ticket: Ticket[In, Out], latest: bool, now: int) -> Sequence[Ticket[In, Out]]:
        """Let it wait, in the place of those of its source if it is the ``latest``.

        Returns:
            What was dropped: those, or the ticket itself, or nothing.
        """
        source, limit = ticket.source, self._limits.get(ticket.source)
        if ticket.deadline_ns is not None and ticket.deadline_ns <= now + self._policy.least_ns(now):
            return self.drop([ticket], "expired")
        if not latest and not self.has_room(source, latest):
            return self.drop([ticket], "full")
        if limit is not None and not limit.allows(now):
            return self.drop([ticket], "rate")
        if not latest:
            self._others = True
            self._queue.push(source, ticket)
            self._policy.arrived(now, ticket.deadline_ns)
            return ()
        self._heard[source] = now
        replaced = self._queue.replace(source, ticket)
        if not replaced:
            self._policy.arrived(now, ticket.deadline_ns)
            return ()
        # Else a batch would wait for as long as newer items keep coming.
        ticket.since_ns = min(ticket.since_ns, replaced[0].since_ns)
        return self.drop(replaced, "replaced")

    def soonest_ns(self) -> int | None:
        """The earliest deadline of all that waits, or None."""
        return min((ticket.deadline_ns for ticket in self._queue if ticket.deadline_ns is not None), default=None)

    def plan(self, now: int) -> Plan:
        """What the policy wants, where something waits; never more than can come."""
        since = min(ticket.since_ns for ticket in self._queue.heads())
        plan = self._policy.plan(now, len(self._queue), since, self.soonest_ns())
        return plan if self._others else plan._replace(enough=min(plan.enough, self._reach(now)))

    def take(self, size: int, bound_ns: int) -> tuple[list[Ticket[In, Out]], list[Ticket[In, Out]]]:
        """Take a batch of at most ``size``; returns it and what was dropped for a deadline not after the bound."""
        batch: list[Ticket[In, Out]] = []
        late: list[Ticket[In, Out]] = []
        while len(batch) < size and self._queue:
            ticket = self._queue.pop()
            if ticket.deadline_ns is not None and ticket.deadline_ns <= bound_ns:
                late.append(ticket)
            else:
                ticket.state = "running"
                batch.append(ticket)
        if late:
            self.drop(late, "expired")
        return batch, late

    def remove(self, ticket: Ticket[In, Out]) -> bool:
        """Drop it as "cancelled"; False if it does not wait."""
        if ticket.state != "waiting":
            return False
        self._queue.remove(ticket.source, ticket)
        self.drop([ticket], "cancelled")
        return True

    def clear(self) -> Sequence[Ticket[In, Out]]:
        """Drop all that waits as "closed"; returns it."""
        return self.drop(self._queue.clear(), "closed")

    def drop(self, tickets: Sequence[Ticket[In, Out]], reason: Reason) -> Sequence[Ticket[In, Out]]:
        """Count tickets that do not wait any more; returns them."""
        for ticket in tickets:
            # No longer "waiting", so that nobody cancels it as well before its owner is told.
            ticket.state, ticket.reason = "running", reason
            self.counts[ticket.source].dropped[reason] += 1
        return tickets

    def _reach(self, now: int) -> int:
        """How many items can wait at most where every source sends only its latest."""
        return max(1, sum(now - heard < SILENCE_NS for heard in self._heard.values()))
