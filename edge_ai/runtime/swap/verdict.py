"""What becomes of a model on probation."""

from __future__ import annotations

import logging
import threading

from edge_ai.core.errors import EdgeAIError
from edge_ai.runtime.swap.kept import KeptModel
from edge_ai.runtime.swap.serving import Serving, Watched
from edge_ai.runtime.swap.status import Check, StatusBoard, SwapState

log = logging.getLogger(__name__)


class Verdict:
    """Takes a model back, or confirms it; whichever comes first. Thread-safe.

    Args:
        serving: what answers, and what is on probation.
        kept: what a restart begins with.
        board: where it is written down.
        changed: held while something changes; told when a model is taken back.
    """

    def __init__(self, serving: Serving, kept: KeptModel, board: StatusBoard, changed: threading.Condition) -> None:
        self._serving, self._kept, self._board, self._changed = serving, kept, board, changed

    def judge(self, watched: Watched) -> None:
        """Decide, if it is time.

        Raises:
            DeploymentError: somebody else has taken it back meanwhile.
        """
        if fault := watched.probation.fault:
            self.take_back(watched, fault)
        elif watched.probation.progress >= 1.0:
            self._confirm(watched)

    def take_back(self, watched: Watched | None, reason: str) -> None:
        """Let the model before answer again.

        Raises:
            DeploymentError: this one is not on probation.
        """
        with self._changed:
            status = self._board.status
            if watched is None or watched is not self._serving.watched:
                raise self._board.refusal("roll back", "on probation")
            self._serving.take_back(watched)
            message = f"{watched.new.name} is taken back, {watched.before.name} answers again: {reason}"
            checks = (*status.checks, Check("probation", False, f"{reason} ({watched.probation.summary})"))
            changes = {"active": watched.before.name, "checks": checks, "rollbacks": status.rollbacks + 1}
            self._board.note(SwapState.IDLE, message, candidate="", progress=0.0, **changes)
            log.error("%s", message)
            self._changed.notify_all()
        self._board.tell()

    def _confirm(self, watched: Watched) -> None:
        with self._changed:
            if self._serving.watched is not watched:
                return
            message = f"{watched.new.name} has proved itself{self._keep(watched)}"
            self._serving.keep(watched)
            checks = (*self._board.status.checks, Check("probation", True, watched.probation.summary))
            self._board.note(SwapState.IDLE, message, candidate="", progress=0.0, checks=checks)
            log.info("%s: %s", message, watched.probation.summary)
        self._board.tell()

    def _keep(self, watched: Watched) -> str:
        """Have restarts begin with it, and only then older ones refused; what is wrong with that, in words."""
        try:
            self._kept.keep(watched.new)
            watched.admitted.confirm()
        except Exception as error:
            log.error("%s", error, exc_info=not isinstance(error, EdgeAIError))
            return f", but a restart may begin with another model: {error}"
        return ""
