"""Golden answers: what a model says of a few pictures, kept with it to be asked again wherever it is to serve."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from edge_ai.core.errors import ArtifactError, EdgeAIError, ImageError
from edge_ai.core.types import Classification, Detections, Frame, FrameHeader, Image, Result, Segmentation
from edge_ai.runtime.model import Model
from edge_ai.runtime.swap.likeness import Likeness, likeness
from edge_ai.runtime.swap.status import Check

GOLDEN = "golden.json"
"""The file of answers in a folder of golden pictures."""

LEAST_CLOSENESS = 0.75
"""Of all pictures together. The shipped detector in INT8 comes to 0.94 on a street and 0.83 on its worst picture, the
same weights at 320 x 320 in place of 416 x 416 to 0.68, which is another model."""

_LEAST_OF_ONE = 0.5  # of each picture that weighs enough to be judged alone
_JUDGED_ALONE = 1.0


class _Answer(BaseModel):
    """What was said of one picture; classes by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    picture: str
    boxes: list[tuple[float, float, float, float]] = []
    scores: list[float] = []
    classes: list[str] = []
    keypoints: list[list[tuple[float, float, float]]] | None = None
    best: dict[str, float] | None = None
    mask: str | None = None
    mask_classes: list[str] = []


class _Golden(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    answers: list[_Answer]


def record(model: Model, pictures: Sequence[Path], into: Path) -> None:
    """Write pictures and what the model says of them: NNN.png, NNN.mask.png of a segmenter, and golden.json.

    Args:
        model: open; asked as its card says, whatever is reported of it otherwise.
        pictures: of where the robot works, with something to be found in them.
        into: folder for them; made if it is not there.

    Raises:
        ImageError: a picture cannot be read.
        EdgeAIError: the model finds nothing in any picture, or they cannot be written.
    """
    asked, answers, weight = _as_its_card_says(model), [], Likeness()
    try:
        into.mkdir(parents=True, exist_ok=True)
        for number, path in enumerate(pictures):
            image = _read(path)
            result = asked(_frame(image))
            weight += likeness(result, result)
            answers.append(_written(result, image, into, f"{number:03d}"))
        if not weight.weight:
            mend = "give pictures of what the model is to find"
            raise EdgeAIError("golden answers", got=f"nothing found in {len(pictures)} pictures", mend=mend)
        golden = _Golden(model=f"{model.card.name} {model.card.version}", answers=answers)
        (into / GOLDEN).write_text(golden.model_dump_json(indent=1, exclude_defaults=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise EdgeAIError(f"golden answers in '{into}'", got=error.strerror, wanted="a folder to write in") from None


def check(model: Model, folder: Path) -> Check:
    """Whether a model says of the pictures what was recorded, as far as another precision may differ.

    Args:
        model: open; asked as its card says, whatever is reported of it otherwise.
        folder: as `record` wrote it.

    Raises:
        ArtifactError: the folder is not what `record` writes.
        InferenceError: the model failed.
    """
    asked, golden = _as_its_card_says(model), _load(folder)
    found = {
        answer.picture: likeness(_recorded(answer, folder), asked(_frame(_image(folder, answer.picture))))
        for answer in golden.answers
    }
    total = functools.reduce(operator.add, found.values(), Likeness())
    if not total.weight:
        return Check("golden answers", False, f"'{folder}' holds nothing to compare")
    worst = min(
        (name for name in found if found[name].weight >= _JUDGED_ALONE), key=lambda n: found[n].close, default=""
    )
    passed = total.close >= LEAST_CLOSENESS and (not worst or found[worst].close >= _LEAST_OF_ONE)
    detail = f"{total.close:.2f} like the recorded ones on {len(found)} pictures, wanted {LEAST_CLOSENESS}"
    if worst:
        detail += f"; {found[worst].close:.2f} on {worst}, wanted {_LEAST_OF_ONE}"
    return Check("golden answers", passed, detail)


def _as_its_card_says(model: Model) -> Model:
    """The same engine, with the card's threshold and all its classes."""
    return Model(model.card, model.backend)


def _frame(image: Image) -> Frame:
    return Frame(FrameHeader(0, 0, "", 0, image.shape[1], image.shape[0]), image)


def _read(path: Path) -> Image:
    image = cv2.imread(str(path))
    if image is None:
        raise ImageError(f"picture '{path}'", got="a file that cannot be read", wanted="a picture")
    return np.asarray(image, np.uint8)


def _written(result: Result, image: Image, into: Path, name: str) -> _Answer:
    _write(into / f"{name}.png", image)
    found, classified, segmented = result.detections, result.classification, result.segmentation
    if segmented is not None:
        _write(into / f"{name}.mask.png", segmented.mask)
        return _Answer(picture=f"{name}.png", mask=f"{name}.mask.png", mask_classes=list(segmented.labels))
    if classified is not None:
        best = {classified.name(i): float(classified.scores[i]) for i in reversed(range(len(classified)))}
        return _Answer(picture=f"{name}.png", best=best)
    return _Answer(
        picture=f"{name}.png",
        boxes=found.boxes.round(2).tolist(),
        scores=found.scores.round(4).tolist(),
        classes=[found.name(i) for i in range(len(found))],
        keypoints=None if found.keypoints is None else found.keypoints.round(3).tolist(),
    )


def _write(path: Path, image: Image) -> None:
    if not cv2.imwrite(str(path), image):
        raise EdgeAIError(f"picture '{path}'", got="it cannot be written", wanted="a folder to write in")


def _load(folder: Path) -> _Golden:
    mend = "record them again: edge-ai sign CARD --golden PICTURES"
    try:
        golden = _Golden.model_validate_json((folder / GOLDEN).read_bytes())
        names = [name for answer in golden.answers for name in (answer.picture, answer.mask) if name]
    except (OSError, ValidationError) as error:
        got = error.strerror if isinstance(error, OSError) else f"{error.error_count()} values that do not fit"
        raise ArtifactError(f"golden answers '{folder / GOLDEN}'", got=got, mend=mend) from None
    foreign = [name for name in names if Path(name).name != name]
    if foreign:
        raise ArtifactError(f"golden answers '{folder / GOLDEN}'", got=foreign[0], wanted="names beside it", mend=mend)
    return golden


def _image(folder: Path, name: str) -> Image:
    try:
        return _read(folder / name)
    except ImageError as error:
        raise ArtifactError(error.what, got=error.got, wanted=error.wanted) from None


def _recorded(answer: _Answer, folder: Path) -> Result:
    """The answer as a model gives it, with the names for labels."""
    header = FrameHeader(0, 0, "", 0, 0, 0)
    if answer.mask is not None:
        mask = cv2.imread(str(folder / answer.mask), cv2.IMREAD_UNCHANGED)
        if mask is None or mask.ndim != 2 or mask.max() >= len(answer.mask_classes):
            raise ArtifactError(
                f"mask '{folder / answer.mask}'", got="no classes of pixels", wanted="as it was recorded"
            )
        found = Segmentation(np.asarray(mask, np.uint8), tuple(answer.mask_classes))
        return Result(header, Detections(), "", "", segmentation=found)
    if answer.best is not None:
        names, scores = tuple(answer.best), np.array(list(answer.best.values()), np.float32)
        order = np.argsort(-scores, kind="stable").astype(np.int32)
        return Result(header, Detections(), "", "", classification=Classification(scores[order], order, names))
    return Result(header, _objects(answer, folder), "", "")


def _objects(answer: _Answer, folder: Path) -> Detections:
    count = len(answer.boxes)
    points = answer.keypoints
    if {len(answer.scores), len(answer.classes), count if points is None else len(points)} != {count}:
        raise ArtifactError(f"golden answers '{folder / GOLDEN}'", got=f"{answer.picture}: other numbers of each")
    names = tuple(dict.fromkeys(answer.classes))
    return Detections(
        np.array(answer.boxes, np.float32).reshape(count, 4),
        np.array(answer.scores, np.float32),
        np.array([names.index(name) for name in answer.classes], np.int32),
        names,
        None if points is None else np.array(points, np.float32).reshape(count, -1, 3),
    )
