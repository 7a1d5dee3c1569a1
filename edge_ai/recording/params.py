"""Parameters of the flight recorder: the only place with their defaults, ranges, units and descriptions."""

from __future__ import annotations

from pathlib import Path

from pydantic import field_validator

from edge_ai.core.files import state_folder
from edge_ai.core.params import Params, param

MIB = 1 << 20
TRIGGERS = ("alert", "error", "crash", "emergency_stop")


class RecorderParams(Params):
    """What is kept in memory, when it is written, and how much room it may take."""

    folder: str = param(
        "", "Where recordings go; empty: edge_ai/recordings in $XDG_STATE_HOME, which is ~/.local/state by default."
    )
    before: float = param(10.0, "How much of the past a recording holds.", unit="s", ge=0, le=600, live=True)
    after: float = param(5.0, "How long it goes on after its last trigger.", unit="s", ge=0, le=600, live=True)
    max_length: float = param(
        120.0,
        "Length of one file, its past included, past which triggers no longer prolong it but begin another.",
        unit="s",
        ge=1,
        le=3600,
        live=True,
    )
    triggers: list[str] = param(
        ["alert", "crash", "emergency_stop"],
        "What begins a recording besides a request: alert, error (an alert of that level), crash, emergency_stop; "
        "empty: nothing.",
        live=True,
    )
    alert_pause: float = param(
        300.0, "Least time between two recordings for the same alert.", unit="s", ge=0, le=86400, live=True
    )
    max_memory: int = param(
        64, "Most memory that messages may take; the oldest of the largest topic go first.", unit="MiB", ge=1, le=65536
    )
    black_box: bool = param(
        True,
        "Keep a copy of the last seconds in /dev/shm, so that the next start records a death of the recorder's own "
        "process; takes as much memory again.",
    )
    max_disk: int = param(
        1024, "Most room that recordings may take; the oldest are deleted.", unit="MiB", ge=1, le=16777216, live=True
    )
    min_free: int = param(
        512, "Least room to leave free on their volume; nothing is written below.", unit="MiB", ge=0, live=True
    )
    frame_rate: float = param(10.0, "Most frames of a camera to keep a second.", unit="Hz", ge=0.1, le=120, live=True)
    jpeg_quality: int = param(85, "Quality of frames that come uncompressed.", ge=1, le=100, live=True)
    topics: list[str] = param([""], "Topics to record besides those of this package's nodes; empty: none.")

    @field_validator("triggers")
    @classmethod
    def _check_triggers(cls, triggers: list[str]) -> list[str]:
        unknown = [name for name in triggers if name and name not in TRIGGERS]
        if unknown:
            raise ValueError(f"{', '.join(map(repr, unknown))} is none of {', '.join(TRIGGERS)}")
        return triggers

    def place(self) -> Path:
        """The folder, as a path."""
        if self.folder:
            return Path(self.folder).expanduser()
        return state_folder() / "recordings"
