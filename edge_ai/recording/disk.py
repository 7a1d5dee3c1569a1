"""The folder of recordings: names, and how much room they take."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from edge_ai.core.clock import NS
from edge_ai.core.errors import ParameterError
from edge_ai.recording.locks import lock
from edge_ai.recording.params import MIB

_NAME = re.compile(r"flight_(\d{6,})_.*\.mcap")
_WRONG = (errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.EROFS)


@dataclass(frozen=True, slots=True)
class Stored:
    """A finished recording, or one under way.

    Attributes:
        number: later ones have greater ones, whatever the clock said.
        path: where it is.
        size: bytes.
    """

    number: int
    path: Path
    size: int


class Folder:
    """Where recordings are. Only files of the recorder's own names are ever touched: a renamed one is kept for good.

    Args:
        path: the folder; it is made if it is missing.

    Raises:
        ParameterError: it cannot be, or not be written to. A disk that is full is no reason.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            if not os.access(path, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, "not writable")
        except OSError as error:
            if error.errno in _WRONG:
                raise ParameterError(
                    "folder of recordings", got=f"{path}: {error.strerror}", wanted="a folder that can be written to"
                ) from None
        self._last = max((stored.number for stored in self.recordings()), default=0)

    def recordings(self) -> list[Stored]:
        """Those there are, the oldest first."""
        return sorted(self._found(), key=lambda stored: stored.number)

    def name(self, stamp_ns: int, reason: str) -> Path:
        """A path for a new recording; touches no disk."""
        self._last += 1
        when = datetime.fromtimestamp(stamp_ns / NS, timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        words = re.sub(r"[^a-z0-9]+", "-", reason.lower()).strip("-")[:40].rstrip("-") or "request"
        return self.path / f"flight_{self._last:06d}_{when}_{words}.mcap"

    def another(self, path: Path) -> Path:
        """A path for the same recording where another recorder of this folder has taken that one."""
        self._last = max([self._last, *(stored.number for stored in self.recordings())]) + 1
        return path.with_name(re.sub(r"\d+", f"{self._last:06d}", path.name, count=1))

    def make_room(self, need: int, writing: Path, max_bytes: int, min_free: int) -> None:
        """Delete the oldest recordings until there is room.

        Args:
            need: bytes that are to be written.
            writing: the recording under way, which is never deleted, as is none that another recorder is writing.
            max_bytes: that all recordings may take.
            min_free: bytes to be left on the volume.

        Raises:
            OSError: ENOSPC, there is no room although nothing is left to delete.
        """
        stored = self.recordings()
        others = [one for one in stored if one.path != writing]
        total = sum(one.size for one in stored)
        while words := self._short(total, need, max_bytes, min_free):
            if not others:
                raise OSError(errno.ENOSPC, f"no room: {words}")
            oldest = others.pop(0)
            if _delete(oldest.path):
                total -= oldest.size

    def _short(self, total: int, need: int, max_bytes: int, min_free: int) -> str:
        """Why there is no room; empty if there is."""
        if total + need > max_bytes:
            return f"recordings take {total / MIB:.1f} MiB and may take {max_bytes / MIB:.1f} (max_disk)"
        free = shutil.disk_usage(self.path).free
        if free - need < min_free:
            return f"{free / MIB:.1f} MiB are free, {min_free / MIB:.1f} are to stay so (min_free)"
        return ""

    def _found(self) -> Iterator[Stored]:
        try:
            with os.scandir(self.path) as entries:
                for entry in entries:
                    match = _NAME.fullmatch(entry.name)
                    if match and entry.is_file(follow_symlinks=False):
                        yield Stored(int(match[1]), Path(entry.path), entry.stat().st_size)
        except FileNotFoundError:
            return


def _delete(path: Path) -> bool:
    """Delete a recording, unless somebody is writing it; whether it is gone."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):  # gone already, or made read-only
        path.unlink(missing_ok=True)
        return True
    try:
        lock(file)
        path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        os.close(file)
    return True
