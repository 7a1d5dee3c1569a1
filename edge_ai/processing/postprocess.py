"""From a model's outputs to its answer about one image."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ai.core.spans import profiled
from edge_ai.core.types import Classification, Detections, FloatArray, FrameHeader, Result, Segmentation
from edge_ai.processing.card import ModelCard
from edge_ai.processing.decode.base import RawClasses, RawDetections, RawMap, check_finite
from edge_ai.processing.masks import to_mask
from edge_ai.processing.nms import keep
from edge_ai.processing.resize import Placement

Answer = Detections | Classification | Segmentation
"""What a model says of an image, by its task."""


class PostProcessor:
    """Decodes outputs and makes an answer of them. Thread-safe: calling it changes nothing in it.

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

    @profiled(name="postprocess")
    def __call__(self, outputs: Mapping[str, NDArray[Any]], placement: Placement) -> Answer:
        """The answer about one image: Detections from a detector or a model that finds keypoints, Classification from a
        classifier, Segmentation from a segmenter.

        Args:
            outputs: of the model, by tensor name, each with a first axis of 1.
            placement: where the image lies in the model's input.

        Raises:
            InferenceError: an output is missing, NaN, infinite or of a shape that the decoder does not read.
        """
        raw = self._decoder(outputs)
        if isinstance(raw, RawDetections):
            return postprocess(raw, placement, self._card, self._classes)
        if isinstance(raw, RawClasses):
            return classified(raw, self._card, self._classes)
        return segmented(raw, placement, self._card, self._classes)


def as_result(answer: Answer, header: FrameHeader, card: ModelCard, timings: dict[str, float] | None = None) -> Result:
    """The result of a card's model on this machine, with its answer in the right place."""
    return Result(
        header,
        answer if isinstance(answer, Detections) else Detections(labels=card.labels),
        card.name,
        card.version,
        timings=timings or {},
        classification=answer if isinstance(answer, Classification) else None,
        segmentation=answer if isinstance(answer, Segmentation) else None,
    )


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
        Detections in source pixels, clipped, best first; boxes that are empty once clipped are left out. Keypoints are
        not clipped.

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
    scores, class_ids = np.minimum(found.scores[inside], 1), found.class_ids[inside]
    if found.keypoints is None:
        return Detections(boxes[inside], scores, class_ids, card.labels)
    points = placement.points_to_source(found.keypoints[inside, :, :2])
    keypoints = np.concatenate([points, np.minimum(found.keypoints[inside, :, 2:], 1)], axis=2)
    return Detections(boxes[inside], scores, class_ids, card.labels, keypoints, card.keypoints)


def classified(raw: RawClasses, card: ModelCard, classes: Collection[int] | None = None) -> Classification:
    """The best classes among those wanted (None: all), best first."""
    wanted = np.arange(len(raw.scores)) if classes is None else np.flatnonzero(np.isin(raw.class_ids, list(classes)))
    best = wanted[np.argsort(-raw.scores[wanted], kind="stable")][: raw.most]
    return Classification(np.minimum(raw.scores[best], 1), raw.class_ids[best], card.labels)


def segmented(
    raw: RawMap, placement: Placement, card: ModelCard, classes: Collection[int] | None = None
) -> Segmentation:
    """The class of every pixel of the source image; those not wanted (None: all are) become class 0."""
    return Segmentation(to_mask(raw, placement, card.input.size, classes), card.labels)


def _solid(boxes: FloatArray) -> NDArray[np.bool_]:
    solid: NDArray[np.bool_] = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    return solid


def _chosen(found: RawDetections, rows: NDArray[Any]) -> RawDetections:
    keypoints = None if found.keypoints is None else found.keypoints[rows]
    return RawDetections(found.boxes[rows], found.scores[rows], found.class_ids[rows], keypoints)
