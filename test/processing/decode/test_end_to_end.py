"""Finished boxes in every order they come in."""

import math

import numpy as np
import pytest

from edge_ai.core.errors import InferenceError

ROWS = [(10, 20, 30, 60, 0.9, 2), (5, 5, 25, 15, 0.5, 0), (0, 0, 8, 8, 0.25, 1)]
WANTED = ROWS[:2]


def table(order="xyxysc"):
    rows = []
    for x1, y1, x2, y2, score, number in ROWS:
        values = {"s": score, "c": number, "b": 0.0}
        corners = iter((x1, y1, x2, y2))
        rows.append([values[key] if key in values else next(corners) for key in order])
    return np.array(rows, np.float32)


@pytest.mark.parametrize(
    ("columns", "order"),
    [
        (None, "xyxysc"),
        (["box", "class", "score"], "xyxycs"),
        (["score", "class", "box"], "scxyxy"),
        (["batch", "box", "class", "score"], "bxyxycs"),
    ],
)
@pytest.mark.parametrize("batch_axis", [True, False])
def test_columns_in_any_order(decode, agree, columns, order, batch_axis):
    options = {"family": "end_to_end", **({"columns": columns} if columns else {})}
    detections = table(order)[np.newaxis] if batch_axis else table(order)
    agree(decode(options, (64, 64), 3, 0.5, detections=detections), WANTED)


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("box_format", ["xyxy", "yxyx", "cxcywh"])
def test_every_form_of_box(decode, agree, normalized, box_format):
    boxes = table()[:, :4]
    if box_format == "yxyx":
        boxes = boxes[:, [1, 0, 3, 2]]
    elif box_format == "cxcywh":
        boxes = np.stack([(b[[0, 1, 0, 1]] + b[[2, 3, 2, 3]]) / 2 for b in boxes])
        boxes[:, 2:] = table()[:, 2:4] - table()[:, :2]
    if normalized:
        boxes = boxes / ([64, 128] * 2 if box_format != "yxyx" else [128, 64] * 2)
    options = {"family": "end_to_end", "box_format": box_format, "normalized": normalized}
    tensors = {"scores": table()[None, :, 4], "labels": table()[None, :, 5].astype(np.int64)}
    agree(decode(options, (64, 128), 3, 0.5, boxes=boxes[None].astype(np.float32), **tensors), WANTED)


def test_boxes_with_a_score_a_class(decode, agree):
    logits = np.full((1, 3, 4), -9.0, np.float32)
    for i, (*_, score, number) in enumerate(ROWS):
        logits[0, i, number] = np.log(score / (1 - score))
    options = {"family": "end_to_end", "activation": "sigmoid"}
    agree(decode(options, (64, 64), 4, 0.45, boxes=table()[None, :, :4].copy(), scores=logits), WANTED)


@pytest.mark.parametrize("background", ["first", "last"])
def test_a_softmax_over_the_classes_and_none_of_them_as_of_detr(decode, agree, background):
    rng = np.random.default_rng(3)
    boxes = rng.random((1, 40, 4), np.float32)
    logits = rng.normal(0, 3, (1, 40, 5)).astype(np.float32)
    rows = []
    for (cx, cy, w, h), values in zip(boxes[0].tolist(), logits[0].tolist(), strict=True):
        total = sum(math.exp(value) for value in values)
        objects = values[1:] if background == "first" else values[:-1]
        score = math.exp(max(objects)) / total
        if score >= 0.6:
            box = (64 * (cx - w / 2), 32 * (cy - h / 2), 64 * (cx + w / 2), 32 * (cy + h / 2))
            rows.append((*box, score, objects.index(max(objects))))
    assert 5 < len(rows) < 35
    options = {"box_format": "cxcywh", "normalized": True, "activation": "softmax", "background": background}
    agree(decode({"family": "end_to_end", **options}, (64, 32), 4, 0.6, boxes=boxes, scores=logits), rows)


def test_classes_that_start_at_one(decode, agree):
    detections = table()
    detections[:, 5] += 1
    agree(decode({"family": "end_to_end", "first_class": 1}, (64, 64), 3, 0.5, detections=detections), WANTED)


def test_padding_rows_may_hold_any_class(decode, agree):
    detections = np.concatenate([table(), np.full((50, 6), -1, np.float32)])
    agree(decode({"family": "end_to_end"}, (64, 64), 3, 0.5, detections=detections), WANTED)


@pytest.mark.parametrize("number", [-1, 3, 0.5, 1e30])
def test_a_class_without_a_label_is_refused(decode, number):
    detections = table()
    detections[1, 5] = number
    with pytest.raises(InferenceError, match=r"classes in the model output: got .*wanted whole numbers from 0, 3 of"):
        decode({"family": "end_to_end"}, (64, 64), 3, 0.5, detections=detections)
