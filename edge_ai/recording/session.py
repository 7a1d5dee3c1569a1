"""Writes one recording, on the recorder's own thread; the disk may be as slow or full as it likes."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from edge_ai import __version__
from edge_ai.core.clock import NS, Clock
from edge_ai.recording import fields
from edge_ai.recording.cdr import encode
from edge_ai.recording.disk import Folder
from edge_ai.recording.mcap_file import CHUNK, McapFile
from edge_ai.recording.messages import RECORDER_STATUS as STATUS
from edge_ai.recording.messages import STRING
from edge_ai.recording.params import MIB, RecorderParams
from edge_ai.recording.plan import Plan
from edge_ai.recording.repair import repair
from edge_ai.recording.ring import Entry
from edge_ai.recording.state import RecorderState

STATUS_TOPIC, LOSSES_TOPIC = "/recorder/status", "/recorder/losses"
_COMMIT_S = 0.5
_RETRY_S = 1.0
_STATUS_S = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Portion:
    """What is to be written next.

    Attributes:
        entries: messages in the order of their arrival.
        over: whether they are the last.
        state: of the recorder.
        missing: messages that the recording lacks, by topic.
        params: as they are now.
    """

    entries: Sequence[Entry]
    over: bool
    state: RecorderState
    missing: Mapping[str, int]
    params: RecorderParams


class Session:
    """One file. A disk that fails is tried again once a second; until then messages wait in the ring.

    Args:
        plan: what the file is to hold.
        folder: where it is.
        clock: stamps what the recorder itself adds.
        params: as they are now.

    Attributes:
        made: whether there is such a file.
        committed: number of the newest message in it; -1: it has none yet.
        fault: why nothing can be written; empty if it can.
        lost: messages that were given up although they had been taken, by topic.
    """

    def __init__(self, plan: Plan, folder: Folder, clock: Clock, params: RecorderParams) -> None:
        self._plan, self._folder, self._clock, self._params = plan, folder, clock, params
        self._file: McapFile | None = None
        self._unwritten: Counter[str] = Counter()
        self._unwritten_bytes = self._added = self._newest = 0
        self._committed = self._retry = self._told = 0.0
        self._missing: Mapping[str, int] = {}
        self.made = False
        self.committed = -1
        self.fault = ""
        self.lost: Counter[str] = Counter()

    def run(self, take: Callable[[bool], Portion], pause: Callable[[], None]) -> None:
        """Write the file from its beginning to its end.

        Args:
            take: gives the next messages, none if told that they cannot be written.
            pause: waits a little for more.
        """
        try:
            self._run(take, pause)
        except Exception as error:
            self.fault = f"{type(error).__name__}: {error}"
            if self._file is not None:
                self._file.abandon()
                self._mend()
            raise

    def _run(self, take: Callable[[bool], Portion], pause: Callable[[], None]) -> None:
        while True:
            portion = take(self._ready())
            self._params = portion.params
            if self._file is not None:
                self._write(self._file, portion)
            if portion.over:
                break
            if not portion.entries:
                pause()
        if self._file is not None:
            self._finish(self._file, portion)

    def _ready(self) -> bool:
        """Whether messages can be written now; makes the file, and writes what a failing disk has left over."""
        if self._file is not None and not self.fault:
            return True
        if self.fault and time.monotonic() < self._retry:
            return False
        return self._try(self._open if self._file is None else self._commit)

    def _write(self, file: McapFile, portion: Portion) -> None:
        for entry in portion.entries:
            self._add(file, entry)
        self._tell(file, portion)
        due = time.monotonic() - self._committed >= _COMMIT_S and bool(self._unwritten)
        if not self.fault and (due or self._unwritten_bytes >= CHUNK):
            self._try(self._commit)

    def _finish(self, file: McapFile, portion: Portion) -> None:
        """Say in the file what is missing from it, and end it."""
        self._tell(file, portion, last=True)
        file.add_metadata("edge_ai_flight_end", self._summary(portion.missing))
        try:
            self._room()
            file.finish()
            self.fault = ""
        except OSError as error:
            self._failed(error)
            file.abandon()
            self._mend()

    def _mend(self) -> None:
        """Give the file the end that its disk has room for, and count what went for it."""
        self.lost = +self._unwritten
        try:
            held = repair(self._plan.path)
        except OSError:
            return  # the next start tries again
        self.made = bool(held)
        if held is not None and held < self._added - sum(self.lost.values()):
            self.lost["?"] = self._added - sum(self.lost.values()) - held

    def _open(self) -> None:
        self._room()
        try:
            file = McapFile(self._plan.path)
        except FileExistsError:
            self._plan.path = self._folder.another(self._plan.path)
            file = McapFile(self._plan.path)
        self._file, self.made, self._committed = file, True, time.monotonic()
        (stamp, reason), *_ = self._plan.reasons
        about = {"edge_ai": __version__, "reason": reason, "trigger": _seconds(stamp)}
        about |= {"before": f"{self._params.before:g} s", "after": f"{self._params.after:g} s"}
        file.add_metadata("edge_ai_flight", about)
        for entry in self._plan.lasting:
            self._add(file, entry)
        self._newest = 0  # those of the ring are still to come
        self._commit()

    def _add(self, file: McapFile, entry: Entry) -> None:
        file.add(entry.topic, entry.schema, entry.data, entry.stamp_ns, entry.published_ns)
        self._unwritten[entry.topic] += 1
        self._unwritten_bytes += entry.size
        self._added += 1
        self._newest = max(self._newest, entry.number)

    def _commit(self) -> None:
        assert self._file is not None
        self._room()
        self._file.commit()
        self._unwritten.clear()
        self._unwritten_bytes = 0
        self.committed = self._newest
        self._committed = time.monotonic()

    def _room(self) -> None:
        need = self._unwritten_bytes + CHUNK
        self._folder.make_room(need, self._plan.path, self._params.max_disk * MIB, self._params.min_free * MIB)

    def _tell(self, file: McapFile, portion: Portion, *, last: bool = False) -> None:
        """Put the recorder's own state, and what the file lacks, into the file."""
        stamp, now = self._clock.stamp_ns(), time.monotonic()
        if last or portion.missing != self._missing:
            self._missing = portion.missing
            words = encode(STRING, {"data": json.dumps(portion.missing, sort_keys=True)})
            self._add(file, Entry(0, 0, stamp, LOSSES_TOPIC, STRING, words, published_ns=stamp))
        if last or now - self._told >= _STATUS_S:
            self._told = now
            values = asdict(portion.state)
            del values["losses"]
            words = encode(STATUS, {"header": fields.header(stamp), **values})
            self._add(file, Entry(0, 0, stamp, STATUS_TOPIC, STATUS, words, published_ns=stamp))

    def _summary(self, missing: Mapping[str, int]) -> dict[str, str]:
        triggers = [f"{_seconds(stamp)} {reason}" for stamp, reason in self._plan.reasons]
        by_topic = {f"missing {topic}": str(count) for topic, count in sorted(missing.items())}
        return {"triggers": "\n".join(triggers), "missing": str(sum(missing.values())), "fault": self.fault, **by_topic}

    def _try(self, action: Callable[[], None]) -> bool:
        try:
            action()
        except OSError as error:
            self._failed(error)
            return False
        if self.fault:
            _log.info("recording '%s' can be written again", self._plan.path.name)
            self.fault = ""
        return True

    def _failed(self, error: OSError) -> None:
        words = f"recording '{self._plan.path.name}' cannot be written: {error.strerror or error}"
        if words != self.fault:
            _log.warning("%s", words)
        self.fault, self._retry = words, time.monotonic() + _RETRY_S


def _seconds(stamp_ns: int) -> str:
    return f"{stamp_ns // NS}.{stamp_ns % NS:09d}"
