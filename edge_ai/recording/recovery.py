"""Makes recordings of the copies that recorders left behind whose process died."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge_ai.core.clock import NS
from edge_ai.recording.disk import Folder
from edge_ai.recording.locks import lock_folder
from edge_ai.recording.mcap_file import McapFile
from edge_ai.recording.params import MIB, RecorderParams
from edge_ai.recording.repair import repair

REASON = "crash: the recorder's process died"
_log = logging.getLogger(__name__)


def recover(place: Path, folder: Folder, params: RecorderParams) -> None:
    """Make a recording of each copy whose process is gone.

    Of those that cannot be written now, as on a disk without room, the newest stays for the next start.
    """
    kept: tuple[Path, int] | None = None
    for left in sorted(place.glob("box-*"), key=_age):
        try:
            lock = lock_folder(left)
        except OSError:
            continue  # its process lives
        if "crash" not in params.triggers or _recorded(left, folder, params):
            _discard(left, lock)
            continue
        if kept is not None:
            _discard(*kept)
        kept = left, lock
    if kept is not None:
        os.close(kept[1])


def _age(box: Path) -> int:
    with contextlib.suppress(OSError):
        return box.stat().st_mtime_ns
    return 0


def _discard(box: Path, lock: int) -> None:
    shutil.rmtree(box, ignore_errors=True)
    os.close(lock)


def _recorded(box: Path, folder: Folder, params: RecorderParams) -> bool:
    try:
        _record(sorted(box.glob("*.mcap")), folder, params)
    except Exception as error:
        words = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        _log.warning("the last seconds of a recorder that died cannot be written now: %s", words)
        return False
    return True


def _record(parts: list[Path], folder: Folder, params: RecorderParams) -> None:
    for part in parts:
        repair(part)
    there = [part for part in parts if part.exists()]
    last = max((message.log_time for _, _, message in _messages(there)), default=0)
    if not last:
        return
    path = folder.name(last, REASON)
    folder.make_room(sum(part.stat().st_size for part in there), path, params.max_disk * MIB, params.min_free * MIB)
    file = McapFile(path)
    try:
        _fill(file, there, last)
    except BaseException:
        file.abandon()
        path.unlink(missing_ok=True)  # the copy is still there
        raise
    _log.warning("'%s' holds the last seconds of a recorder whose process died", path.name)


def _fill(file: McapFile, parts: list[Path], last: int) -> None:
    seen: set[tuple[str, int, int]] = set()
    file.add_metadata("edge_ai_flight", {"reason": REASON, "trigger": f"{last // NS}.{last % NS:09d}"})
    for schema, channel, message in _messages(parts):
        if (twice := (channel.topic, message.publish_time, zlib.crc32(message.data))) not in seen:
            seen.add(twice)  # what lasts is in each part
            file.add(channel.topic, schema.name, message.data, message.log_time, message.publish_time)
    file.finish()


def _messages(parts: list[Path]) -> Iterator[tuple[Any, Any, Any]]:
    from mcap.reader import make_reader

    for part in parts:
        with part.open("rb") as file:
            yield from make_reader(file).iter_messages(log_time_order=False)
