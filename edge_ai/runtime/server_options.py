"""How a model card is to be served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge_ai.processing.serving import InputKind

ServerBackend = Literal["python", "onnxruntime", "tensorrt"]


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How a card is to be served.

    Attributes:
        backend: "python": by this package; else by Triton's ONNX Runtime, which takes tensors only.
        takes: what clients send.
        name: of the model on the server; empty: the card's, with "_image" or "_tensor" where clients send those.
        max_batch: requests that share an inference at most; 0: none do. Only for models of any batch size.
        queue: requests that may wait; more are refused, so that a robot goes elsewhere at once.
        timeout: seconds a request waits at most, where it does not say so itself.
        instances: copies of the model.
        parameters: of the inference node, for backend "python": {"providers": "cuda"}.
    """

    backend: ServerBackend = "python"
    takes: InputKind = "jpeg"
    name: str = ""
    max_batch: int = 0
    queue: int = 16
    timeout: float = 1.0
    instances: int = 1
    parameters: tuple[tuple[str, str], ...] = ()
