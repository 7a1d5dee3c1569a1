"""MCAP files whose end is missing, as a recorder that died or a copy that broke off leaves them.

An MCAP file is a row of records, each a letter, a length and its content, with an index behind them; readers want that
index. Here a file without it ends, for whoever reads it, after its last whole record, as the format allows.
"""

from __future__ import annotations

import io
import os
from pathlib import PosixPath
from typing import IO, Any

_MAGIC = b"\x89MCAP0\r\n"
_END = b"\x0f" + (4).to_bytes(8, "little") + bytes(4) + b"\x02" + (20).to_bytes(8, "little") + bytes(20) + _MAGIC
"""End of the data, and the file's last record, which says that there is no index."""
_HEAD = 9  # bytes before a record's content


class BagPath(PosixPath):
    """A path of a bag, and of the files in it, whose MCAP files can be read although they are cut short."""

    def open(self, mode: str = "r", *args: Any, **options: Any) -> Any:
        file = super().open(mode, *args, **options)
        if mode != "rb" or self.suffix != ".mcap":
            return file
        end = end_of_whole(file)
        file.seek(0)
        return file if end is None else io.BufferedReader(_Ended(file, end))


def end_of_whole(file: IO[bytes]) -> int | None:
    """Where the last whole record of an MCAP file ends; None if the file has its end, or is no MCAP file."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - len(_MAGIC), 0))
    ended = file.read() == _MAGIC and size > len(_MAGIC)
    file.seek(0)
    if ended or file.read(len(_MAGIC)) != _MAGIC:
        return None
    at = len(_MAGIC)
    while True:
        file.seek(at)
        head = file.read(_HEAD)
        after = at + _HEAD + int.from_bytes(head[1:], "little")
        if len(head) < _HEAD or after > size:
            return at
        at = after


class _Ended(io.RawIOBase):
    """A file up to somewhere, and then the end of an MCAP file."""

    def __init__(self, file: IO[bytes], end: int) -> None:
        self._file, self._end, self._at = file, end, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end + len(_END)}[whence]
        self._at = max(start + offset, 0)
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        if self._at < self._end:
            self._file.seek(self._at)
            data = self._file.read(min(len(view), self._end - self._at))
        else:
            data = _END[self._at - self._end :][: len(view)]
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()
