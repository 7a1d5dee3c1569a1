"""Frames and answers of an MCAP recording of ROS 2, without ROS; of a damaged one those that can be read."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_ai.capture.bag import choose
from edge_ai.capture.bag_cut import BagPath
from edge_ai.capture.bag_file import Topic
from edge_ai.capture.bag_image import COMPRESSED, RAW, image_of
from edge_ai.core.encodings import image_size
from edge_ai.core.errors import ImageError, SourceError
from edge_ai.core.types import Frame, FrameHeader, Result
from edge_ai.recording.messages import RESULT
from edge_ai.recording.values import result_of, stamp_ns

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Message:
    topic: str
    kind: str
    decoded: Any


class RecordingReader:
    """Reads one file, as often as asked.

    Args:
        path: of the file; one that was cut short reads up to there.

    Raises:
        SourceError: there is no such file, or it is none of ROS 2's.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise SourceError(f"no such recording: '{path}'", wanted="an MCAP file")
        self._topics = self._find_topics()

    def frames(self, topic: str = "") -> Iterator[Frame]:
        """The pictures of a topic in their order; torn ones are left out with a warning.

        Args:
            topic: its name; empty: the only one with pictures.

        Raises:
            SourceError: there is no such topic, or none or several with pictures.
        """
        chosen = choose(self._topics, topic, self.path.name)
        for index, message in enumerate(self._messages({chosen.kind}, {chosen.name})):
            try:
                yield _frame(message.decoded, chosen.kind, index)
            except ImageError as error:
                _log.warning("picture %d of '%s' is left out: %s", index, self.path.name, error)

    def results(self) -> dict[int, Result]:
        """What was answered on the robot, by the capture stamp in ns; torn answers are left out with a warning."""
        found: dict[int, Result] = {}
        for message in self._messages({RESULT}):
            stamp = stamp_ns(message.decoded.header.stamp)
            try:
                found[stamp] = result_of(message.decoded, stamp)
            except ImageError as error:
                _log.warning("a result of '%s' is left out: %s", self.path.name, error)
        return found

    def _find_topics(self) -> list[Topic]:
        kinds: dict[str, tuple[str, int]] = {}
        for channel, schema in self._raw():
            kind, count = kinds.get(channel, (schema, 0))
            kinds[channel] = (kind, count + 1)
        if not kinds:
            raise SourceError(f"recording '{self.path.name}' has no message", wanted="an MCAP file of ROS 2")
        return [Topic(name, kind, count) for name, (kind, count) in sorted(kinds.items())]

    def _raw(self) -> Iterator[tuple[str, str]]:
        for schema, channel, _ in self._read(None):
            yield channel.topic, schema.name if schema is not None else ""

    def _messages(self, kinds: set[str], topics: set[str] | None = None) -> Iterator[_Message]:
        from mcap_ros2.decoder import DecoderFactory

        factory = DecoderFactory()
        wanted = [topic.name for topic in self._topics if topic.kind in kinds and (not topics or topic.name in topics)]
        for schema, channel, message in self._read(wanted):
            decode = factory.decoder_for(channel.message_encoding, schema)
            if decode is not None:
                yield _Message(channel.topic, schema.name, decode(message.data))

    def _read(self, topics: list[str] | None) -> Iterator[tuple[Any, Any, Any]]:
        from mcap.exceptions import McapError
        from mcap.reader import make_reader

        with BagPath(self.path).open("rb") as file:
            try:
                yield from make_reader(file).iter_messages(topics=topics)
            except (McapError, ValueError, OSError) as error:
                _log.warning("recording '%s' is damaged from here on: %s", self.path.name, error)


def _frame(message: Any, kind: str, index: int) -> Frame:
    assert kind in (RAW, COMPRESSED)
    message.data = np.frombuffer(message.data, np.uint8)
    image, encoding = image_of(message, kind)
    width, height = image_size(image, encoding)
    stamp = stamp_ns(message.header.stamp)
    return Frame(FrameHeader(stamp, stamp, message.header.frame_id, index, width, height), image, encoding)
