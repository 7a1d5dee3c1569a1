"""A model card as a server answers it: arrays by name in, arrays by name out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ai.core.clock import NS, SystemClock
from edge_ai.core.errors import EdgeAIError, ImageError, InferenceError
from edge_ai.core.types import Detections, Frame, FrameHeader
from edge_ai.processing.serving import DETECTIONS, SERVICE, InputKind
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams

Arrays = Mapping[str, NDArray[Any]]


class ServedModel:
    """Answers what clients of a server send; one thread at a time.

    Args:
        params: the model and the engine; ``max_batch`` images share an inference at most.
        kind: what clients send.

    Raises:
        CardError, ModelError, BackendError: as `Model.load`; also for a card whose answers are not boxes only, where
            ``kind`` is not "tensor".
    """

    def __init__(self, params: InferenceParams, kind: InputKind) -> None:
        self.kind = kind
        self._clock = SystemClock()
        self._model = Model.load(params, self._clock)
        self.card = self._model.card
        self.most = 1 if kind == "tensor" or self._model.single else max(params.max_batch, 1)
        self._request = self._model.request(self.most)

    def answer(self, inputs: Sequence[NDArray[Any]]) -> list[Arrays | EdgeAIError]:
        """Answer requests that came at the same time.

        Args:
            inputs: of each request its one array: (1,) object of bytes for "jpeg", (H, W, 3) uint8 BGR for "image",
                the model's input for "tensor"; one more axis of length 1 in front is taken, too.

        Returns:
            Of each request its outputs by name, with service_seconds (1,) float32, which is the time from this call to
            its return; or why there are none: ImageError for what is wrong with the request, InferenceError for what is
            wrong here. One that fails fails no other, but those of its inference.
        """
        begun = self._clock.steady_ns()
        answers = self._answer(inputs)
        took = np.array([(self._clock.steady_ns() - begun) / NS], np.float32)
        return [one if isinstance(one, EdgeAIError) else {**one, SERVICE: took} for one in answers]

    def _answer(self, inputs: Sequence[NDArray[Any]]) -> list[Arrays | EdgeAIError]:
        if self.kind == "tensor":
            return [self._run(array) for array in inputs]
        answers: list[Arrays | EdgeAIError] = [self._frame(array) for array in inputs]  # type: ignore[misc]
        good = [i for i, one in enumerate(answers) if isinstance(one, Frame)]
        for begin in range(0, len(good), self.most):
            rows = good[begin : begin + self.most]
            for row, found in zip(rows, self._detect([answers[i] for i in rows]), strict=True):  # type: ignore[misc]
                answers[row] = found
        return answers

    def close(self) -> None:
        """Free the engine."""
        self._model.close()

    def _frame(self, array: NDArray[Any]) -> Frame | EdgeAIError:
        try:
            image = as_image(array, self.kind)
        except ImageError as error:
            return error
        now, (height, width) = self._clock.steady_ns(), image.shape[:2]
        return Frame(FrameHeader(self._clock.stamp_ns(), now, "", 0, width, height), image)

    def _detect(self, frames: list[Frame]) -> list[Arrays | EdgeAIError]:
        try:
            return [as_arrays(result.detections) for result in self._model.detect(frames, self._request)]
        except EdgeAIError as error:
            return [error] * len(frames)

    def _run(self, array: NDArray[Any]) -> Arrays | EdgeAIError:
        spec = self.card.input
        if array.shape != spec.shape or array.dtype != spec.dtype:
            got, wanted = f"{array.dtype} {list(array.shape)}", f"{spec.dtype} {list(spec.shape)}"
            return ImageError(f"input '{spec.name}'", got=got, wanted=wanted)
        try:
            outputs = self._model.backend.infer({spec.name: np.ascontiguousarray(array)})
        except InferenceError as error:
            return error
        # The engine writes its next outputs into the same memory.
        return {name: np.array(outputs[name]) for name in self.card.output_names}


def as_image(array: NDArray[Any], kind: InputKind) -> NDArray[np.uint8]:
    """The (H, W, 3) BGR image that a client sent.

    Raises:
        ImageError: it is none.
    """
    if kind == "image":
        image = array[0] if array.ndim == 4 and len(array) == 1 else array
        if image.ndim != 3 or image.shape[2] != 3 or image.size == 0 or image.dtype != np.uint8:
            raise ImageError("image", got=f"{array.dtype} {list(array.shape)}", wanted="uint8 [height, width, 3]")
        return image
    if array.size != 1:
        raise ImageError("JPEG", got=f"{array.size} of them", wanted="one")
    (data,) = array.reshape(-1)
    if not isinstance(data, bytes) or not data:
        raise ImageError("JPEG", got=f"{'no' if isinstance(data, bytes) else type(data).__name__} bytes")
    # The robot's boxes are in pixels as they are stored, so that a note on how to turn the picture does not count.
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise ImageError("JPEG", got=f"{len(data)} bytes that OpenCV refuses: {' '.join(str(error).split())}") from None
    if pixels is None:
        raise ImageError("JPEG", got=f"{len(data)} bytes that are no picture", mend="send a whole JPEG file")
    return pixels  # type: ignore[return-value]


def as_arrays(found: Detections) -> Arrays:
    """Detections as tensors: boxes (N, 4) float32, scores (N,) float32, class_ids (N,) int32."""
    return dict(zip(DETECTIONS, (found.boxes, found.scores, found.class_ids), strict=True))
