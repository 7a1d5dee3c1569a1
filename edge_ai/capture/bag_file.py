"""The messages of a rosbag2, read with rosbags; of a damaged one those that can be read."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from edge_ai.capture.bag_cut import BagPath, end_of_whole
from edge_ai.core.errors import SourceError

STORAGE = (".mcap", ".db3")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a bag.

    Attributes:
        name: "/camera/image_raw".
        kind: message type, "sensor_msgs/msg/Image".
        count: messages of it; None where the bag does not say.
    """

    name: str
    kind: str
    count: int | None


class Recording(Protocol):
    """An open bag.

    Attributes:
        topics: what it holds.
        seconds: how long it is; 0 if unknown.
        damaged: whether its end is missing.
    """

    topics: list[Topic]
    seconds: float
    damaged: bool

    def messages(self, topic: Topic) -> Iterator[tuple[int, bytes]]:
        """Time of recording in nanoseconds and the serialised message, one after the other."""

    def close(self) -> None:
        """Let go of the files."""


def is_bag(path: Path) -> bool:
    """Whether a path looks like a bag: a storage file, or a folder with the metadata of one or such a file."""
    if path.suffix.lower() in STORAGE:
        return True
    try:
        return path.is_dir() and ((path / "metadata.yaml").is_file() or bool(_files(path)))
    except OSError:
        return False


def open_bag(path: Path, name: str) -> Recording:
    """Open a bag: its folder, or one of its files.

    Raises:
        SourceError: rosbags is not installed, there is no bag, or nothing of it can be read.
    """
    try:
        import rosbags.rosbag2  # noqa: F401
    except ImportError:
        raise SourceError(
            f"bag '{name}' cannot be read", got="rosbags is not installed", mend='pip install "rosbags>=0.11.7,<1"'
        ) from None
    if not path.exists():
        raise SourceError(f"no such bag: '{name}'", wanted="the folder of a rosbag2, or a .mcap or .db3 file")
    files = _files(path) if path.is_dir() else [path]
    if not files and not (path / "metadata.yaml").is_file():
        raise SourceError(f"'{name}' is no bag", wanted="a folder with metadata.yaml, or a .mcap or .db3 file")
    try:
        return _Whole(path, files)
    except Exception as error:  # rosbags passes on what its storage raises
        reason = f"{type(error).__name__}: {error}"
    opened: list[Recording] = []
    for file in files:
        try:
            opened.append(_Remains(file) if file.suffix == ".db3" else _Whole(file, [file]))
        except Exception as error:  # likewise
            _log.warning("'%s' of bag '%s' cannot be read and is left out: %s", file.name, name, error)
    if not opened:
        raise SourceError(
            f"bag '{name}' cannot be read",
            got=reason,
            wanted="a rosbag2 with MCAP or SQLite storage",
            mend="copy or record it again",
        )
    _log.warning("bag '%s' is damaged, what can be read of it is played: %s", name, reason)
    return opened[0] if len(opened) == 1 else _Row(opened)


class _Whole:
    """A bag that rosbags can open."""

    def __init__(self, path: Path, files: list[Path]) -> None:
        from rosbags.rosbag2 import Reader

        self.damaged = any(map(_is_cut, files))
        self._reader = Reader(BagPath(path))
        self._reader.open()
        found = self._reader.topics.items()
        self.topics = [Topic(name, info.msgtype, info.msgcount) for name, info in found if info.msgtype]
        self.seconds = self._reader.duration * 1e-9

    def messages(self, topic: Topic) -> Iterator[tuple[int, bytes]]:
        connections = [one for one in self._reader.connections if one.topic == topic.name]
        for _, instant, data in self._reader.messages(connections):
            yield instant, data

    def close(self) -> None:
        if self._reader.is_open:
            self._reader.close()


class _Remains:
    """A SQLite file that is cut short: rosbags counts all messages first, which fails. Rows come as they lie."""

    damaged = True
    seconds = 0.0

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True, check_same_thread=False)
        try:
            # As the sqlite3 shell's .recover does: else a file shorter than its header says is not even looked at.
            self._database.execute("PRAGMA writable_schema = ON")
            rows = self._database.execute("SELECT id, name, type FROM topics ORDER BY id").fetchall()
        except BaseException:
            self.close()
            raise
        self._numbers = {name: number for number, name, _ in rows}
        self.topics = [Topic(name, kind, None) for _, name, kind in rows]

    def messages(self, topic: Topic) -> Iterator[tuple[int, bytes]]:
        query = "SELECT timestamp, data FROM messages WHERE topic_id = ? ORDER BY id"
        with closing(self._database.execute(query, (self._numbers[topic.name],))) as rows:
            yield from rows

    def close(self) -> None:
        self._database.close()


class _Row:
    """Several files of a bag one after the other."""

    damaged = True

    def __init__(self, parts: list[Recording]) -> None:
        self._parts = parts
        self.topics = list({topic.name: topic for part in reversed(parts) for topic in part.topics}.values())
        self.seconds = 0.0

    def messages(self, topic: Topic) -> Iterator[tuple[int, bytes]]:
        for part in self._parts:
            for own in part.topics:
                if (own.name, own.kind) == (topic.name, topic.kind):
                    yield from part.messages(own)

    def close(self) -> None:
        with ExitStack() as stack:
            for part in self._parts:
                stack.callback(part.close)


def _files(folder: Path) -> list[Path]:
    """The storage files of a folder in the order of their numbers."""
    found = [path for path in folder.iterdir() if path.suffix in STORAGE]
    return sorted(
        found, key=lambda path: [int(part) if part.isdecimal() else 0 for part in re.split(r"(\d+)", path.stem)]
    )


def _is_cut(path: Path) -> bool:
    if path.suffix != ".mcap":
        return False
    with path.open("rb") as file:
        return end_of_whole(file) is not None


def typestore() -> Any:
    """What deserialises messages; images are the same in every ROS 2."""
    from rosbags.typesys import Stores, get_typestore

    return get_typestore(Stores.ROS2_HUMBLE)
