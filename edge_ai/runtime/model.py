"""A model: its card, an engine that runs it, and the way from an image to an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_ai.backends.base import Backend
from edge_ai.backends.engine_params import EngineParams
from edge_ai.backends.options import BackendOptions, physical_cores
from edge_ai.backends.select import choose
from edge_ai.core.clock import NS, Clock, SystemClock
from edge_ai.core.errors import CardError
from edge_ai.core.types import Frame, Image, Result
from edge_ai.processing.card import ModelCard
from edge_ai.processing.postprocess import PostProcessor, as_result
from edge_ai.processing.resize import Placement, Preprocessor
from edge_ai.runtime.engine_supply import EngineSupply
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.resources import shipped_card
from edge_ai.runtime.trusted import trusted_model

Outputs = Mapping[str, NDArray[np.generic]]


class Request:
    """Buffers for one inference at a time; each worker thread has its own.

    Preprocessing writes straight into ``tensor``, which the engine takes as it is.
    """

    def __init__(self, preprocessor: Preprocessor, name: str, tensor: NDArray[np.generic]) -> None:
        self._preprocessor = preprocessor
        self._rows = [tensor[i : i + 1] for i in range(len(tensor))]
        self._feeds = [{name: tensor[:n]} for n in range(len(tensor) + 1)]

    @property
    def size(self) -> int:
        """How many images it has room for."""
        return len(self._rows)

    def fill(self, image: Image, encoding: str, row: int = 0) -> Placement:
        """Write an image into a row of the input tensor.

        Raises:
            ImageError: the image is empty or of an encoding that cannot be read.
        """
        return self._preprocessor.prepare(image, encoding, self._rows[row])

    def feeds(self, images: int = 1) -> Mapping[str, NDArray[np.generic]]:
        """The first so many rows, as the engine takes them."""
        return self._feeds[images]


class Model:
    """A model ready to be called, whatever its task.

    Args:
        card: what the model is and how to feed and read it.
        backend: an engine, not yet active.
        clock: times the stages.
        score_threshold: least score; 0 takes the card's.
        classes: names to report; empty for all.

    Example:
        >>> model = Model.load(InferenceParams())          # doctest: +SKIP
        >>> model(frame).detections.boxes                  # doctest: +SKIP
    """

    def __init__(
        self,
        card: ModelCard,
        backend: Backend,
        *,
        clock: Clock | None = None,
        score_threshold: float = 0.0,
        classes: Sequence[str] = (),
    ) -> None:
        self.card = card
        self.backend = backend
        self._clock = clock or SystemClock()
        self._post = PostProcessor(card, score_threshold=score_threshold, classes=classes)

    @classmethod
    def load(cls, params: InferenceParams, clock: Clock | None = None) -> Model:
        """Read the card, check the file, start the engine and warm it up.

        Raises:
            ArtifactError: keys are configured, and the model is not of a signed set that they let in.
            CardError: the card is missing or wrong, or names tensors the model does not have.
            ModelError: the model file is missing, corrupt or not the one the card describes.
            BackendError: no engine can run it as configured.
        """
        path, params = trusted_model(Path(params.model) if params.model else shipped_card(), params)
        card = ModelCard.load(path)
        card.check_file()
        model = cls(
            card,
            backend_for(path, card, params),
            clock=clock,
            score_threshold=params.score_threshold,
            classes=[name for name in params.classes if name],
        )
        model.open(warm_up=params.warm_up)
        return model

    def configure(self, *, score_threshold: float, classes: Sequence[str]) -> None:
        """Change what is reported, from the next frame on.

        Raises:
            ParameterError: a class is not among the model's.
        """
        self._post = PostProcessor(self.card, score_threshold=score_threshold, classes=[c for c in classes if c])

    def open(self, *, warm_up: int = 0) -> None:
        """Start the engine, compare it with the card and run it ``warm_up`` times. Errors as for `load`."""
        self.backend.activate(self.card.model_path)
        try:
            self._check_names()
            self.backend.warm_up(warm_up)
        except BaseException:
            self.backend.deactivate()
            raise

    def close(self) -> None:
        """Free the engine; harmless when closed already."""
        self.backend.deactivate()

    @property
    def single(self) -> str:
        """Why an inference takes one image only; empty if the model has an open batch dimension."""
        tensors = {**self.backend.inputs, **self.backend.outputs}
        for name in (self.card.input.name, *self.card.output_names):
            if tensors[name].shape[:1] != (None,):
                return f"{name} ({tensors[name]}) has no open batch dimension"
        return ""

    def request(self, size: int = 1) -> Request:
        """Buffers for a worker thread.

        Args:
            size: images in one inference at most; more than 1 only if not `single`.
        """
        name = self.card.input.name
        return Request(Preprocessor(self.card.input), name, self.backend.allocate(name, size))

    def detect(self, frames: Sequence[Frame], request: Request) -> list[Result]:
        """Run frames in one inference, each from image to answer, on the calling thread.

        The stages of a result, in seconds: "wait", how old the frame was when its turn came; its own "preprocess" and
        "postprocess"; and "infer", which frames of one inference share.

        Raises:
            ImageError: an image is empty or of an encoding that cannot be read.
            InferenceError: the engine failed, or the outputs hold NaN or are not what the card's decoder reads.
        """
        turns = [self._prepare(frame, request, row) for row, frame in enumerate(frames)]
        begun = self._clock.steady_ns()
        outputs = self.backend.infer(request.feeds(len(frames)))
        took = (self._clock.steady_ns() - begun) / NS
        results = []
        for row, (frame, (placement, timings)) in enumerate(zip(frames, turns, strict=True)):
            timings["infer"] = took
            results.append(self._finish(frame, placement, _row(outputs, row, len(frames)), timings))
        return results

    def __call__(self, frame: Frame) -> Result:
        """One frame from image to answer; errors as for `detect`."""
        return self.detect([frame], self.request())[0]

    def _prepare(self, frame: Frame, request: Request, row: int) -> tuple[Placement, dict[str, float]]:
        begun = self._clock.steady_ns()
        placement = request.fill(frame.image, frame.encoding, row)
        wait, took = begun - frame.header.steady_ns, self._clock.steady_ns() - begun
        return placement, {"wait": wait / NS, "preprocess": took / NS}

    def _finish(self, frame: Frame, placement: Placement, outputs: Outputs, timings: dict[str, float]) -> Result:
        start = self._clock.steady_ns()
        answer = self._post(outputs, placement)
        timings["postprocess"] = (self._clock.steady_ns() - start) / NS
        return as_result(answer, frame.header, self.card, timings)

    def _check_names(self) -> None:
        sides = (
            ("input", [self.card.input.name], self.backend.inputs),
            ("output", self.card.output_names, self.backend.outputs),
        )
        for side, wanted, found in sides:
            missing = [name for name in wanted if name not in found]
            if missing:
                raise CardError(
                    f"model card '{self.card.name}' names {side} {', '.join(map(repr, missing))}",
                    got=f"a model whose {side}s are {', '.join(found)}",
                    wanted="names that the model has",
                    mend=f"correct the {side} names on the card",
                )


def backend_for(path: Path, card: ModelCard, params: InferenceParams) -> Backend:
    """The engine that runs a card's model as the parameters say, not yet active.

    Raises:
        BackendError: no engine will do; says of each why not.
    """
    options = backend_options(card, params)
    backend = choose(card.model_path, options)
    if backend.name == EngineSupply.name and card.model_path.suffix == ".onnx":
        return EngineSupply(options, path, warm_up=params.warm_up)
    return backend


def backend_options(card: ModelCard, params: InferenceParams) -> BackendOptions:
    """How an engine is to run a card's model."""
    engine = EngineParams.parse({name: getattr(params, name) for name in EngineParams.model_fields})
    one, most = card.input.shape, params.max_batch or len(params.cameras)
    several = (most, *one[1:])
    return BackendOptions(
        backend=params.backend,
        providers=params.providers,
        threads=params.threads or max(1, physical_cores() // params.workers),
        spinning=params.spinning,
        engine=engine,
        shapes={card.input.name: (one, several, several)},
    )


def _row(outputs: Outputs, row: int, rows: int) -> Outputs:
    """One image's part of the outputs, with a first axis of 1."""
    return outputs if rows == 1 else {name: array[row : row + 1] for name, array in outputs.items()}
