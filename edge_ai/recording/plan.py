"""From when to when a recording is to go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edge_ai.core.clock import NS
from edge_ai.recording.params import RecorderParams
from edge_ai.recording.ring import Entry


@dataclass(slots=True)
class Plan:
    """One file; times are on the steady clock.

    Attributes:
        path: of the file.
        reasons: the triggers, each with its ROS time.
        oldest_ns: where it begins.
        end_ns: where it ends.
        limit_ns: where it ends even if triggers would prolong it.
        lasting: what held when it begins.
        newest: number of the newest message when it began.
    """

    path: Path
    reasons: list[tuple[int, str]]
    oldest_ns: int
    end_ns: int
    limit_ns: int
    lasting: list[Entry] = field(default_factory=list)
    newest: int = 0

    @classmethod
    def of(cls, path: Path, stamp_ns: int, reason: str, begin_ns: int, now_ns: int, params: RecorderParams) -> Plan:
        """A plan for a trigger at ``now_ns``; the past is that before ``begin_ns``."""
        oldest = begin_ns - round(params.before * NS)
        end = now_ns + round(params.after * NS)
        return cls(path, [(stamp_ns, reason)], oldest, end, max(end, oldest + round(params.max_length * NS)))

    def prolong(self, stamp_ns: int, reason: str, end_ns: int) -> None:
        """Let one more trigger be in it."""
        self.reasons.append((stamp_ns, reason))
        self.end_ns = max(self.end_ns, min(end_ns, self.limit_ns))

    @property
    def words(self) -> str:
        """All reasons, each once."""
        return "; ".join(dict.fromkeys(reason for _, reason in self.reasons))


class Plans:
    """The recording under way, and the one that is to follow it. Not safe for several threads.

    Args:
        name: gives a path for a new recording, from ROS time and reason.
    """

    def __init__(self, name: Callable[[int, str], Path]) -> None:
        self._name = name
        self.current: Plan | None = None
        self._following: Plan | None = None

    def trigger(self, stamp_ns: int, reason: str, now_ns: int, params: RecorderParams) -> Path:
        """Begin a recording, prolong the one under way, or begin the next where that may not go on or has ended.

        Returns:
            The file in which this moment will be.
        """
        if self.current is None:
            self.current = self._plan(stamp_ns, reason, now_ns, now_ns, params)
            return self.current.path
        plan, end = self.current, now_ns + round(params.after * NS)
        inside = now_ns <= plan.end_ns
        if inside:
            plan.prolong(stamp_ns, reason, end)
            if end <= plan.limit_ns:
                return plan.path
        if self._following is None:
            self._following = self._plan(stamp_ns, reason, plan.limit_ns if inside else now_ns, now_ns, params)
        else:
            self._following.prolong(stamp_ns, reason, end)
        return plan.path if inside else self._following.path

    def follow(self, *, wanted: bool) -> Plan | None:
        """The recording under way has ended; the one that begins now, if any is to and it is wanted."""
        self.current, self._following = self._following if wanted else None, None
        return self.current

    def oldest_ns(self, oldest_ns: int) -> int:
        """Since when messages are of use, if without another recording it is ``oldest_ns``."""
        return oldest_ns if self._following is None else min(oldest_ns, self._following.oldest_ns)

    def _plan(self, stamp_ns: int, reason: str, begin_ns: int, now_ns: int, params: RecorderParams) -> Plan:
        return Plan.of(self._name(stamp_ns, reason), stamp_ns, reason, begin_ns, now_ns, params)
