"""Label files as COCO has them: read, and every value checked. What they mean is said in `labels`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge_ai.evaluation.truth import LabelError

MEND = "export the labels in COCO's format: an object with the lists 'images', 'annotations' and 'categories'"
_SHOWN = 3
_EDGE = 1.0
"""Pixels a box may reach over the edge: tools round."""

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Side = Annotated[int, Field(ge=1, le=1 << 16)]


class _Part(BaseModel):
    """A part of a file: its keys are checked, those that nobody here reads are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)


class ImageEntry(_Part):
    """A picture."""

    id: int
    width: Side
    height: Side
    file_name: str = ""


class CategoryEntry(_Part):
    """A class."""

    id: int
    name: Annotated[str, Field(min_length=1)]
    keypoints: list[str] = []
    sigmas: list[Annotated[float, Field(gt=0)]] = []


class Runs(_Part):
    """A mask as the lengths of runs of 0 and 1, column by column."""

    size: Annotated[list[Side], Field(min_length=2, max_length=2)]
    counts: str | list[Annotated[int, Field(ge=0)]]


class AnnotationEntry(_Part):
    """An object, a region, or the class of a whole picture."""

    id: int
    image_id: int
    category_id: int
    bbox: Annotated[list[Number], Field(min_length=4, max_length=4)] | None = None
    area: Annotated[Number, Field(ge=0)] | None = None
    iscrowd: Literal[0, 1] = 0
    keypoints: list[Number] | None = None
    segmentation: Runs | list[list[Number]] | None = None


class CocoFile(_Part):
    """A label file whose ids are unique and point to something."""

    images: Annotated[list[ImageEntry], Field(min_length=1)]
    annotations: Annotated[list[AnnotationEntry], Field(min_length=1)]
    categories: Annotated[list[CategoryEntry], Field(min_length=1)]


def read_coco(path: Path) -> CocoFile:
    """Read a label file.

    Raises:
        LabelError: it is missing or not JSON; a key is missing or wrong; an id or name is there twice, or an id points
            nowhere; a box is empty or outside its picture.
    """
    what = f"label file '{path}'"
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise LabelError(what, got=error.strerror, wanted="a readable file", mend="correct its path") from None
    except UnicodeDecodeError:
        raise LabelError(what, got="bytes that are not UTF-8", wanted="JSON", mend=MEND) from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise LabelError(what, got=f"no JSON ({error})", wanted="JSON", mend=MEND) from None
    try:
        content = CocoFile.model_validate(values)
    except ValidationError as error:
        raise LabelError(what, got=_first(list(_shape_problems(error))), mend=MEND) from None
    if problems := list(_problems(content)):
        raise LabelError(what, got=_first(problems), mend="correct these entries, or leave them out")
    return content


def _first(problems: list[str]) -> str:
    more = f", and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return "; ".join(problems[:_SHOWN]) + more


def _shape_problems(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        where = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "missing":
            yield f"no '{where}'"
        elif not where:
            yield f"{type(problem['input']).__name__}, not an object"
        else:
            value = repr(problem["input"])
            value = value if len(value) <= 40 else f"{value[:36]} ..."
            yield f"'{where}' = {value}, wanted {problem['msg'].removeprefix('Input should be ')}"


def _problems(content: CocoFile) -> Iterator[str]:
    yield from _twice("image id", [image.id for image in content.images])
    yield from _twice("file_name", [image.file_name for image in content.images if image.file_name])
    yield from _twice("category id", [category.id for category in content.categories])
    yield from _twice("category", [category.name for category in content.categories])
    yield from _twice("annotation id", [annotation.id for annotation in content.annotations])
    images = {image.id: image for image in content.images}
    categories = {category.id for category in content.categories}
    for annotation in content.annotations:
        image = images.get(annotation.image_id)
        if image is None:
            yield f"annotation {annotation.id} of image_id {annotation.image_id}, which is not among 'images'"
        elif annotation.bbox is not None:
            yield from _box_problems(annotation, annotation.bbox, image)
        if annotation.category_id not in categories:
            yield f"annotation {annotation.id} of category_id {annotation.category_id}, not among 'categories'"


def _twice(what: str, values: list[int] | list[str]) -> Iterator[str]:
    yield from (f"{what} {value!r} {times} times" for value, times in Counter(values).items() if times > 1)


def _box_problems(annotation: AnnotationEntry, box: list[float], image: ImageEntry) -> Iterator[str]:
    x, y, width, height = box
    if width <= 0 or height <= 0:
        yield f"annotation {annotation.id} with bbox {box}, whose width or height is not above 0"
    elif x < -_EDGE or y < -_EDGE or x + width > image.width + _EDGE or y + height > image.height + _EDGE:
        size = f"{image.width}x{image.height}"
        yield f"annotation {annotation.id} with bbox {box} (x, y, width, height), outside its picture of {size}"
