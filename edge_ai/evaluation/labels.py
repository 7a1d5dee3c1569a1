"""From a label file to what is right in each picture.

Which keys of an annotation count depends on the task; where `iscrowd` is 1 nothing is judged.

- Detection: `bbox`.
- Keypoints: `bbox` and `keypoints`, 3 numbers each.
- Segmentation: `segmentation`, polygons or runs. Where two overlap the later one in the file holds. What none covers is
  the background, the model's first label; if the file has a category of that name, and it is not called background,
  nobody knows what the rest is, and it is not judged.
- Classification: COCO has no form for it. An annotation with a `category_id` alone gives the class of its picture, and
  a picture with several is right with any of them.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge_ai.evaluation.coco_file import AnnotationEntry, CocoFile, ImageEntry, read_coco
from edge_ai.evaluation.masks import Drawing
from edge_ai.evaluation.truth import Array, LabelError, Labelled, Picture, Task, Truth, sigmas_for


def load_coco(path: Path | str, labels: Sequence[str], *, task: Task = "detection") -> Truth:
    """Read what is right from a label file in COCO's format.

    Args:
        path: the JSON file.
        labels: names of the classes the model knows; categories are matched to them by name.
        task: what the model does, as its card says.

    Returns:
        The truth about every picture in the file; one without annotations has nothing in it.

    Raises:
        LabelError: the file is missing or wrong, has nothing for this task, or annotates a class that the model does
            not know.
        EdgeAIError: polygons are to be drawn, and pycocotools is not installed.
    """
    return _Reader(Path(path), tuple(labels), task).truth()


class _Reader:
    """One file for one model."""

    def __init__(self, path: Path, labels: tuple[str, ...], task: Task) -> None:
        self._what, self._labels, self._task = f"label file '{path}'", labels, task
        self._file: CocoFile = read_coco(path)
        names = {category.name for category in self._file.categories}
        self._class_names = tuple(dict.fromkeys(label for label in labels if label in names))
        self._background: tuple[str, ...] = ()
        self._names = {category.id: category.name for category in self._file.categories}
        self._by_image: dict[int, list[AnnotationEntry]] = {image.id: [] for image in self._file.images}
        for annotation in self._file.annotations:
            self._by_image[annotation.image_id].append(annotation)

    def truth(self) -> Truth:
        self._check_classes()
        self._check_keys()
        names, sigmas = self._keypoints() if self._task == "keypoints" else ((), ())
        if self._task == "segmentation":
            self._background = self._name_of_background()
            self._class_names = tuple(dict.fromkeys([*self._background, *self._class_names]))
        images = sorted(self._file.images, key=lambda image: image.id)
        return Truth(
            task=self._task,
            class_names=self._class_names,
            pictures=tuple(Picture(image.id, image.file_name, image.width, image.height) for image in images),
            labelled={image.id: self._labelled(image) for image in images},
            keypoint_names=names,
            sigmas=sigmas,
        )

    def _name_of_background(self) -> tuple[str, ...]:
        """The label of what is not annotated: the model's first, unless that is a thing that is annotated."""
        first = self._labels[0]
        annotated = first in self._class_names and first.strip("_").lower() not in ("background", "bg")
        return () if annotated else (first,)

    def _check_classes(self) -> None:
        used = {annotation.category_id for annotation in self._file.annotations}
        unknown = sorted(self._names[number] for number in used if self._names[number] not in self._labels)
        if not unknown:
            return
        near = difflib.get_close_matches(unknown[0], self._labels, n=3, cutoff=0.4) or self._labels[:3]
        raise LabelError(
            self._what,
            got=f"annotations of {', '.join(map(repr, unknown[:3]))}, which the model does not know",
            wanted=f"its {len(self._labels)} labels, such as {', '.join(near)}",
            mend="rename the category as the model's label, or leave its annotations out",
        )

    def _check_keys(self) -> None:
        """Every annotation has the key its task needs; only a class may be given to a whole picture."""
        key = {"detection": "bbox", "keypoints": "keypoints", "segmentation": "segmentation"}.get(self._task)
        if key is None:
            bare = next((image for image in self._file.images if not self._by_image[image.id]), None)
            if bare is not None:
                got = f"no annotation of picture {bare.id} '{bare.file_name}'"
                raise LabelError(
                    self._what, got=got, wanted="a class for each picture", mend="annotate it, or leave it out"
                )
            return
        keys = (key, "bbox") if key == "keypoints" else (key,)
        for annotation in self._file.annotations:
            for name in keys:
                if getattr(annotation, name) is None and not (annotation.iscrowd and name == "keypoints"):
                    mend = "give labels of the kind that the model answers, or correct the card's task"
                    got = f"annotation {annotation.id} without '{name}'"
                    raise LabelError(self._what, got=got, wanted=f"labels for {self._task}", mend=mend)

    def _keypoints(self) -> tuple[tuple[str, ...], tuple[float, ...]]:
        """Names and sigmas, the same for all classes, for a model finds the same keypoints of all."""
        counts = {len(a.keypoints) for a in self._file.annotations if a.keypoints is not None}
        entries = [category for category in self._file.categories if category.keypoints]
        counts |= {3 * len(entry.keypoints) for entry in entries}
        if len(counts) != 1 or (count := counts.pop()) % 3 or not count:
            got = f"'keypoints' of {', '.join(map(str, sorted(counts))) or 'a wrong number of'} numbers"
            wanted = "x, y and visibility of the same keypoints everywhere, as many as the category names"
            raise LabelError(self._what, got=got, wanted=wanted, mend="write 0, 0, 0 for keypoints that are not there")
        names = tuple(entries[0].keypoints) if entries else ()
        given = next((tuple(entry.sigmas) for entry in self._file.categories if entry.sigmas), ())
        if given and len(given) != count // 3:
            raise LabelError(self._what, got=f"{len(given)} 'sigmas'", wanted=f"{count // 3}, one a keypoint")
        return names, given or sigmas_for(names or [""] * (count // 3))

    def _labelled(self, image: ImageEntry) -> Labelled:
        annotations = self._by_image[image.id]
        ids = np.array([self._class_names.index(self._names[a.category_id]) for a in annotations], np.int32)
        if self._task == "classification":
            return Labelled(class_ids=ids)
        if self._task == "segmentation":
            return Labelled(ids, mask=self._drawing(image, annotations, ids))
        boxes = np.array([a.bbox for a in annotations], np.float64).reshape(-1, 4)
        areas = [box[2] * box[3] if a.area is None else a.area for a, box in zip(annotations, boxes, strict=True)]
        boxes[:, 2:] += boxes[:, :2]
        crowd = np.array([bool(a.iscrowd) for a in annotations], bool)
        points = self._points(annotations) if self._task == "keypoints" else None
        return Labelled(ids, boxes, crowd, np.array(areas, np.float64), points)

    def _points(self, annotations: list[AnnotationEntry]) -> Array:
        count = next(len(a.keypoints) for a in self._file.annotations if a.keypoints is not None)
        return np.array([a.keypoints or [0] * count for a in annotations], np.float64).reshape(-1, count // 3, 3)

    def _drawing(self, image: ImageEntry, annotations: list[AnnotationEntry], ids: Array) -> Drawing:
        drawing = Drawing(
            what=self._what,
            width=image.width,
            height=image.height,
            background=self._class_names.index(self._background[0]) if self._background else None,
            regions=tuple(
                (a.id, -1 if a.iscrowd else int(number), a.segmentation or [])
                for a, number in zip(annotations, ids, strict=True)
            ),
        )
        drawing()  # a wrong one must come out before the model has run for hours
        return drawing
