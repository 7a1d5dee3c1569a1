"""How far TensorRT is with a build; it tells from 10.0 on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from edge_ai.backends import trt_api

if TYPE_CHECKING:
    import tensorrt as trt

Progress = Callable[[str, int, int], bool]
"""Told of each step: phase, steps done and steps in all (0: unknown). Returns whether to go on."""


def tell_progress(module: Any, config: trt.IBuilderConfig, progress: Progress) -> None:
    """Have a build tell of its steps, where TensorRT can.

    Args:
        module: tensorrt.
        config: of the build.
        progress: told.
    """
    base = trt_api.optional(module, "IProgressMonitor")
    if base is None:
        return

    class Monitor(base):  # type: ignore[misc, valid-type]
        def __init__(self) -> None:
            base.__init__(self)
            self._steps: dict[str, int] = {}

        def phase_start(self, phase_name: str, _parent: str | None, num_steps: int) -> None:
            self._steps[phase_name] = num_steps

        def step_complete(self, phase_name: str, step: int) -> bool:
            return progress(phase_name, step + 1, self._steps.get(phase_name, 0))

        def phase_finish(self, phase_name: str) -> None:
            self._steps.pop(phase_name, None)

    config.progress_monitor = Monitor()
