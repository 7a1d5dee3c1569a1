"""What the flight recorder listens to: topics as they come up, their messages as the bytes that came over the wire."""

from __future__ import annotations

import importlib
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message

from edge_ai.core.clock import Clock
from edge_ai.core.errors import EdgeAIError
from edge_ai.nodes.mailbox import Mailbox
from edge_ai.nodes.neighbours import Neighbours
from edge_ai.nodes.recorded_frames import RecordedFrames
from edge_ai.nodes.recorder_plan import (
    CAMERA_STATUS,
    IMAGE,
    IMAGE_KIND,
    RESULTS,
    SHARED,
    TOPICS,
    Wanted,
    fitting,
    hears,
    kept_for_late,
)
from edge_ai.recording import messages
from edge_ai.recording.params import RecorderParams
from edge_ai.recording.recorder import FlightRecorder

log = logging.getLogger(__name__)

_LOOK = 2.0  # s between two looks for new topics
_RARELY = 60.0  # s between two looks at what hardly changes and yet is published with every frame
_POLL = 0.05  # s between two looks for new messages
_NEWEST_HOOKED = (messages.CONTROL_STATUS, CAMERA_STATUS)  # come with every command or frame; decoding costs

Hook = Callable[[str, Any], None]
"""Gets the full name of the topic and a message."""


@dataclass(slots=True)
class _Line:
    """One topic that is listened to."""

    mailbox: Mailbox
    qos: QoSProfile
    kind: str
    how: Wanted
    hook: Hook | None = None
    inside: str = ""
    lost: int = 0
    cls: Any = field(default=None)


class RecorderTopics:
    """Listens on a thread of its own, which looks into all topics many times a second; nothing wakes for a message.

    Args:
        node: subscribes.
        params: gives the newest parameters.
        recorder: takes the messages.
        clock: of the node.
        hooks: called with each message of a topic, decoded; by the topic's name as of `TOPICS`. Of those of
            "control/status" and "camera/status" only with the newest.
    """

    def __init__(
        self,
        node: Any,
        params: Callable[[], RecorderParams],
        recorder: FlightRecorder,
        clock: Clock,
        hooks: Mapping[str, Hook],
    ) -> None:
        self._node, self._params, self._recorder, self._clock, self._hooks = node, params, recorder, clock, hooks
        self._neighbours = Neighbours(node)
        self._lines: dict[str, _Line] = {}
        self._frames: dict[str, RecordedFrames] = {}
        self._not_before: dict[str, float] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listen", daemon=True)
        self._thread.start()

    @property
    def topics(self) -> Sequence[str]:
        """Full names of those listened to."""
        return list(self._lines)

    def close(self) -> None:
        """Listen no more."""
        self._end.set()
        self._thread.join()
        for line in self._lines.values():
            line.mailbox.close()
        self._lines.clear()

    def _run(self) -> None:
        look_at = 0.0
        while not self._end.wait(_POLL):
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + _LOOK
                self._guarded("looking for topics", self._look)
            for line in list(self._lines.values()):
                self._guarded(f"recording {line.mailbox.topic}", self._poll, line)

    def _guarded(self, what: str, action: Callable[..., None], *given: Any) -> None:
        """One topic that makes trouble is no reason not to hear the others."""
        try:
            action(*given)
        except Exception:
            log.exception("%s failed", what)

    def _look(self) -> None:
        """Listen to the topics that have come up, and anew where a publisher has come whom nobody here would hear."""
        known = dict(self._node.get_topic_names_and_types())
        for topic, (tail, how) in self._wanted(known).items():
            kinds = known.get(topic, [])
            late = time.monotonic() >= self._not_before.get(topic, 0.0)
            if not late or (how.kind or (kinds or [""])[0]) not in kinds:
                continue
            offered = [one.qos_profile for one in self._node.get_publishers_info_by_topic(topic)]
            line = self._lines.get(topic)
            if not offered or (line is not None and hears(line.qos, fitting(offered, how))):
                continue
            if line is not None:
                self._leave(line)
            self._listen(topic, tail, replace(how, kind=kinds[0]), offered)

    def _wanted(self, known: Mapping[str, Any]) -> dict[str, tuple[str, Wanted]]:
        """By full name: the name as of `TOPICS`, and how to record it."""
        wanted = {topic: (topic, how) for topic, how in SHARED.items()}
        wanted |= {self._node.resolve_topic_name(topic): (topic, Wanted()) for topic in self._params().topics if topic}
        for inside in {self._node.get_namespace(), *self._neighbours.namespaces()}:
            for tail, how in TOPICS.items():
                wanted[f"{inside.rstrip('/')}/{tail}"] = (tail, how)
        return {topic: said for topic, said in wanted.items() if topic in known}

    def _listen(self, topic: str, tail: str, how: Wanted, offered: Sequence[QoSProfile]) -> None:
        try:
            package, _, name = how.kind.split("/")
            kind = getattr(importlib.import_module(f"{package}.msg"), name)
            self._recorder.declare(f"{topic}/compressed" if tail == IMAGE else topic, _schema(tail, how))
        except (ImportError, AttributeError, EdgeAIError) as error:
            self._not_before[topic] = math.inf
            self._node.get_logger().warning(f"{topic} is not recorded: {error}")
            return
        qos = fitting(offered, how)
        mailbox = Mailbox(self._node, kind, topic, qos, raw=True)
        latched = how.latched or kept_for_late(offered)
        how = replace(how, latched=latched and not how.volatile)
        line = self._lines[topic] = _Line(mailbox, qos, how.kind, how, self._hooks.get(tail), cls=kind)
        inside = topic.removesuffix(tail)
        if tail == IMAGE:
            self._frames[inside] = RecordedFrames(self._recorder, self._clock, topic, self._params().frame_rate)
        if tail in (IMAGE, RESULTS):
            line.inside = inside

    def _leave(self, line: _Line) -> None:
        """Take in what has come, and listen no more."""
        self._guarded(f"recording {line.mailbox.topic}", self._poll, line)
        self._lines.pop(line.mailbox.topic, None)
        line.mailbox.close()

    def _poll(self, line: _Line) -> None:
        got = line.mailbox.all()
        if not got:
            return
        frames = self._frames.get(line.inside)
        if line.kind == IMAGE_KIND and frames is not None:
            frames.captured(got[-1][0], self._params())
            return
        if line.mailbox.missed > line.lost and not line.how.newest:
            self._recorder.lose(line.mailbox.topic, line.mailbox.missed - line.lost)
            line.lost = line.mailbox.missed
        for data, received in got[-1:] if line.how.newest else got:
            self._take(line, data, received)
            if line.kind == messages.RESULT and frames is not None:
                frames.answered(data, self._params())
        if line.how.newest and line.how.latched:
            self._not_before[line.mailbox.topic] = time.monotonic() + _RARELY
            del self._lines[line.mailbox.topic]
            line.mailbox.close()
        if line.hook is not None:
            for data, _ in got[-1:] if line.kind in _NEWEST_HOOKED else got:
                line.hook(line.mailbox.topic, deserialize_message(data, line.cls))

    def _take(self, line: _Line, data: bytes, received: int) -> None:
        stamp = self._clock.stamp_ns() - (time.time_ns() - received)
        topic, kind = line.mailbox.topic, line.kind
        if line.how.latched:
            self._recorder.latch(topic, kind, data, stamp, _key(line, data))
        else:
            self._recorder.put(topic, kind, data, stamp)


def _schema(tail: str, how: Wanted) -> str:
    return messages.COMPRESSED_IMAGE if tail == IMAGE else how.kind


def _key(line: _Line, data: bytes) -> str:
    """Transforms of several publishers come on one topic, each with its own frames."""
    if line.mailbox.topic != "/tf_static":
        return ""
    return ",".join(sorted(one.child_frame_id for one in deserialize_message(data, line.cls).transforms))
