"""The new model that `edge-ai run --update` tries while the robot runs."""

from __future__ import annotations

import threading
from pathlib import Path

from edge_ai.core.errors import EdgeAIError
from edge_ai.runtime.swap.hot_swap import HotSwap


class Updating:
    """Stages a model and switches to it on a thread of its own.

    Args:
        swap: open.
        path: folder of a signed set, or a model card.

    Attributes:
        switched: whether it was let answer.
    """

    def __init__(self, swap: HotSwap, path: Path) -> None:
        self._swap, self._path = swap, path
        self.switched = False
        self._refused = ""
        self._thread = threading.Thread(target=self._run, name="update", daemon=True)
        self._thread.start()

    def report(self) -> list[str]:
        """How it stands now: a line of the whole, one of each thing that was examined."""
        status = self._swap.status
        whole = f"{status.active} answers, {status.state.value}; {self._refused or status.message}"
        return [f"update: {whole}", *(f"  {check}" for check in status.checks)]

    def _run(self) -> None:
        try:
            self._swap.stage(self._path)
            self._swap.switch()
            self.switched = True
        except EdgeAIError as error:
            self._refused = str(error)
