"""Frames and answers of an MCAP recording of ROS 2, without ROS; of a damaged one those that can be read."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_ai.capture.bag import choose
from edge_ai.capture.bag_cut import BagPath
from edge_ai.capture.bag_file import Topic
from edge_ai.capture.bag_image import COMPRESSED, RAW, image_of
from edge_ai.core.clock import NS
from edge_ai.core.encodings import image_size
from edge_ai.core.errors import ImageError, SourceError
from edge_ai.core.types import Classification, Detections, Frame, FrameHeader, IntArray, Result, Segmentation
from edge_ai.recording.messages import RESULT

_LARGEST_CLASS_ID = 100_000
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
        """What was answered on the robot, by the capture stamp in nanoseconds."""
        found = (result_of(message.decoded) for message in self._messages({RESULT}))
        return {result.header.stamp_ns: result for result in found}

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
    stamp = _stamp(message.header)
    return Frame(FrameHeader(stamp, stamp, message.header.frame_id, index, width, height), image, encoding)


def result_of(message: Any) -> Result:
    """A result from the fields of an edge_ai/InferenceResult.

    A message does not carry the label table: of it the classes that were found remain, and of a mask none.
    """
    found = message.detections
    ids, labels = _classes(found)
    stamp = _stamp(message.header)
    header = FrameHeader(stamp, stamp, message.header.frame_id, -1, message.image_width, message.image_height)
    return Result(
        header=header,
        detections=Detections(
            boxes=np.array([[d.x_min, d.y_min, d.x_max, d.y_max] for d in found], np.float32).reshape(-1, 4),
            scores=np.array([d.score for d in found], np.float32),
            class_ids=ids,
            labels=labels,
        ),
        model_name=message.model_name,
        model_version=message.model_version,
        source=message.source,
        timings={one.stage: one.duration for one in message.timings},
        classification=_classification(message.classifications),
        segmentation=_segmentation(message.segmentation),
        reason=message.reason,
    )


def _classes(found: Sequence[Any]) -> tuple[IntArray, tuple[str, ...]]:
    """Class numbers, and the names that belong to them, at their places in a table."""
    ids = [one.class_id for one in found]
    if not all(0 <= number < _LARGEST_CLASS_ID for number in ids):
        # A model without a label table: the names alone tell the classes apart.
        order = list(dict.fromkeys(one.class_name for one in found))
        ids = [order.index(one.class_name) for one in found]
    names = dict(zip(ids, (one.class_name for one in found), strict=True))
    return np.array(ids, np.int32), tuple(names.get(number, "") for number in range(max(names, default=-1) + 1))


def _classification(found: Sequence[Any]) -> Classification | None:
    if not found:
        return None
    ids, labels = _classes(found)
    return Classification(np.array([one.score for one in found], np.float32), ids, labels)


def _segmentation(image: Any) -> Segmentation | None:
    if not image.height or len(image.data) != image.height * image.step:
        return None
    mask = np.frombuffer(image.data, np.uint8).reshape(image.height, image.step)[:, : image.width]
    return Segmentation(mask)


def _stamp(header: Any) -> int:
    return int(header.stamp.sec) * NS + int(header.stamp.nanosec)
