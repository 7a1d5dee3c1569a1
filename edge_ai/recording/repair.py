"""Gives recordings an end whose recorder died: index, statistics, footer."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
from pathlib import Path
from typing import IO

from edge_ai.recording.mcap_remains import Remains

MAGIC = b"\x89MCAP0\r\n"
_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
_log = logging.getLogger(__name__)


def repair(path: Path) -> int | None:
    """Cut a file behind its last whole chunk and give it an end, in place. Where there is no room for one, the last
    chunks make it. One without a whole chunk is deleted.

    Args:
        path: an MCAP file of `McapFile`.

    Returns:
        How many messages it holds; None: there was nothing to do, or somebody is writing it.

    Raises:
        OSError: it cannot be read or written; it may be tried again.
    """
    with path.open("r+b", buffering=0) as file:
        if has_end(file):
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        remains = Remains.of(file)
        if not remains.chunks:
            path.unlink()
            return 0
        while True:
            try:
                _end(file, remains)
                break
            except OSError as error:
                if error.errno not in _FULL or len(remains.chunks) < 2:
                    raise
                remains.drop_last()
        return remains.messages


def repair_all(paths: list[Path]) -> None:
    """Repair what needs it; what cannot be is left for the next time."""
    for path in paths:
        try:
            held = repair(path)
            if held is not None:
                what = f"has an end now, and holds {held} messages" if held else "held nothing, and is deleted"
                _log.warning("recording '%s' had no end, for its recorder died; it %s", path.name, what)
        except OSError as error:
            _log.warning("recording '%s' cannot be repaired now: %s", path.name, error.strerror)


def has_end(file: IO[bytes]) -> bool:
    """Whether an MCAP file was finished."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - len(MAGIC), 0))
    return file.read(len(MAGIC)) == MAGIC and size > len(MAGIC)


def _end(file: IO[bytes], remains: Remains) -> None:
    file.truncate(remains.end)
    file.seek(remains.end)
    rest = memoryview(remains.tail() + MAGIC)
    while rest:
        rest = rest[file.write(rest) :]
    os.fsync(file.fileno())
