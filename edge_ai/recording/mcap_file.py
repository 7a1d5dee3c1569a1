"""An MCAP file in the making, which whatever goes wrong ends behind its last whole chunk."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from edge_ai import __version__
from edge_ai.recording.locks import lock
from edge_ai.recording.schemas import schema_text

CHUNK = 512 << 10
"""Bytes after which a chunk is closed."""
_SYNC_S = 1.0


class Spool:
    """A stream into memory, and from there into a file when told to: an error loses nothing and leaves no torn end.

    The file is locked for as long as it is open, so that nobody takes it for a left-over or deletes it to make room.

    Args:
        path: of the file; there must be none yet.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        lock(self._file)
        self._waiting = bytearray()
        self._written = 0
        self._synced = time.monotonic()

    def write(self, data: bytes) -> int:
        """Take bytes in; they go no farther."""
        self._waiting += data
        return len(data)

    def tell(self) -> int:
        """Where the next byte will stand in the file."""
        return self._written + len(self._waiting)

    def flush(self) -> None:
        """Nothing: `commit` decides."""

    def commit(self) -> None:
        """Write what waits.

        Raises:
            OSError: it cannot be; the file is as it was, what waited waits still.
        """
        done, view = 0, memoryview(self._waiting)
        try:
            while done < len(view):
                done += os.write(self._file, view[done : done + (1 << 20)])
        except OSError:
            if done:
                os.ftruncate(self._file, self._written)
                os.lseek(self._file, self._written, os.SEEK_SET)
            raise
        finally:
            view.release()
        self._written += done
        self._waiting = bytearray()
        self._sync()

    def close(self, *, whole: bool) -> None:
        """Let go of the file; a whole one is on the disk when this returns."""
        file, self._file = self._file, -1
        if file < 0:
            return
        try:
            if whole:
                os.fsync(file)
        finally:
            os.close(file)

    def _sync(self) -> None:
        """A battery may be pulled; the kernel alone would wait up to half a minute."""
        if time.monotonic() - self._synced >= _SYNC_S:
            os.fdatasync(self._file)
            self._synced = time.monotonic()


class McapFile:
    """Messages of ROS 2 with their definitions, in chunks, indexed at the end.

    Args:
        path: of the file; there must be none yet.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        from mcap.writer import LIBRARY_IDENTIFIER, CompressionType, Writer

        self.path = path
        self._spool = Spool(path)
        # Pictures do not shrink, and the rest is little beside them.
        self._writer = Writer(self._spool, chunk_size=CHUNK, compression=CompressionType.NONE)  # type: ignore[arg-type]
        self._writer.start(profile="ros2", library=f"edge_ai/{__version__} {LIBRARY_IDENTIFIER}")
        self._schemas: dict[str, int] = {}
        self._channels: dict[tuple[str, str], int] = {}
        self._sequences: dict[int, int] = {}

    def add(self, topic: str, schema: str, data: bytes, stamp_ns: int, published_ns: int) -> None:
        """Add a message; it is in the file after the next `commit`.

        Raises:
            EdgeAIError: there is no definition of its type.
        """
        channel = self._channel(topic, schema)
        number = self._sequences[channel] = self._sequences.get(channel, 0) + 1
        self._writer.add_message(channel, max(stamp_ns, 0), data, max(published_ns, 0), number)

    def add_metadata(self, name: str, values: Mapping[str, str]) -> None:
        """Add a record of names and values."""
        self._writer.add_metadata(name, dict(values))

    def commit(self) -> None:
        """Close the chunk and write it. Errors as for `Spool.commit`."""
        self._writer.flush()  # type: ignore[no-untyped-call]
        self._spool.commit()

    def finish(self) -> None:
        """Write index and end, and close the file.

        Raises:
            OSError: it is not finished; `abandon` it, and `repair` gives it an end.
        """
        self._writer.finish()  # type: ignore[no-untyped-call]
        self._spool.commit()
        self._spool.close(whole=True)

    def abandon(self) -> None:
        """Close the file as it is."""
        self._spool.close(whole=False)

    def _channel(self, topic: str, schema: str) -> int:
        if (topic, schema) not in self._channels:
            if schema not in self._schemas:
                text = schema_text(schema).encode()
                self._schemas[schema] = self._writer.register_schema(schema, "ros2msg", text)
            # rosbag2 looks for the profiles; none stand for its defaults.
            metadata = {"offered_qos_profiles": ""}
            number = self._writer.register_channel(topic, "cdr", self._schemas[schema], metadata)
            self._channels[topic, schema] = number
        return self._channels[topic, schema]
