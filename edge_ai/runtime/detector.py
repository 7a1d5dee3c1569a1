"""What runs frames: one model, or one that can be exchanged while it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from edge_ai.core.types import Frame, Result


class Detector(Protocol):
    """As `edge_ai.runtime.model.Model` and `edge_ai.runtime.switchable.SwitchableModel`, whatever the task."""

    @property
    def single(self) -> str:
        """Why an inference takes one image only; empty if it takes several."""

    def request(self, size: int = 1) -> Any:
        """Buffers of one worker thread, for up to so many images; what `detect` takes."""

    def detect(self, frames: Sequence[Frame], request: Any) -> list[Result]:
        """Run frames in one inference; a result for each, in their order."""
