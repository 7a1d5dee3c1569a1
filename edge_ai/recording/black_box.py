"""A copy of the last seconds that outlives the recorder's process: shared memory, in files that nobody else sees.

Python's own hooks see an exception; nothing in a process sees its SIGKILL, a fault in a driver's library, or the kernel
choosing it when memory is short. The next start finds the copy and makes a recording of it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_ai.recording.disk import Folder
from edge_ai.recording.locks import lock_folder
from edge_ai.recording.mcap_file import McapFile
from edge_ai.recording.params import MIB, RecorderParams
from edge_ai.recording.recovery import recover
from edge_ai.recording.ring import Entry

SHARED_MEMORY = Path("/dev/shm")
PERIOD_S = 0.5
"""Time between two copies: what came since the last one is lost with the process."""
_PARTS = 3
_SHARE = 4
"""One part in so many of what is free may be taken: Fast DDS carries the robot's own messages in the same memory, and
whoever touches a page of it that is not there dies. In a container there are 64 MiB as a rule."""
_LEAST = 1 * MIB
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Part:
    file: McapFile
    begun_ns: int
    size: int = 0


class BlackBox:
    """Files of a few seconds each; the oldest is deleted when the others hold enough. For one thread.

    Args:
        place: the folder of this machine's copies for the same folder of recordings, see `place_of`.
        max_bytes: that the copy may take.

    Raises:
        OSError: there can be none.
    """

    def __init__(self, place: Path, max_bytes: int) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="box-", dir=place))
        self._lock = lock_folder(self._folder)
        self._most = max_bytes // _PARTS
        self._parts: deque[_Part] = deque()
        self._count = 0

    def keep(self, entries: Sequence[Entry], lasting: Sequence[Entry], before_ns: int) -> None:
        """Copy what is new; whoever kills the process afterwards finds it written.

        Args:
            entries: in the order of their arrival.
            lasting: what holds now, for the begin of a file.
            before_ns: how much is to be kept, at least.
        """
        try:
            for entry in entries:
                _add(self._part(entry, lasting, before_ns), entry)
            if entries:
                self._parts[-1].file.commit()
        except OSError as error:
            _log.warning("the copy of the last seconds begins anew: %s", error.strerror)
            self.clear()

    def clear(self) -> None:
        """Forget all: it is in a recording."""
        while self._parts:
            self._drop()

    def close(self) -> None:
        """Leave nothing behind."""
        self.clear()
        shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._lock)
        with contextlib.suppress(OSError):
            self._folder.parent.rmdir()  # unless another recorder is there

    def _part(self, entry: Entry, lasting: Sequence[Entry], before_ns: int) -> _Part:
        """Where a message belongs."""
        part = self._parts[-1] if self._parts else None
        if part is not None:
            if entry.steady_ns - part.begun_ns <= before_ns // (_PARTS - 1) and part.size <= self._most:
                return part
            part.file.commit()
        while len(self._parts) >= _PARTS:
            self._drop()
        self._count += 1
        part = _Part(McapFile(self._folder / f"{self._count:06d}.mcap"), entry.steady_ns)
        self._parts.append(part)
        for one in lasting:
            _add(part, one)
        return part

    def _drop(self) -> None:
        part = self._parts.popleft()
        part.file.abandon()
        part.file.path.unlink(missing_ok=True)


def box_for(folder: Folder, params: RecorderParams) -> BlackBox | None:
    """A box for the recordings of a folder, after recordings were made of what earlier ones left behind.

    None: it is not wanted, or cannot be had on this machine.
    """
    place = place_of(folder.path) if params.black_box else None
    if place is None:
        return None
    recover(place, folder, params)
    try:
        most = min(params.max_memory * MIB, shutil.disk_usage(place).free // _SHARE)
        if most < _LEAST:
            raise OSError(errno.ENOSPC, f"{SHARED_MEMORY} has hardly any room")
        return BlackBox(place, most)
    except OSError as error:
        _log.warning("no copy of the last seconds is kept: %s", error.strerror)
        return None


def place_of(recordings: Path) -> Path | None:
    """Where copies for a folder of recordings are, made if it is missing; None: not on this machine."""
    mine = SHARED_MEMORY / f"edge_ai-{os.geteuid()}"
    try:
        mine.mkdir(mode=0o700, exist_ok=True)
        if mine.is_symlink() or mine.stat().st_uid != os.geteuid():
            return None  # somebody else's trap
        place = mine / hashlib.sha256(str(recordings.absolute()).encode()).hexdigest()[:16]
        place.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return None
    return place


def _add(part: _Part, entry: Entry) -> None:
    part.file.add(entry.topic, entry.schema, entry.data, entry.stamp_ns, entry.published_ns)
    part.size += entry.size
