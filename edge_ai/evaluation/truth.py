"""What is right, picture by picture: what answers are measured against."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edge_ai.core.errors import EdgeAIError
from edge_ai.core.types import Image

Array = NDArray[Any]
Task = Literal["detection", "classification", "segmentation", "keypoints"]

IGNORED = 255
"""Class of a pixel about which the truth says nothing."""


class LabelError(EdgeAIError):
    """Labels are missing, malformed, or do not fit the model or its answers."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is labelled.

    Attributes:
        id: its number: of a file in the label file, of a video the 0-based frame.
        file_name: its file, as the labels name it; may be empty.
        width, height: its size in pixels.
    """

    id: int
    file_name: str
    width: int
    height: int

    def __str__(self) -> str:
        return f"picture {self.id} ('{self.file_name}')" if self.file_name else f"picture {self.id}"


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """What is right in one picture; by its task a truth fills some of these.

    Attributes:
        class_ids: (N,) int32, indices into the truth's class names: one an object; of a whole picture each that is
            right.
        boxes: (N, 4) float64, x1, y1, x2, y2 in pixels of the picture.
        crowd: (N,) bool, regions in which nothing is judged.
        areas: (N,) float64, square pixels of the objects, by which keypoints may be off.
        keypoints: (N, K, 3) float64, x, y in pixels and 0 where it is not labelled.
        mask: makes the (H, W) uint8 classes of the pixels, `IGNORED` where nobody knows.
    """

    class_ids: Array = field(default_factory=lambda: np.zeros(0, np.int32))
    boxes: Array = field(default_factory=lambda: np.zeros((0, 4)))
    crowd: Array = field(default_factory=lambda: np.zeros(0, bool))
    areas: Array = field(default_factory=lambda: np.zeros(0))
    keypoints: Array | None = None
    mask: Callable[[], Image] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is right in a set of pictures.

    Attributes:
        task: what is judged.
        class_names: the classes that are judged; what a model says of others counts for nothing.
        pictures: in the order of their ids.
        labelled: what is right in each, by id.
        agreement: whether it is another model's answers that are taken as right.
        keypoint_names: names of the K keypoints; may be empty.
        sigmas: (K,) by how much each keypoint may be off, as a share of the object's size; see `sigmas_for`.
    """

    task: Task
    class_names: tuple[str, ...]
    pictures: tuple[Picture, ...]
    labelled: Mapping[int, Labelled]
    agreement: bool = False
    keypoint_names: tuple[str, ...] = ()
    sigmas: tuple[float, ...] = ()

    def only(self, ids: Collection[int]) -> Truth:
        """The same about some of the pictures, such as those that could be read.

        Raises:
            LabelError: none is left.
        """
        pictures = tuple(picture for picture in self.pictures if picture.id in ids)
        if not pictures:
            mend = "give the pictures the labels are about"
            raise LabelError("labels", got=f"none about any of {len(ids)} pictures", mend=mend)
        return replace(
            self, pictures=pictures, labelled={picture.id: self.labelled[picture.id] for picture in pictures}
        )

    @property
    def ids_by_name(self) -> dict[str, int]:
        """Picture ids by file name, without its folders; a name that stands in several folders is left out."""
        found: dict[str, list[int]] = {}
        for picture in self.pictures:
            found.setdefault(picture.file_name.replace("\\", "/").rpartition("/")[2], []).append(picture.id)
        return {name: ids[0] for name, ids in found.items() if name and len(ids) == 1}


_COCO_SIGMAS = {
    "nose": 0.026,
    "eye": 0.025,
    "ear": 0.035,
    "shoulder": 0.079,
    "elbow": 0.072,
    "wrist": 0.062,
    "hip": 0.107,
    "knee": 0.087,
    "ankle": 0.089,
}
_OTHER_SIGMA = 0.05


def sigmas_for(names: Collection[str]) -> tuple[float, ...]:
    """How far people are apart who mark these keypoints, as a share of the object's size.

    COCO's own figures for the parts of a body that it has (https://cocodataset.org/#keypoints-eval), whichever side
    they are on; 0.05, between its eye and its wrist, for all others.
    """
    return tuple(_COCO_SIGMAS.get(_part(name), _OTHER_SIGMA) for name in names)


def _part(name: str) -> str:
    words = name.lower().replace("-", "_").replace(" ", "_").split("_")
    return "_".join(word for word in words if word not in ("left", "right"))
