"""Draws the regions of a label file as the class of every pixel."""

from __future__ import annotations

import re
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
            EdgeAIError: there are polygons, and pycocotools is not installed.
        """
        mask = np.full((self.height, self.width), IGNORED if self.background is None else self.background, np.uint8)
        for crowds in (True, False):  # what is labelled counts within a crowd, too
            for annotation, number, shape in self.regions:
                if (number < 0) == crowds:
                    mask[self._inside(annotation, shape)] = IGNORED if crowds else number
        return mask

    def _inside(self, annotation: int, shape: Runs | list[list[float]]) -> Image:
        """(H, W) bool"""
        if isinstance(shape, Runs):
            return self._painted(annotation, shape)
        if not shape or any(len(polygon) < 6 or len(polygon) % 2 for polygon in shape):
            raise self._wrong(annotation, f"polygons of {[len(polygon) for polygon in shape]} numbers")
        library = pycocotools("mask")
        inside: Image = library.decode(library.merge(library.frPyObjects(shape, self.height, self.width))).astype(bool)
        return inside

    def _painted(self, annotation: int, shape: Runs) -> Image:
        """Not pycocotools' `decode`, which leaves to chance what too few runs do not reach."""
        if shape.size != [self.height, self.width]:
            raise self._wrong(annotation, f"a 'segmentation' of size {shape.size} (height, width)")
        lengths = unpacked(shape.counts) if isinstance(shape.counts, str) else shape.counts
        if not lengths or min(lengths) < 0 or sum(lengths) != self.height * self.width:
            raise self._wrong(annotation, f"runs of {sum(lengths)} pixels in all")
        values = np.arange(len(lengths)) % 2 == 1
        inside: Image = np.repeat(values, lengths).reshape(self.width, self.height).T
        return inside

    def _wrong(self, annotation: int, got: str) -> LabelError:
        return LabelError(
            f"{self.what}, annotation {annotation}",
            got=got,
            wanted=f"polygons of three points or more, or runs of the picture's {self.width}x{self.height}",
            mend="export its mask again, or leave it out",
        )


def unpacked(counts: str) -> list[int]:
    """Lengths of the runs of COCO's packed form; empty if it is none.

    A character from "0" to "o" stands for 6 bits: 5 of the number, lowest first, and whether more follow; the highest
    of all is the sign. From the fourth number on it is the difference to the run two before.
    """
    if not re.fullmatch("([P-o]*[0-O])+", counts):
        return []
    lengths: list[int] = []
    for group in re.findall("[P-o]*[0-O]", counts):
        digits = [(ord(character) - ord("0")) % 32 for character in group]
        number = sum(digit << 5 * place for place, digit in enumerate(digits))
        number -= (digits[-1] >= 16) << 5 * len(digits)
        lengths.append(number + (lengths[-2] if len(lengths) > 2 else 0))
    return lengths
