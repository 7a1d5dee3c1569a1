"""The last seconds of all messages, in bounded memory."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile

from edge_ai.core.clock import NS

OVERHEAD = 400
"""Bytes that a message takes in memory besides its data."""
_SWEEP_NS = NS // 4
_AT_ONCE = 256
"""Messages after which others get their turn with the lock; they wait less than a millisecond."""


@dataclass(slots=True)
class Entry:
    """One message.

    Attributes:
        number: counts all messages, so that their order is known.
        steady_ns: when it came, on the steady clock.
        stamp_ns: where it stands in a file, ROS time.
        topic, schema, data: as for `FlightRecorder.put`.
        published_ns: when it was published, ROS time.
        lasting: it holds until the next one; kept elsewhere.
        written: it is in a file.
    """

    number: int
    steady_ns: int
    stamp_ns: int
    topic: str
    schema: str
    data: bytes
    published_ns: int = 0
    lasting: bool = False
    written: bool = False

    @property
    def size(self) -> int:
        """Bytes it takes in memory."""
        return len(self.data) + OVERHEAD


@dataclass(slots=True)
class _Lane:
    """One topic: what need not be written, and then what waits to be, each in the order of arrival."""

    kept: deque[Entry] = field(default_factory=deque)
    waiting: deque[Entry] = field(default_factory=deque)
    size: int = 0


class Ring:
    """Not safe for several threads; `FlightRecorder` locks.

    Where memory is short, the oldest messages of the topic that takes most of it go first: pictures become fewer, and
    the commands of the same time stay.

    Args:
        max_bytes: how much memory they may take.

    Attributes:
        size: bytes that they take.
        lost: how many are in no memory and no file though they should be, by topic.
        missing: how many are not in the recording under way, by topic.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.size = 0
        self.lost: Counter[str] = Counter()
        self.missing: Counter[str] = Counter()
        self._lanes: dict[str, _Lane] = {}
        self._gone: deque[tuple[int, Counter[str]]] = deque()
        self._recording = False
        self._swept_ns = 0

    def add(self, entry: Entry, oldest_ns: int) -> None:
        """Take in a message.

        Args:
            entry: the newest.
            oldest_ns: what came before this is of no more use; on the steady clock.
        """
        if entry.size > self._max_bytes:
            self.lose(entry.topic, 1, entry.steady_ns)
            return
        lane = self._lanes.setdefault(entry.topic, _Lane())
        (lane.waiting if self._recording else lane.kept).append(entry)
        lane.size += entry.size
        self.size += entry.size
        if self.size > self._max_bytes or entry.steady_ns - self._swept_ns > _SWEEP_NS:
            self._sweep(oldest_ns, entry.steady_ns)
        while self.size > self._max_bytes:
            self._evict(entry.steady_ns)

    def lose(self, topic: str, count: int, now_ns: int) -> None:
        """Count messages that neither are here nor in the recording under way, if there is one."""
        self.lost[topic] += count
        self.missing[topic] += count
        self._remember(topic, count, now_ns)

    def start(self, oldest_ns: int) -> None:
        """From now on messages wait to be taken, those since ``oldest_ns`` as well."""
        self._recording = True
        self.missing = sum((lost for second, lost in self._gone if second >= oldest_ns // NS), Counter())
        for lane in self._lanes.values():
            self._forget(lane, oldest_ns)
            lane.waiting, lane.kept = lane.kept, deque()

    def stop(self) -> None:
        """Nothing waits any more; what did is kept."""
        self._recording = False
        for lane in self._lanes.values():
            for entry in lane.waiting:
                if entry.lasting:
                    self._uncharge(lane, entry)
                else:
                    lane.kept.append(entry)
            lane.waiting = deque()

    def take(self, end_ns: int, limit: int) -> list[Entry]:
        """The next messages to be written, in their order.

        Args:
            end_ns: those that came later are left waiting.
            limit: bytes after which no more are taken.
        """
        taken: list[Entry] = []
        size = 0
        while size < limit and len(taken) < _AT_ONCE:
            heads = [lane for lane in self._lanes.values() if lane.waiting]
            lane = min(heads, key=lambda one: one.waiting[0].number, default=None)
            if lane is None or lane.waiting[0].steady_ns > end_ns:
                break
            entry = lane.waiting.popleft()
            size += entry.size
            entry.written = True
            taken.append(entry)
            if entry.lasting:
                self._uncharge(lane, entry)
            else:
                lane.kept.append(entry)
        return taken

    def since(self, number: int) -> list[Entry]:
        """Messages with a greater number, in their order."""
        found: list[Entry] = []
        for queue in self._queues():
            found += takewhile(lambda entry: entry.number > number, reversed(queue))
        return sorted(found, key=lambda entry: entry.number)

    def discard(self, end_ns: int) -> None:
        """Give up what waits and came until ``end_ns``: it is missing from the file, and stays for the next one."""
        while given_up := self.take(end_ns, 1 << 62):
            for entry in given_up:
                entry.written = False
                self.missing[entry.topic] += 1

    @property
    def span_ns(self) -> int:
        """From the oldest message here to the newest."""
        times = [queue[end].steady_ns for queue in self._queues() for end in (0, -1)]
        return max(times) - min(times) if times else 0

    def _queues(self) -> Iterator[deque[Entry]]:
        for lane in self._lanes.values():
            yield from (queue for queue in (lane.kept, lane.waiting) if queue)

    def _sweep(self, oldest_ns: int, now_ns: int) -> None:
        self._swept_ns = now_ns
        for lane in self._lanes.values():
            self._forget(lane, oldest_ns)
        while self._gone and self._gone[0][0] < oldest_ns // NS:
            self._gone.popleft()

    def _forget(self, lane: _Lane, oldest_ns: int) -> None:
        while lane.kept and lane.kept[0].steady_ns < oldest_ns:
            self._uncharge(lane, lane.kept.popleft())

    def _evict(self, now_ns: int) -> None:
        lane = max(self._lanes.values(), key=lambda one: one.size)
        taken = bool(lane.kept)
        entry = (lane.kept or lane.waiting).popleft()
        self._uncharge(lane, entry)
        self._remember(entry.topic, 1, now_ns)
        self.lost[entry.topic] += not entry.written
        self.missing[entry.topic] += not taken

    def _remember(self, topic: str, count: int, now_ns: int) -> None:
        """For a recording that is to hold this moment."""
        second = now_ns // NS
        if not self._gone or self._gone[-1][0] != second:
            self._gone.append((second, Counter()))
        self._gone[-1][1][topic] += count

    def _uncharge(self, lane: _Lane, entry: Entry) -> None:
        lane.size -= entry.size
        self.size -= entry.size
