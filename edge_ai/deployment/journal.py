"""What a deployment has done so far, on the disk before its next step begins: whoever comes after a crash goes on."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from edge_ai.core.errors import DeploymentError
from edge_ai.core.files import sync_folder


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a journal.

    Attributes:
        step: what was done or decided.
        at: when, ISO 8601 in UTC.
        facts: what is to be known of it later.
    """

    step: str
    at: str
    facts: Mapping[str, Any]


class Journal:
    """A file of JSON lines to which is only ever added; a last line torn by a power cut counts as never written.

    Args:
        path: of the file; its folder is made by `opened`.

    Example:
        >>> with Journal(Path("state/deploy.jsonl")).opened() as journal:      # doctest: +SKIP
        ...     journal.write("started", side="green")
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries: list[Entry] = []

    @contextlib.contextmanager
    def opened(self) -> Iterator[Journal]:
        """Read it, and keep others from writing until the block ends.

        Raises:
            DeploymentError: another process has it open, it cannot be had, or a line before the last is no entry.
        """
        lock = self.path.with_name(f".{self.path.name}.lock")
        what = f"journal '{self.path}'"
        with contextlib.ExitStack() as stack:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                fcntl.flock(stack.enter_context(lock.open("w")), fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.path.touch()
                sync_folder(self.path.parent)
                lines, torn = self._lines()
                if torn:
                    os.truncate(self.path, self.path.stat().st_size - len(torn))
            except BlockingIOError:
                mend = "let that one end, or end it; then start this again"
                raise DeploymentError(what, got="another deployment at work on it", mend=mend) from None
            except OSError as error:
                raise DeploymentError(what, got=error.strerror, wanted="a folder that can be written") from None
            self._entries = self._parse(lines)
            yield self

    def read(self) -> tuple[Entry, ...]:
        """All that stands in it, oldest first, while others may be writing; changes nothing. Empty where there is none.

        Raises:
            DeploymentError: it cannot be read, or a line before the last is no entry.
        """
        try:
            lines, _ = self._lines()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise DeploymentError(f"journal '{self.path}'", got=error.strerror) from None
        return tuple(self._parse(lines))

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All that stands in it, oldest first; empty before `opened`."""
        return tuple(self._entries)

    def last(self, *steps: str) -> Entry | None:
        """The newest entry, of one of these steps where any are given."""
        return next((entry for entry in reversed(self._entries) if not steps or entry.step in steps), None)

    def write(self, step: str, **facts: Any) -> Entry:
        """Add an entry; it is on the disk when this returns.

        Raises:
            DeploymentError: the disk refuses; then nothing may be done that the entry was to tell of.
        """
        entry = Entry(step, datetime.now(timezone.utc).isoformat(timespec="milliseconds"), facts)
        line = json.dumps({"step": step, "at": entry.at, **facts}) + "\n"
        try:
            self._append(line.encode())
        except OSError as error:
            mend = "free some space; nothing was done that is not in it"
            raise DeploymentError(f"journal '{self.path}'", got=error.strerror, mend=mend) from None
        self._entries.append(entry)
        return entry

    def _append(self, line: bytes) -> None:
        """All of a line or nothing of it, so that a later one does not begin in the middle of it."""
        with self.path.open("ab", buffering=0) as stream:
            end = stream.seek(0, os.SEEK_END)
            try:
                if stream.write(line) != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(stream.fileno())
            except OSError:
                with contextlib.suppress(OSError):
                    stream.truncate(end)
                raise

    def _lines(self) -> tuple[list[bytes], bytes]:
        """Whole lines, and what stands behind the last of them."""
        *lines, torn = self.path.read_bytes().split(b"\n")
        return lines, torn

    def _parse(self, lines: Sequence[bytes]) -> list[Entry]:
        return [self._entry(number, line) for number, line in enumerate(lines, 1)]

    def _entry(self, number: int, line: bytes) -> Entry:
        try:
            facts = json.loads(line)
            return Entry(facts.pop("step"), facts.pop("at"), facts)
        except (ValueError, KeyError, TypeError, AttributeError):
            mend = "move the file away; then see by hand which side serves"
            raise DeploymentError(f"journal '{self.path}' line {number}", got=line[:60], mend=mend) from None
