"""A model's answers in the terms of a truth: its classes, its keypoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from edge_ai.core.types import Classification, Result, Segmentation
from edge_ai.evaluation.truth import Array, LabelError, Task, Truth

A = TypeVar("A", Classification, Segmentation)


def labels_of(answer: Result, task: Task) -> tuple[str, ...]:
    """Names of all classes the model that answered knows.

    Raises:
        LabelError: the answer is none for this task.
    """
    if task == "classification":
        return wanted(answer.classification, task, answer).labels
    if task == "segmentation":
        return wanted(answer.segmentation, task, answer).labels
    return answer.detections.labels


def wanted(answer: A | None, task: Task, result: Result) -> A:
    """That part of a result which is for the task.

    Raises:
        LabelError: there is none.
    """
    if answer is None:
        got = f"an answer of '{result.model_name}' without {task}"
        raise LabelError("comparing answers", got=got, mend="correct the task on the model's card")
    return answer


def check_answers(truth: Truth, answers: Mapping[int, Result]) -> None:
    """Make sure that there is an answer to every picture.

    Raises:
        LabelError: there is not.
    """
    missing = [picture for picture in truth.pictures if picture.id not in answers]
    if missing:
        got = f"no answer to {missing[0]}" + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
        mend = "give the pictures that the labels are about, or labels of those that are there"
        raise LabelError("comparing answers with labels", got=got, wanted="one to each picture", mend=mend)
    for picture in truth.pictures:
        header = answers[picture.id].header
        if (header.width, header.height) != (picture.width, picture.height):
            got = f"{picture} of {header.width}x{header.height} pixels"
            mend = "give the pictures that were labelled, neither scaled nor cut"
            wanted_size = f"{picture.width}x{picture.height}"
            raise LabelError("comparing answers with labels", got=got, wanted=wanted_size, mend=mend)


def class_table(truth: Truth, labels: tuple[str, ...], other: int) -> Array:
    """(labels + 1,) int32: the truth's class for each of a model's; ``other`` where it judges none of that name."""
    places = {name: place for place, name in enumerate(truth.class_names)}
    return np.array([*(places.get(label, other) for label in labels), other], np.int32)


def keypoint_order(truth: Truth, answer: Result) -> Array:
    """(K,) where each of the truth's keypoints stands among the model's.

    By name where both have names, else as they stand.

    Raises:
        LabelError: the model does not have them all.
    """
    found, names = answer.detections, truth.keypoint_names
    if found.keypoints is None:
        got = f"detections of '{answer.model_name}' without keypoints"
        raise LabelError("comparing answers", got=got, mend="correct the task on the model's card")
    count = found.keypoints.shape[1]
    if names and found.keypoint_names:
        missing = [name for name in names if name not in found.keypoint_names]
        if not missing:
            return np.array([found.keypoint_names.index(name) for name in names])
        got = f"no {', '.join(map(repr, missing[:3]))} from '{answer.model_name}'"
        mend = "name the keypoints on the card as the labels do"
        raise LabelError("keypoints", got=got, wanted=f"one of {', '.join(found.keypoint_names)}", mend=mend)
    if count != len(truth.sigmas):
        got = f"{count} from '{answer.model_name}'"
        raise LabelError("keypoints", got=got, wanted=f"the {len(truth.sigmas)} of the labels", mend="use other labels")
    return np.arange(count)
