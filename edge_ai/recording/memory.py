"""What the flight recorder has in memory."""

from __future__ import annotations

import logging

from edge_ai.core.clock import NS, Clock, to_stamp
from edge_ai.core.errors import EdgeAIError
from edge_ai.recording.lasting import Lasting
from edge_ai.recording.plan import Plan
from edge_ai.recording.ring import Entry, Ring
from edge_ai.recording.schemas import schema_text

_log = logging.getLogger(__name__)


class Memory:
    """The ring, the messages that last, and counts. Not safe for several threads; `FlightRecorder` locks.

    Args:
        max_bytes: that messages may take.
        clock: when they came.

    Attributes:
        ring: the last seconds.
        messages: how many were taken in.
    """

    def __init__(self, max_bytes: int, clock: Clock) -> None:
        self._clock = clock
        self.ring = Ring(max_bytes)
        self.messages = 0
        self._lasting = Lasting(max_bytes // 8)
        self._known: dict[tuple[str, str], bool] = {}

    def declare(self, topic: str, schema: str) -> None:
        """As `FlightRecorder.declare`."""
        schema_text(schema)
        self._known[full(topic), schema] = True

    def put(self, topic: str, schema: str, data: bytes, stamp_ns: int, oldest_ns: int) -> None:
        """Take in a message; what came before ``oldest_ns`` is of no more use."""
        entry = self._entry(topic, schema, data, stamp_ns)
        if entry is not None:
            self.ring.add(entry, oldest_ns)

    def latch(
        self, topic: str, schema: str, data: bytes, stamp_ns: int, key: str, *, recording: bool, oldest_ns: int
    ) -> None:
        """Take in a message that holds until the next one."""
        entry = self._entry(topic, schema, data, stamp_ns)
        if entry is None:
            return
        entry.lasting = True
        if not self._lasting.add(entry, key):
            self.ring.lose(entry.topic, 1, entry.steady_ns)
        elif recording:
            self.ring.add(entry, oldest_ns)

    def lose(self, topic: str, count: int) -> None:
        """Count messages that are lost."""
        self.ring.lose(full(topic), count, self._clock.steady_ns())

    def start(self, plan: Plan) -> None:
        """Begin a recording: messages wait to be taken, and the plan gets those that last."""
        self.ring.start(plan.oldest_ns)
        plan.lasting, plan.newest = self.lasting(plan.oldest_ns), self.messages

    def lasting(self, oldest_ns: int) -> list[Entry]:
        """What held at a moment on the steady clock, and what came after it."""
        return self._lasting.since(oldest_ns, to_stamp(oldest_ns, self._clock))

    @property
    def seconds(self) -> float:
        """From the oldest message to the newest."""
        return self.ring.span_ns / NS

    def _entry(self, topic: str, schema: str, data: bytes, stamp_ns: int) -> Entry | None:
        topic, now = full(topic), self._clock.steady_ns()
        self.messages += 1
        if not self._is_known(topic, schema):
            self.ring.lose(topic, 1, now)
            return None
        return Entry(self.messages, now, stamp_ns, topic, schema, data, published_ns=stamp_ns)

    def _is_known(self, topic: str, schema: str) -> bool:
        known = self._known.get((topic, schema))
        if known is None:
            try:
                self.declare(topic, schema)
                return True
            except EdgeAIError as error:
                self._known[topic, schema] = known = False
                _log.warning("topic '%s' is not recorded: %s", topic, error)
        return known


def full(topic: str) -> str:
    """A topic's name with the slash in front."""
    return topic if topic.startswith("/") else f"/{topic}"
