"""Draws the regions of a label file as the class of every pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_ai.core.types import Image
from edge_ai.evaluation.coco_file import Runs
from edge_ai.evaluation.libraries import pycocotools
from edge_ai.evaluation.truth import IGNORED, LabelError

Region = tuple[int, int, Runs | list[list[float]]]
"""Annotation id, class or -1 where nothing is judged, and its shape."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A mask to be drawn when it is asked for, so that not all of them lie in memory.

    Attributes:
        what: the label file, for messages.
        width, height: size of the picture in pixels.
        background: class of the pixels that no region covers; None: nobody knows.
        regions: the later one lies on top.
    """

    what: str
    width: int
    height: int
    background: int | None
    regions: tuple[Region, ...]

    def __call__(self) -> Image:
        """The (H, W) uint8 classes.

        Raises:
            LabelError: a region is no polygon, or its runs do not fit the picture.
            EdgeAIError: pycocotools is not installed.
        """
        mask = np.full((self.height, self.width), IGNORED if self.background is None else self.background, np.uint8)
        for crowds in (True, False):  # what is labelled counts within a crowd, too
            for annotation, number, shape in self.regions:
                if (number < 0) == crowds:
                    mask[self._inside(annotation, shape)] = IGNORED if crowds else number
        return mask

    def _inside(self, annotation: int, shape: Runs | list[list[float]]) -> Image:
        library = pycocotools("mask")
        runs = self._runs(annotation, shape) if isinstance(shape, Runs) else self._outline(annotation, shape)
        try:
            drawn = library.decode(runs)
            sound = int(drawn.max()) <= 1 and int(drawn.sum()) == int(library.area(runs))
        except (ValueError, TypeError):
            sound = False
        if not sound:  # runs that are too short leave the end of the mask to chance
            raise self._wrong(annotation, "a 'segmentation' that cannot be drawn")
        inside: Image = drawn.astype(bool)
        return inside

    def _outline(self, annotation: int, polygons: list[list[float]]) -> object:
        if not polygons or any(len(polygon) < 6 or len(polygon) % 2 for polygon in polygons):
            raise self._wrong(annotation, f"polygons of {[len(polygon) for polygon in polygons]} numbers")
        library = pycocotools("mask")
        return library.merge(library.frPyObjects(polygons, self.height, self.width))

    def _runs(self, annotation: int, shape: Runs) -> object:
        if tuple(shape.size) != (self.height, self.width):
            raise self._wrong(annotation, f"a 'segmentation' of size {list(shape.size)} (height, width)")
        values = {"size": list(shape.size), "counts": shape.counts}
        if isinstance(shape.counts, str):
            return values
        if sum(shape.counts) != self.height * self.width:
            raise self._wrong(annotation, f"runs of {sum(shape.counts)} pixels in all")
        return pycocotools("mask").frPyObjects(values, self.height, self.width)

    def _wrong(self, annotation: int, got: str) -> LabelError:
        return LabelError(
            f"{self.what}, annotation {annotation}",
            got=got,
            wanted=f"polygons of three points or more, or runs of the picture's {self.width}x{self.height}",
            mend="export its mask again, or leave it out",
        )
