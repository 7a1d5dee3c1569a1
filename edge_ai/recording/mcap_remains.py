"""What stands whole in an MCAP file that has no end, and the end that belongs to it.

An MCAP file is a row of records, each a letter, a length and its content. Messages lie in chunks, each followed by
records that say where in it the messages of which channel are; the end has all definitions once more, an index of the
chunks and statistics.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO, Any

_HEAD = struct.Struct("<BQ")
_MESSAGE = struct.Struct("<HIQQ")
_MAGIC = 8  # bytes
_HEADER, _SCHEMA, _CHANNEL, _LETTER, _CHUNK, _INDEX = 0x01, 0x03, 0x04, 0x05, 0x06, 0x07
_METADATA, _METADATA_INDEX, _CHUNK_INDEX, _STATISTICS, _FOOTER = 0x0C, 0x0D, 0x08, 0x0B, 0x02


@dataclass(slots=True)
class _Chunk:
    """One whole chunk.

    Attributes:
        index: its record in the end of the file.
        messages: (time, place in the chunk) of each message, by channel.
        indexed: channels whose records behind the chunk are whole.
    """

    index: Any
    messages: dict[int, list[tuple[int, int]]]
    indexed: int = 0


@dataclass(slots=True)
class Remains:
    """A file without an end, up to ``end``."""

    end: int = 0
    chunks: list[_Chunk] = field(default_factory=list)
    _schemas: dict[int, Any] = field(default_factory=dict)
    _channels: dict[int, Any] = field(default_factory=dict)
    _metadata: list[Any] = field(default_factory=list)

    @classmethod
    def of(cls, file: IO[bytes]) -> Remains:
        """Read a file up to the first record that is torn, damaged or none.

        Raises:
            OSError: it cannot be read.
        """
        remains = cls()
        for letter, at, body in _records(file):
            if not remains._take(letter, at, body):
                break
        return remains

    @property
    def messages(self) -> int:
        """How many messages there are."""
        return sum(self._counts().values())

    def drop_last(self) -> None:
        """Do without the last chunk."""
        self.end = self.chunks.pop().index.chunk_start_offset
        self._metadata = [one for one in self._metadata if one.offset < self.end]

    def tail(self) -> bytes:
        """The records from ``end`` to the end of the file, but for the magic."""
        from mcap.data_stream import RecordBuilder
        from mcap.records import DataEnd, Footer, SummaryOffset

        data, summary, offsets, footer = (RecordBuilder() for _ in range(4))
        self._missing_index(data)
        DataEnd(0).write(data)
        start = self.end + data.count
        for letter, group in self._groups():
            begin = summary.count
            for record in group:
                record.write(summary)
            if group:
                SummaryOffset(letter, start + begin, summary.count - begin).write(offsets)
        offset_start = start + summary.count
        body = _bytes(summary) + _bytes(offsets)
        crc = zlib.crc32(body + struct.pack("<BQQQ", _FOOTER, 20, start, offset_start))
        Footer(start, offset_start, crc).write(footer)
        return _bytes(data) + body + _bytes(footer)

    def _take(self, letter: int, at: int, body: bytes) -> bool:
        """Add a record; whether the file goes on behind it."""
        from mcap.data_stream import ReadDataStream
        from mcap.records import MetadataIndex

        after = at + _HEAD.size + len(body)
        if letter == _CHUNK:
            chunk = self._chunk(at, body)
            if chunk is None:
                return False
            self.chunks.append(chunk)
        elif letter == _INDEX and self.chunks:
            last = self.chunks[-1]
            last.index.message_index_offsets[int.from_bytes(body[:2], "little")] = at
            last.index.message_index_length += after - at
            last.indexed += 1
        elif letter == _METADATA:
            name = ReadDataStream(BytesIO(body)).read_prefixed_string()
            self._metadata.append(MetadataIndex(at, after - at, name))
        elif letter != _HEADER:
            return False  # the end of the data, or something that is no record of ours
        self.end = after
        return True

    def _chunk(self, at: int, body: bytes) -> _Chunk | None:
        from mcap.data_stream import ReadDataStream
        from mcap.records import Channel, Chunk, ChunkIndex, Schema

        try:
            chunk = Chunk.read(ReadDataStream(BytesIO(body)))
            messages: dict[int, list[tuple[int, int]]] = {}
            if chunk.compression or (chunk.uncompressed_crc and zlib.crc32(chunk.data) != chunk.uncompressed_crc):
                return None
            for letter, place, content in _records(BytesIO(chunk.data), 0):
                if letter == _LETTER:
                    channel, _, time, _ = _MESSAGE.unpack_from(content)
                    messages.setdefault(channel, []).append((time, place))
                elif letter == _SCHEMA:
                    schema = Schema.read(ReadDataStream(BytesIO(content)))
                    self._schemas[schema.id] = schema
                elif letter == _CHANNEL:
                    made = Channel.read(ReadDataStream(BytesIO(content)))
                    self._channels[made.id] = made
        except Exception:  # bytes that only look like a chunk
            return None
        size, length = len(chunk.data), _HEAD.size + len(body)
        index = ChunkIndex(length, at, "", size, chunk.message_end_time, 0, {}, chunk.message_start_time, size)
        return _Chunk(index, messages)

    def _missing_index(self, data: Any) -> None:
        """The last chunk's records that say where its messages are, where they are not all there."""
        from mcap.records import MessageIndex

        last = self.chunks[-1]
        if last.indexed == len(last.messages):
            return
        for channel, messages in last.messages.items():
            if channel not in last.index.message_index_offsets:
                before = data.count
                last.index.message_index_offsets[channel] = self.end + before
                MessageIndex(channel, messages).write(data)
                last.index.message_index_length += data.count - before

    def _groups(self) -> Iterator[tuple[int, list[Any]]]:
        from mcap.records import Statistics

        indexes = [chunk.index for chunk in self.chunks]
        counts = self._counts()
        schemas, channels = list(self._schemas.values()), list(self._channels.values())
        statistics = Statistics(
            attachment_count=0,
            channel_count=len(channels),
            channel_message_counts=dict(counts),
            chunk_count=len(indexes),
            message_count=sum(counts.values()),
            message_end_time=max(index.message_end_time for index in indexes),
            message_start_time=min(index.message_start_time for index in indexes),
            metadata_count=len(self._metadata),
            schema_count=len(schemas),
        )
        yield _SCHEMA, schemas
        yield _CHANNEL, channels
        yield _STATISTICS, [statistics]
        yield _CHUNK_INDEX, indexes
        yield _METADATA_INDEX, self._metadata

    def _counts(self) -> Counter[int]:
        counts: Counter[int] = Counter()
        for chunk in self.chunks:
            counts.update({channel: len(found) for channel, found in chunk.messages.items()})
        return counts


def _records(file: IO[bytes], at: int = _MAGIC) -> Iterator[tuple[int, int, bytes]]:
    """Letter, place and content of each record that is whole, one after the other."""
    size = file.seek(0, os.SEEK_END)
    while at + _HEAD.size <= size:
        file.seek(at)
        letter, length = _HEAD.unpack(file.read(_HEAD.size))
        if not letter or at + _HEAD.size + length > size:
            return
        yield letter, at, file.read(length)
        at += _HEAD.size + length


def _bytes(builder: Any) -> bytes:
    return bytes(builder.end())
