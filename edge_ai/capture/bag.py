"""Recordings of ROS 2 (rosbag2: MCAP, SQLite) without ROS, through rosbags."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge_ai.capture.bag_file import Recording, Topic, open_bag, typestore
from edge_ai.capture.bag_image import COMPRESSED, RAW, image_of
from edge_ai.capture.base import CameraSource, Captured
from edge_ai.capture.params import CameraParams
from edge_ai.core.clock import NS
from edge_ai.core.errors import EndOfSource, ImageError, SourceError

FALLBACK_FPS = 30.0
"""Nominal rate of a bag that does not say how many images it has, in Hz; frames come by the bag's own times."""
TOPIC = "?topic="

_log = logging.getLogger(__name__)


class BagSource(CameraSource):
    """The images of one topic at the times they were recorded.

    The address is the bag's folder or one of its files, with "?topic=/name" where it has several image topics. Images
    keep their encoding; compressed ones become bgr8. One that is torn is left out with a warning and keeps its index.
    A bag that is cut short plays to the cut.
    """

    live = False

    def __init__(self, params: CameraParams, address: str) -> None:
        super().__init__(params, address)
        self._lock = threading.Lock()
        self._bag: Recording | None = None
        self._messages: Iterator[tuple[int, bytes]] = iter(())
        self._first: Captured | None = None
        self._types: Any = None
        self._kind = ""
        self._index = self._origin_ns = 0
        self._due = 0.0

    def open(self) -> None:
        self.close()
        path, _, wanted = self.address.partition(TOPIC)
        with self._lock:
            self._bag = open_bag(Path(path).expanduser(), self.name)
            try:
                topic = choose(self._bag.topics, wanted, self.name)
                self._types, self._kind = typestore(), topic.kind
                self._messages = self._bag.messages(topic)
                self._index, self._due = 0, 0.0
                self.fps = _rate(topic, self._bag.seconds)
                self._first = self._next()
            except EndOfSource as end:
                self._release()
                raise SourceError(f"bag '{self.name}' has no image that can be read", got=end) from None
            except BaseException:
                self._release()
                raise

    def read(self) -> Captured:
        with self._lock:
            if self._bag is None:
                raise SourceError(f"bag '{self.name}' is not open")
            first, self._first = self._first, None
            return first or self._next()

    def close(self) -> None:
        with self._lock:
            self._release()

    def _release(self) -> None:
        messages, self._messages = self._messages, iter(())
        if hasattr(messages, "close"):
            messages.close()  # a generator holds on to the file
        if self._bag is not None:
            self._bag.close()
        self._bag = self._first = None

    def _next(self) -> Captured:
        while True:
            instant, data = self._message()
            index, self._index = self._index, self._index + 1
            if index == 0:
                self._origin_ns = instant
            self._due = max(self._due, (instant - self._origin_ns) / NS)
            try:
                image, encoding = image_of(self._deserialized(data), self._kind)
            except ImageError as error:
                _log.warning("image %d of bag '%s' is left out: %s", index, self.name, error)
                continue
            return Captured(image, encoding, index, time.monotonic_ns(), self._due)

    def _message(self) -> tuple[int, bytes]:
        assert self._bag is not None
        why = ": the bag is cut short" if self._bag.damaged else ""
        try:
            return next(self._messages)
        except StopIteration:
            pass
        except Exception as error:  # rosbags passes on what its storage raises
            why = f": the bag is damaged from there on ({type(error).__name__}: {error})"
        end = EndOfSource(f"bag '{self.name}' ended after {self._index} images{why}")
        if why:
            _log.warning("%s", end)
        raise end

    def _deserialized(self, data: bytes) -> Any:
        try:
            return self._types.deserialize_cdr(data, self._kind)
        except Exception as error:  # of its own and of struct and numpy, by where the bytes end
            raise ImageError("torn message", got=f"{type(error).__name__}: {error}") from None


def choose(topics: list[Topic], wanted: str, name: str) -> Topic:
    """The topic to play.

    Args:
        topics: those of the bag.
        wanted: its name; empty: the only one with images.
        name: of the bag, for messages.

    Raises:
        SourceError: there is no such topic, or none or several with images.
    """
    images = [topic for topic in topics if topic.kind in (RAW, COMPRESSED)]
    if not images:
        listed = ", ".join(f"{topic.name} ({topic.kind})" for topic in topics) or "no topics"
        raise SourceError(f"bag '{name}' has no images", got=listed, wanted=f"a topic of {RAW} or {COMPRESSED}")
    if wanted:
        found = next((topic for topic in images if topic.name == wanted), None)
    else:
        filled = [topic for topic in images if topic.count != 0] or images
        found = filled[0] if len(filled) == 1 else None
    if found is None:
        got = f"no topic '{wanted}' with images" if wanted else "several topics with images"
        listed = ", ".join(topic.name for topic in images)
        raise SourceError(
            f"bag '{name}'", got=got, wanted=f"one of {listed}", mend=f"write {TOPIC}NAME behind its path"
        )
    return found


def _rate(topic: Topic, seconds: float) -> float:
    rate = (topic.count - 1) / seconds if topic.count and seconds > 0 else 0.0
    return rate if 0 < rate <= 1000 else FALLBACK_FPS
