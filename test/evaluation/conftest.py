"""Label files, answers, and pycocotools' own way to a figure."""

import contextlib
import copy
import io
import json

import numpy as np
import pytest

from edge_ai.core.types import Classification, Detections, FrameHeader, Result, Segmentation

SIZE = (640, 480)


@pytest.fixture
def label_file(tmp_path):
    """Write a label file: what is said here, else two pictures and three boxes."""

    def write(text=None, **changes):
        content = {
            "images": [{"id": i, "file_name": f"{i}.png", "width": 640, "height": 480} for i in (3, 1)],
            "categories": [{"id": 7, "name": "person"}, {"id": 2, "name": "dog"}],
            "annotations": [
                {"id": 1, "image_id": 1, "category_id": 7, "bbox": [10, 20, 30, 40], "area": 900, "iscrowd": 0},
                {"id": 2, "image_id": 1, "category_id": 2, "bbox": [0, 0, 640, 480], "iscrowd": 1},
                {"id": 3, "image_id": 3, "category_id": 7, "bbox": [100, 100, 50.5, 60]},
            ],
        }
        content = {name: value for name, value in {**content, **changes}.items() if value is not None}
        path = tmp_path / "labels.json"
        path.write_text(json.dumps(content) if text is None else text)
        return path

    return write


def header(number, size=SIZE):
    return FrameHeader(0, 0, "", number, *size)


def found(number, boxes, scores, class_ids, labels, *, keypoints=None, names=()):
    detections = Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(scores, np.float32),
        np.array(class_ids, np.int32),
        labels,
        None if keypoints is None else np.array(keypoints, np.float32),
        names,
    )
    return Result(header(number), detections, "model", "1")


def classified(number, scores, class_ids, labels):
    said = Classification(np.array(scores, np.float32), np.array(class_ids, np.int32), labels)
    return Result(header(number), Detections(), "model", "1", classification=said)


def segmented(number, mask, labels):
    mask = np.array(mask, np.uint8)
    said = Segmentation(mask, labels)
    return Result(header(number, mask.shape[::-1]), Detections(), "model", "1", segmentation=said)


def official(dataset, results, kind="bbox"):
    """All twelve (or ten) figures of pycocotools, the way its own documentation gets them."""
    coco, cocoeval = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    with contextlib.redirect_stdout(io.StringIO()):
        labelled = coco.COCO()
        labelled.dataset = copy.deepcopy(dataset)
        labelled.createIndex()
        judge = cocoeval.COCOeval(labelled, labelled.loadRes(copy.deepcopy(results)), kind)
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return judge.stats


def as_results(answers, categories):
    """Answers as COCO's result list; ``categories``: ids by name."""
    results = []
    for number, answer in answers.items():
        detections = answer.detections
        for i in range(len(detections)):
            if detections.name(i) in categories:
                x1, y1, x2, y2 = detections.boxes[i].astype(float).tolist()
                entry = {"image_id": number, "category_id": categories[detections.name(i)]}
                entry |= {"bbox": [x1, y1, x2 - x1, y2 - y1], "score": float(detections.scores[i])}
                if detections.keypoints is not None:
                    entry["keypoints"] = detections.keypoints[i].astype(float).ravel().tolist()
                results.append(entry)
    return results


@pytest.fixture(scope="session")
def make():
    """The functions above."""

    class Make:
        pass

    for function in (found, classified, segmented, official, as_results, header):
        setattr(Make, function.__name__, staticmethod(function))
    return Make
