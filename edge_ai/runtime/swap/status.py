"""How an update of the model stands."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from edge_ai.core.errors import DeploymentError

log = logging.getLogger(__name__)


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


class StatusBoard:
    """The status, and who is told of it.

    Args:
        on_change: called with it; always with the newest, so that nobody is left with an older one.
    """

    def __init__(self, on_change: Callable[[SwapStatus], None]) -> None:
        self.status, self._on_change = SwapStatus(), on_change
        self._writing, self._telling = threading.Lock(), threading.Lock()

    def note(self, state: SwapState, message: str, **changes: Any) -> None:
        """Write it down; nobody is told yet."""
        with self._writing:
            self.status = replace(self.status, state=state, message=message, **changes)

    def refusal(self, action: str, wanted: str, got: str = "") -> DeploymentError:
        """Why an action cannot be.

        Args:
            action: what was asked for.
            wanted: the state in which it can be.
            got: where it stands; default: the state, and of what.
        """
        status = self.status
        stands = f"{status.state.value}{f' with {status.candidate}' if status.candidate else ''}"
        return DeploymentError(f"a model update cannot {action} now", got=got or stands, wanted=wanted)

    def tell(self) -> None:
        """Tell of what stands there; who cannot be told holds no update up."""
        with self._telling:
            try:
                self._on_change(self.status)
            except Exception:
                log.exception("telling how an update of the model stands failed")
