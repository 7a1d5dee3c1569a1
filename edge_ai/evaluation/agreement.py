"""Where there are no labels: what the original model answers is taken as right."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edge_ai.core.types import Classification, Detections, Image, Result, Segmentation
from edge_ai.evaluation.answers import labels_of
from edge_ai.evaluation.truth import IGNORED, LabelError, Labelled, Picture, Task, Truth, sigmas_for

_MEND = "give pictures of what the model is to find, or a label file"


def truth_from(answers: Mapping[int, Result], task: Task, *, score_threshold: float = 0.0) -> Truth:
    """A truth that says how far a variant agrees with its original, not how good either is.

    Args:
        answers: of the original model, by picture id.
        task: what it does.
        score_threshold: objects and keypoints scored below are not taken as right; the card's, where the answers were
            got with a lower one.

    Raises:
        LabelError: there are no answers, or nothing is found in any picture.
    """
    if not answers:
        raise LabelError("agreement with the original model", got="no picture", mend=_MEND)
    names = tuple(dict.fromkeys(labels_of(next(iter(answers.values())), task)))
    labelled = {number: _labelled(answers[number], task, names, score_threshold) for number in sorted(answers)}
    if task != "segmentation" and not any(len(right.class_ids) for right in labelled.values()):
        got = f"nothing that it finds in any of {len(answers)} pictures at a score of {score_threshold}"
        raise LabelError("agreement with the original model", got=got, mend=_MEND)
    points = next((r.detections.keypoint_names for r in answers.values() if r.detections.keypoints is not None), ())
    count = next((right.keypoints.shape[1] for right in labelled.values() if right.keypoints is not None), 0)
    return Truth(
        task=task,
        class_names=names,
        pictures=tuple(
            Picture(number, "", answers[number].header.width, answers[number].header.height) for number in labelled
        ),
        labelled=labelled,
        agreement=True,
        keypoint_names=points,
        sigmas=sigmas_for(points or [""] * count) if task == "keypoints" else (),
    )


def _labelled(answer: Result, task: Task, names: tuple[str, ...], threshold: float) -> Labelled:
    if task == "classification" and answer.classification is not None:
        return _class(answer.classification, names)
    if task == "segmentation" and answer.segmentation is not None:
        return Labelled(mask=_Canonical(answer.segmentation, names))
    return _objects(answer.detections, names, threshold, points=task == "keypoints")


def _class(found: Classification, names: tuple[str, ...]) -> Labelled:
    best = [names.index(found.name(0))] if len(found) else []
    return Labelled(np.array(best, np.int32))


def _objects(found: Detections, names: tuple[str, ...], threshold: float, *, points: bool) -> Labelled:
    sure = found.scores >= threshold
    boxes = found.boxes[sure].astype(np.float64)
    keypoints = None
    if points and len(found) and found.keypoints is None:
        mend = "correct the task on the model's card"
        raise LabelError("agreement with the original model", got="detections without keypoints", mend=mend)
    if points and found.keypoints is not None:
        keypoints = found.keypoints[sure].astype(np.float64)
        keypoints[..., 2] = np.where(keypoints[..., 2] >= threshold, 2, 0)
    return Labelled(
        class_ids=np.array([names.index(found.labels[number]) for number in found.class_ids[sure]], np.int32),
        boxes=boxes,
        crowd=np.zeros(len(boxes), bool),
        areas=(boxes[:, 2:] - boxes[:, :2]).prod(axis=1),
        keypoints=keypoints,
    )


class _Canonical:
    """A mask whose classes of the same name are one."""

    def __init__(self, found: Segmentation, names: tuple[str, ...]) -> None:
        self._found, self._names = found, names

    def __call__(self) -> Image:
        table = np.full(256, IGNORED, np.uint8)
        table[: len(self._found.labels)] = [self._names.index(label) for label in self._found.labels]
        mask: Image = table[self._found.mask]
        return mask
