"""How an update of the model stands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class SwapState(Enum):
    """Where an update is; the values are the constants of edge_ai/msg/ModelUpdate."""

    IDLE = "idle"
    STAGING = "staging"
    CHECKING = "checking"
    SHADOW = "shadow"
    READY = "ready"
    PROBATION = "probation"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was examined.

    Attributes:
        name: what.
        passed: whether it may go on.
        detail: what was found, in words with figures.
    """

    name: str
    passed: bool
    detail: str

    def __str__(self) -> str:
        return f"{self.name}: {self.detail}" if self.passed else f"{self.name} failed: {self.detail}"


@dataclass(frozen=True, slots=True)
class SwapStatus:
    """A model update as seen from outside.

    Attributes:
        state: where it is.
        active: name and version of what answers.
        candidate: of what is staged or on probation; empty: nothing.
        checks: what was examined of the newest candidate so far.
        progress: of the present state, 0 to 1.
        message: what happened last, and why.
        switches: to new models since `HotSwap.open`.
        rollbacks: how many of these were taken back.
    """

    state: SwapState = SwapState.IDLE
    active: str = ""
    candidate: str = ""
    checks: tuple[Check, ...] = ()
    progress: float = 0.0
    message: str = ""
    switches: int = 0
    rollbacks: int = 0
