"""From a model's outputs to the detections of one image."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ai.core.types import Detections, FloatArray
from edge_ai.processing.card import ModelCard
from edge_ai.processing.decode.base import RawDetections, check_finite
from edge_ai.processing.nms import keep
from edge_ai.processing.resize import Placement


class PostProcessor:
    """Decodes outputs and makes detections of them. Thread-safe: calling it changes nothing in it.

    Args:
        card: decoder, suppression and labels.
        score_threshold: least score; 0 takes the card's.
        classes: names of the classes to report; empty for all.

    Raises:
        ParameterError: the model has no class of that name.
    """

    def __init__(self, card: ModelCard, *, score_threshold: float = 0.0, classes: Collection[str] = ()) -> None:
        self._card = card
        self._classes = card.class_ids(classes) if classes else None
        self._decoder = card.make_decoder(score_threshold or None)

    def __call__(self, outputs: Mapping[str, NDArray[Any]], placement: Placement) -> Detections:
        """The detections in one image.

        Args:
            outputs: of the model, by tensor name, each with a first axis of 1.
            placement: where the image lies in the model's input.

        Raises:
            InferenceError: an output is missing, NaN, infinite or of a shape that the decoder does not read.
        """
        return postprocess(self._decoder(outputs), placement, self._card, self._classes)


def postprocess(
    raw: RawDetections, placement: Placement, card: ModelCard, classes: Collection[int] | None = None
) -> Detections:
    """Filter, suppress, and map back to the source image.

    Args:
        raw: what the decoder found.
        placement: where the image lies in the model's input.
        card: suppression and labels.
        classes: class numbers wanted; None for all. Others have no say in what is suppressed.

    Returns:
        Detections in source pixels, clipped, best first; boxes that are empty once clipped are left out.

    Raises:
        InferenceError: a box or score is NaN or infinite.
    """
    check_finite("boxes", raw.boxes)
    check_finite("scores", raw.scores)
    found = raw if classes is None else _chosen(raw, np.isin(raw.class_ids, list(classes)))
    found = _chosen(found, _solid(found.boxes))
    found = _chosen(found, np.argsort(-found.scores, kind="stable") if card.nms is None else keep(found, card.nms))
    boxes = placement.to_source(found.boxes)
    inside = _solid(boxes)
    return Detections(boxes[inside], np.minimum(found.scores[inside], 1), found.class_ids[inside], card.labels)


def _solid(boxes: FloatArray) -> NDArray[np.bool_]:
    solid: NDArray[np.bool_] = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    return solid


def _chosen(found: RawDetections, rows: NDArray[Any]) -> RawDetections:
    return RawDetections(found.boxes[rows], found.scores[rows], found.class_ids[rows])
