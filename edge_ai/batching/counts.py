"""What became of the items a batcher was given."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class SourceCounts:
    """Items of one source.

    Attributes:
        submitted: all of them; whatever is none of the following still waits or runs.
        processed: have a result.
        failed: their inference failed.
        dropped: by reason; see `edge_ai.batching.ticket.Reason`.
    """

    submitted: int = 0
    processed: int = 0
    failed: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def copy(self) -> SourceCounts:
        """The same counts, which stay as they are."""
        return SourceCounts(self.submitted, self.processed, self.failed, Counter(self.dropped))


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """Items and batches since the start.

    Attributes:
        sources: what became of the items, by source.
        batches: batches that ran, by size; those that failed and the single items run after them included.
        retried: batches that failed as a whole, whose items were then run one by one.
    """

    sources: dict[str, SourceCounts]
    batches: Counter[int]
    retried: int

    @property
    def submitted(self) -> int:
        """Items of all sources."""
        return sum(source.submitted for source in self.sources.values())

    @property
    def processed(self) -> int:
        """Items with a result."""
        return sum(source.processed for source in self.sources.values())

    @property
    def failed(self) -> int:
        """Items whose inference failed."""
        return sum(source.failed for source in self.sources.values())

    @property
    def dropped(self) -> Counter[str]:
        """Items dropped, by reason."""
        return sum((source.dropped for source in self.sources.values()), Counter())
