"""Parameters of the inference node: the only place with their defaults, ranges, units and descriptions."""

from __future__ import annotations

from typing import Literal

from edge_ai.core.params import Params, param


class InferenceParams(Params):
    """What model to run, on what, and how."""

    model: str = param("", "Path of a model card (YAML); empty: the detector that comes with the package.")
    backend: Literal["auto", "onnxruntime"] = param("auto", "Inference engine; auto: the best that takes the model.")
    providers: list[str] = param(
        ["cpu"], "ONNX Runtime execution providers, best first: cpu, cuda, tensorrt. The first must be usable."
    )
    threads: int = param(
        0, "Threads of one inference; 0: one for each physical core, divided among the workers.", ge=0, le=256
    )
    allow_spinning: bool = param(
        False, "Let idle inference threads spin: a little faster alone, much slower beside other work."
    )
    workers: int = param(1, "Frames in inference at once; more raises throughput and latency.", ge=1, le=16)
    warm_up: int = param(2, "Inferences on an empty image before the node is ready.", ge=0, le=100)
    score_threshold: float = param(
        0.0, "Least score of a detection, 0 to 1; 0: as the model card says.", ge=0.0, le=1.0, live=True
    )
    classes: list[str] = param([""], "Names of the classes to report; empty: all the model knows.", live=True)
    transport: Literal["raw", "compressed"] = param(
        "raw", "Camera topic to read: raw images, or JPEG from camera/image_raw/compressed."
    )
    report_period: float = param(10.0, "Time between performance lines in the log; 0: none.", unit="s", ge=0, le=3600)
