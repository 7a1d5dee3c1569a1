"""Which batching a model gets."""

from __future__ import annotations

from edge_ai.batching.adaptive import AdaptivePolicy
from edge_ai.batching.policy import BatchPolicy, FixedPolicy
from edge_ai.runtime.detector import Detector
from edge_ai.runtime.params import InferenceParams


def policy_for(params: InferenceParams, model: Detector) -> tuple[BatchPolicy, str]:
    """How images of several cameras share an inference of an open model.

    Returns:
        The policy, and in words what it does; a model without a batch dimension gets single images, and it says so.
    """
    size = params.max_batch or len(params.cameras)
    if size == 1:
        return FixedPolicy(), "single images"
    if model.single:
        return FixedPolicy(), f"single images instead of batches of {size}: {model.single}"
    if params.batching == "fixed":
        wait = f"{params.batch_wait * 1e3:g} ms"
        return FixedPolicy(size, params.batch_wait), f"batches of {size}, or what has come within {wait}"
    return AdaptivePolicy(size), f"batches of up to {size}, as measured"
