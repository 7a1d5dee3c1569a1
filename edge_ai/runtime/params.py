"""Parameters of the inference node: the only place with their defaults, ranges, units and descriptions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, TypeVar

from pydantic import field_validator, model_validator

from edge_ai.backends.engine_params import EngineParams
from edge_ai.backends.options import Spinning
from edge_ai.batching.fair_queue import Share
from edge_ai.core.params import param

T = TypeVar("T")
_CAMERA = re.compile(r"[A-Za-z]\w*(/[A-Za-z]\w*)*")


class InferenceParams(EngineParams):
    """What model to run, on what, and how."""

    model: str = param("", "Path of a model card (YAML); empty: the detector that comes with the package.")
    variants: list[str] = param(
        [""],
        "Paths of cards of lighter models that see the same classes, such as an INT8 one or one of a smaller input; "
        "empty: there are none.",
    )
    variant: str = param(
        "",
        "Which model answers, from one frame to the next; empty: the model itself; 1, 2 or so: that one of variants; "
        "or a card's name, or its file's without .yaml.",
        live=True,
    )
    trusted_keys: list[str] = param(
        [""],
        "Files of public keys; with any, only models of sets that one of them has signed are loaded (edge-ai sign); "
        "empty: any model is.",
    )
    artifact_store: str = param(
        "", "Folder of the signed sets that were admitted; empty: edge_ai/artifacts in the user's state folder."
    )
    variant_loading: Literal["asked", "start"] = param(
        "asked",
        "When variants are loaded; asked: in the background when first wanted, which needs memory only then; start: "
        "all at configure, so that none can fail later.",
    )
    backend: Literal["auto", "tensorrt", "onnxruntime"] = param(
        "auto", "Inference engine; auto: TensorRT where it and a GPU are there, else ONNX Runtime."
    )
    providers: list[str] = param(
        ["cpu"], "ONNX Runtime execution providers, best first: cpu, cuda, tensorrt. The first must be usable."
    )
    threads: int = param(
        0, "Threads of one inference; 0: one for each physical core, divided among the workers.", ge=0, le=256
    )
    spinning: Spinning = param(
        "short",
        "How long idle inference threads spin; short: 50 µs, from one operator to the next (before ONNX Runtime 1.26: "
        "none); long: for milliseconds, and much slower beside other work.",
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
    cameras: list[str] = param(
        [""],
        "Names of the cameras, each the namespace of its camera/image_raw and inference/results; empty: one, here.",
    )
    camera_weights: list[float] = param(
        [1.0], "Share of the model for each camera, relative to others of its priority; a single value holds for all."
    )
    camera_priorities: list[int] = param(
        [0], "Priority of each camera: higher goes first, always; a single value holds for all."
    )
    camera_rates: list[float] = param(
        [0.0], "Images of each camera inferred a second at most; 0: no cap. A single value holds for all."
    )
    batching: Literal["adaptive", "fixed"] = param(
        "adaptive",
        "How images of several cameras share an inference; adaptive: as measured, fixed: by max_batch and batch_wait.",
    )
    max_batch: int = param(
        0, "Images in one inference at most, if the model takes several; 0: one for each camera.", ge=0, le=64
    )
    batch_wait: float = param(
        0.005, "With fixed batching: how long the first image waits for others.", unit="s", ge=0, le=1
    )
    max_age: float = param(
        0.0, "An image that would be older than this when its result comes is not inferred; 0: any is.", unit="s", ge=0
    )
    report_period: float = param(10.0, "Time between performance lines in the log; 0: none.", unit="s", ge=0, le=3600)

    @field_validator("variant", mode="before")
    @classmethod
    def _number_or_name(cls, value: object) -> object:
        return str(value) if type(value) is int else value

    @model_validator(mode="after")
    def _cameras_fit(self) -> InferenceParams:
        if len(set(self.cameras)) != len(self.cameras) or (len(self.cameras) > 1 and "" in self.cameras):
            raise ValueError(f"'cameras' must have different names, got {self.cameras}")
        for camera in filter(None, self.cameras):
            if not _CAMERA.fullmatch(camera):
                raise ValueError(f"'cameras' are namespaces like front or left/upper, got {camera!r}")
        for name in ("camera_weights", "camera_priorities", "camera_rates"):
            given = len(getattr(self, name))
            if given not in (1, len(self.cameras)):
                raise ValueError(f"'{name}' has {given} values, wanted 1 or {len(self.cameras)}: one for each camera")
        if min(self.camera_weights) <= 0 or min(self.camera_rates) < 0:
            raise ValueError("'camera_weights' must be above 0 and 'camera_rates' not below")
        return self

    @property
    def lighter(self) -> int:
        """How many lighter models are named."""
        return len([card for card in self.variants if card])

    @property
    def shares(self) -> Mapping[str, Share]:
        """What each camera may have of the model."""
        weights, priorities, rates = (
            self._each(self.camera_weights),
            self._each(self.camera_priorities),
            self._each(self.camera_rates),
        )
        return {camera: Share(weights[i], priorities[i], rates[i]) for i, camera in enumerate(self.cameras)}

    def _each(self, values: list[T]) -> list[T]:
        return values * len(self.cameras) if len(values) == 1 else values
