"""A new model tried in a process of its own, before it comes near the one that serves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from edge_ai.core.errors import DeploymentError
from edge_ai.runtime.child import Child, Ended
from edge_ai.runtime.engine_job import error_from
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.swap.status import Check

_MIB = 1 << 20


class TrialRequest(BaseModel):
    """What to try.

    Attributes:
        params: how to run it; ``model`` is the card.
        golden: folder of golden answers; empty: there are none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    params: InferenceParams
    golden: str = ""


class Trial:
    """Has a model and its variants loaded, warmed up, run and asked for its golden answers elsewhere.

    Whatever it does there, crash, hang or eat memory, is told as an error here.

    Args:
        params: how it would be run here; ``model`` is its card.
        golden: folder of golden answers.
        timeout: seconds it may take.
        memory_limit: bytes it may use; 0: as of `Child`.
        say: told in words what it is at.
    """

    def __init__(
        self,
        params: InferenceParams,
        golden: Path | None,
        *,
        timeout: float,
        memory_limit: int = 0,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._request = TrialRequest(params=params, golden=str(golden or ""))
        self._child = Child(
            "edge_ai.runtime.swap.trial_worker",
            say=lambda message: say(message["phase"]),
            memory_limit=memory_limit,
            timeout=timeout,
        )

    def run(self) -> tuple[Check, ...]:
        """What was examined, some of it perhaps failed.

        Raises:
            EdgeAIError: the model cannot be loaded or run, or the process crashed or was ended, and why.
        """
        ended = self._child.run(self._request.model_dump_json())
        if "checks" in ended.answer:
            return tuple(Check(**check) for check in ended.answer["checks"])
        raise error_from(ended.answer["error"]) if "error" in ended.answer else self._ended(ended)

    def stop(self) -> None:
        """Give it up; `run` then raises."""
        self._child.stop()

    def _ended(self, ended: Ended) -> DeploymentError:
        what = f"trying '{self._request.params.model}' in another process"
        mend = (
            ""
            if self._child.stopped
            else "see whether the model runs: edge-ai run; raise swap.trial_* if it needs more"
        )
        return DeploymentError(what, got=ended.killed_for or ended.how(), mend=mend)
