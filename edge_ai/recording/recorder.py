"""The flight recorder."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from edge_ai.core.clock import NS, Clock
from edge_ai.core.errors import EdgeAIError
from edge_ai.recording.black_box import PERIOD_S, BlackBox, box_for
from edge_ai.recording.disk import Folder
from edge_ai.recording.mcap_file import CHUNK
from edge_ai.recording.memory import Memory
from edge_ai.recording.params import MIB, RecorderParams
from edge_ai.recording.plan import Plan, Plans
from edge_ai.recording.repair import repair_all
from edge_ai.recording.session import Portion, Session
from edge_ai.recording.state import RecorderState as RecorderState

_POLL_S = 0.1
_PATIENCE_S = 10.0
"""How long after its end a recording waits for a disk that fails."""
_log = logging.getLogger(__name__)


class FlightRecorder:
    """Keeps the last seconds of all messages in memory and writes them, and what follows, when something happens.

    Nothing here waits for a disk but making it, which looks into the folder, and `close`. All methods may be called
    from any thread. Recordings that a recorder left behind unfinished are repaired first.

    Args:
        params: how much to keep, and where.
        clock: lengths are measured on its steady clock; its stamps name the files.

    Raises:
        ParameterError: the folder cannot be made or written to.
    """

    def __init__(self, params: RecorderParams, clock: Clock) -> None:
        self._params, self._clock = params, clock
        self._folder = Folder(params.place())
        self._memory = Memory(params.max_memory * MIB, clock)
        self._plans = Plans(self._folder.name)
        self._closing = False
        self._fault = self._file = self._reason = ""
        self._disk = (0, 0)
        self._box: BlackBox | None = None
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def declare(self, topic: str, schema: str) -> None:
        """Make a topic known before its first message.

        Raises:
            EdgeAIError: the definition of its type ("sensor_msgs/msg/Image") is not to be found on this machine.
        """
        with self._news:
            self._memory.declare(topic, schema)

    def put(self, topic: str, schema: str, data: bytes, stamp_ns: int) -> None:
        """Take in a message. One whose type has no definition on this machine counts as lost.

        Args:
            topic: "/camera/status"; without a slash in front one is put there.
            schema: its type, "edge_ai/msg/CameraStatus".
            data: CDR, the four bytes of encapsulation included.
            stamp_ns: when it was received, or published, in ROS time.
        """
        with self._news:
            self._memory.put(topic, schema, data, stamp_ns, self._oldest())

    def latch(self, topic: str, schema: str, data: bytes, stamp_ns: int, key: str = "") -> None:
        """Take in a message that holds until the next one: each file begins with the one that held then.

        Args:
            topic, schema, data, stamp_ns: as for `put`.
            key: tells publishers of one topic apart, each of which has its own newest one (/tf_static).
        """
        with self._news:
            recording, oldest = self._plans.current is not None, self._oldest()
            self._memory.latch(topic, schema, data, stamp_ns, key, recording=recording, oldest_ns=oldest)

    def lose(self, topic: str, count: int = 1) -> None:
        """Count messages that were lost before they came here."""
        with self._news:
            self._memory.lose(topic, count)

    def trigger(self, reason: str) -> Path:
        """Begin a recording, or prolong the one under way.

        Args:
            reason: in words; becomes part of the file's name and content.

        Returns:
            The file in which this moment will be.

        Raises:
            EdgeAIError: the recorder is closed.
        """
        with self._news:
            if self._closing:
                raise EdgeAIError("the flight recorder is closed", got=f"a trigger: {reason}")
            idle = self._plans.current is None
            path = self._plans.trigger(self._clock.stamp_ns(), reason, self._clock.steady_ns(), self._params)
            if idle:
                self._begin(self._plans.current)
                self._news.notify_all()
            return path

    def update(self, params: RecorderParams) -> None:
        """Take over live parameters."""
        with self._news:
            self._params = params

    @property
    def status(self) -> RecorderState:
        """Its state now."""
        with self._news:
            return self._state()

    def close(self, patience: float = 10.0) -> None:
        """Write what a recording under way holds by now, for up to ``patience`` seconds, and end."""
        with self._news:
            self._closing = True
            self._news.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(patience)

    def _oldest(self) -> int:
        """Since when messages are still of use."""
        return self._plans.oldest_ns(self._clock.steady_ns() - round(self._params.before * NS))

    def _begin(self, plan: Plan | None) -> None:
        if plan is not None:
            self._memory.start(plan)

    def _state(self) -> RecorderState:
        lost, plan, (files, size) = self._memory.ring.lost, self._plans.current, self._disk
        if plan is not None:
            self._file, self._reason = str(plan.path), plan.words
        return RecorderState(
            buffered=self._memory.seconds,
            buffered_bytes=self._memory.ring.size,
            messages=self._memory.messages,
            lost=sum(lost.values()),
            recording=plan is not None,
            file=self._file,
            reason=self._reason,
            files=files,
            disk_bytes=size,
            fault=self._fault,
            losses={topic: count for topic, count in lost.items() if count},
        )

    def _run(self) -> None:
        self._guarded(self._tidy)
        while True:
            self._guarded(self._look)
            plan = self._idle()
            if plan is None:
                break
            session = Session(plan, self._folder, self._clock, self._params)
            self._guarded(partial(session.run, partial(self._portion, plan, session), self._pause))
            with self._news:
                self._settle(session)
        if self._box is not None:
            self._box.close()

    def _tidy(self) -> None:
        repair_all([stored.path for stored in self._folder.recordings()])
        self._box = box_for(self._folder, self._params)

    def _idle(self) -> Plan | None:
        """Wait for a trigger, and keep the copy up to date meanwhile; None: the recorder is closed."""
        copied = 0
        while True:
            with self._news:
                if self._plans.current is None and not self._closing:
                    self._news.wait(None if self._box is None else PERIOD_S)
                if self._plans.current is not None or self._closing:
                    return self._plans.current
                entries = self._memory.ring.since(copied)
                lasting = self._memory.lasting(self._oldest())
            if self._box is not None and entries:
                copied = entries[-1].number
                self._box.keep(entries, lasting, round(self._params.before * NS))

    def _portion(self, plan: Plan, session: Session, ready: bool) -> Portion:
        """What is to be written next of a recording; nothing where it cannot be."""
        with self._news:
            now = self._clock.steady_ns()
            if self._closing:
                plan.end_ns = min(plan.end_ns, now)
            self._fault = session.fault
            if self._box is not None and session.committed >= plan.newest:
                self._box.clear()
            ended = self._closing or now > plan.end_ns
            given_up = not ready and ended and (self._closing or now > plan.end_ns + round(_PATIENCE_S * NS))
            if given_up:
                self._memory.ring.discard(plan.end_ns)
            entries = self._memory.ring.take(plan.end_ns, CHUNK) if ready else []
            over = given_up or (ready and ended and not entries)
            return Portion(entries, over, self._state(), +self._memory.ring.missing, self._params)

    def _pause(self) -> None:
        with self._news:
            self._news.wait(_POLL_S)

    def _settle(self, session: Session) -> None:
        """Take leave of a recording, and begin the one that was asked for meanwhile."""
        for topic, count in session.lost.items():
            self._memory.lose(topic, count)
        self._memory.ring.stop()
        self._fault = session.fault
        if not session.made:
            self._file = ""
        elif self._box is not None and not session.fault:
            self._box.clear()
        self._begin(self._plans.follow(wanted=not self._closing))

    def _look(self) -> None:
        stored = self._folder.recordings()
        with self._news:
            self._disk = (len(stored), sum(one.size for one in stored))
            if self._plans.current is None and stored and not self._file:
                self._file = str(stored[-1].path)

    def _guarded(self, action: Callable[[], None]) -> None:
        """The thread goes on whatever happens."""
        try:
            action()
        except Exception as error:
            _log.exception("flight recorder")
            with self._news:
                self._fault = f"{type(error).__name__}: {error}"
