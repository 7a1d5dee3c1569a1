"""What a built engine must pass on the device before it serves: an interface, filled by whoever knows the data."""

from __future__ import annotations

from typing import Protocol

from edge_ai.backends.base import Backend
from edge_ai.backends.engine_manifest import Verdict as Verdict


class Gate(Protocol):
    """Judges an engine by what it answers.

    FP16 is judged, too, and every engine again after a change of TensorRT, driver or board software: a sound ONNX file
    whose engine answers nonsense is the commonest trouble with engines.
    """

    name: str

    def judge(self, candidate: Backend, reference: Backend) -> Verdict:
        """Compare an engine with the model it was built from.

        Args:
            candidate: the engine, active.
            reference: ONNX Runtime on the processor with the same model, active.

        Returns:
            Whether it may serve, and why. What is raised counts as a refusal.
        """
