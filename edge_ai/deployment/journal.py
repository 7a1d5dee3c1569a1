"""What a deployment has done so far, on the disk before its next step begins: whoever comes after a crash goes on."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from edge_ai.core.errors import DeploymentError


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
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with lock.open("w") as held:
                try:
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    mend = "let that one end, or end it; then start this again"
                    raise DeploymentError(what, got="another deployment at work on it", mend=mend) from None
                self._entries = self._read()
                yield self
        except OSError as error:
            raise DeploymentError(what, got=error.strerror, wanted="a folder that can be written") from None

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
            with self.path.open("ab") as stream:
                stream.write(line.encode())
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            mend = "free some space; nothing was done that is not in it"
            raise DeploymentError(f"journal '{self.path}'", got=error.strerror, mend=mend) from None
        self._entries.append(entry)
        return entry

    def _read(self) -> list[Entry]:
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        torn = lines.pop()
        if torn:
            os.truncate(self.path, self.path.stat().st_size - len(torn))
        return [self._entry(number, line) for number, line in enumerate(lines, 1)]

    def _entry(self, number: int, line: bytes) -> Entry:
        try:
            facts = json.loads(line)
            return Entry(facts.pop("step"), facts.pop("at"), facts)
        except (ValueError, KeyError, TypeError, AttributeError):
            mend = "move the file away; then see by hand which side serves"
            raise DeploymentError(f"journal '{self.path}' line {number}", got=line[:60], mend=mend) from None
