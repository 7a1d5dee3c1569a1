"""Has pycocotools match detections to objects, once.

`COCOeval` is given its lists itself: a `COCO` of its own would print, and copy everything a few times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from edge_ai.core.types import Result
from edge_ai.evaluation.answers import class_table, keypoint_order
from edge_ai.evaluation.libraries import pycocotools
from edge_ai.evaluation.metrics.precision_records import Matches, PrecisionRecords
from edge_ai.evaluation.truth import Array, Labelled, Truth

Kind = Literal["bbox", "keypoints"]
Entry = dict[str, Any]
Entries = Mapping[tuple[int, int], list[Entry]]
"""What pycocotools takes, by the place of the picture and the class."""

_MOST = {"bbox": 100, "keypoints": 20}
"""Detections of a class in a picture that count, as COCO has it."""


def precision_records(truth: Truth, answers: Mapping[int, Result], kind: Kind, prefix: str) -> PrecisionRecords:
    """Match all answers, class by class and picture by picture.

    Raises:
        LabelError: the model has other keypoints than the labels.
        EdgeAIError: pycocotools is not installed.
    """
    judge = pycocotools("cocoeval").COCOeval(iouType=kind)
    judge.params.maxDets = [_MOST[kind]]
    if kind == "keypoints":
        judge.params.kpt_oks_sigmas = np.array(truth.sigmas)
    judge._gts = _objects([truth.labelled[picture.id] for picture in truth.pictures], kind)
    judge._dts = _detections(truth, [answers[picture.id] for picture in truth.pictures], kind)
    places = range(len(truth.pictures))
    matches = [_matches(judge, kind, places, number) for number in range(len(truth.class_names))]
    return PrecisionRecords(matches, judge.params.recThrs, prefix)


def _objects(labelled: Sequence[Labelled], kind: Kind) -> Entries:
    found: Entries = defaultdict(list)
    number = 0
    for place, right in enumerate(labelled):
        for i, class_id in enumerate(right.class_ids):
            number += 1  # from 1: pycocotools takes a match with an object of id 0 for none
            crowd = bool(right.crowd[i])
            entry = {"id": number, "bbox": _box(right.boxes[i]), "iscrowd": int(crowd), "ignore": crowd}
            entry["area"] = float(right.areas[i])
            if kind == "keypoints" and right.keypoints is not None:
                entry["keypoints"] = right.keypoints[i].ravel()
                entry["ignore"] = crowd or not (right.keypoints[i, :, 2] > 0).any()
            found[place, int(class_id)].append(entry)
    return found


def _detections(truth: Truth, answers: Sequence[Result], kind: Kind) -> Entries:
    found: Entries = defaultdict(list)
    number = 0
    for place, answer in enumerate(answers):
        detections = answer.detections
        classes = class_table(truth, detections.labels, -1)[detections.class_ids]
        points = _points(truth, answer) if kind == "keypoints" and len(detections) else None
        for i in np.flatnonzero(classes >= 0):
            number += 1
            box = _box(detections.boxes[i].astype(np.float64))
            entry = {"id": number, "bbox": box, "score": float(detections.scores[i]), "area": box[2] * box[3]}
            if points is not None:
                entry["keypoints"] = points[i].ravel()
            found[place, int(classes[i])].append(entry)
    return found


def _points(truth: Truth, answer: Result) -> Array:
    order = keypoint_order(truth, answer)
    points = answer.detections.keypoints
    assert points is not None
    chosen: Array = points[:, order].astype(np.float64)
    return chosen


def _box(corners: Array) -> list[float]:
    x1, y1, x2, y2 = corners.tolist()
    return [x1, y1, x2 - x1, y2 - y1]


def _matches(judge: Any, kind: Kind, places: range, number: int) -> Matches:
    overlaps = judge.computeIoU if kind == "bbox" else judge.computeOks
    everything, most, limits = judge.params.areaRng[0], judge.params.maxDets[0], len(judge.params.iouThrs)
    wanted = np.zeros(len(places))
    scores, pictures = [np.zeros(0)], [np.zeros(0, int)]
    matched, ignored = [np.zeros((limits, 0))], [np.zeros((limits, 0), bool)]
    for place in places:
        judge.ious[place, number] = overlaps(place, number)
        found = judge.evaluateImg(place, number, everything, most)
        if found is None:
            continue
        wanted[place] = np.count_nonzero(found["gtIgnore"] == 0)
        scores.append(np.array(found["dtScores"]))
        pictures.append(np.full(len(found["dtScores"]), place))
        matched.append(found["dtMatches"])
        ignored.append(found["dtIgnore"])
    order = np.argsort(-np.concatenate(scores), kind="mergesort")
    return Matches(
        picture=np.concatenate(pictures)[order],
        hit=np.concatenate(matched, axis=1)[:, order] > 0,
        judged=~np.concatenate(ignored, axis=1)[:, order].astype(bool),
        wanted=wanted,
    )
