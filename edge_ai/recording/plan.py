"""From when to when a recording is to go."""

from __future__ import annotations

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
    """

    path: Path
    reasons: list[tuple[int, str]]
    oldest_ns: int
    end_ns: int
    limit_ns: int
    lasting: list[Entry] = field(default_factory=list)

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
