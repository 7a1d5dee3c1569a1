"""The gate that needs pictures: an engine must see in them what ONNX Runtime sees with the same model.

With labels beside the pictures (`labels.json`, COCO) it is judged by what it loses of AP, top-1, mIoU or OKS AP;
without them by how far it agrees with ONNX Runtime's decoded answers, measured the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ai.backends.base import Backend
from edge_ai.backends.gate import Verdict
from edge_ai.core.errors import EngineError
from edge_ai.core.types import FrameHeader, Result
from edge_ai.evaluation import Comparison, Truth, compare, load_coco, truth_from
from edge_ai.evaluation.budget import FEWEST_PICTURES, LEAST_SCORES, Budget
from edge_ai.processing.card import ModelCard
from edge_ai.processing.postprocess import PostProcessor, as_result
from edge_ai.processing.resize import Preprocessor

Array = NDArray[Any]

LABELS = "labels.json"
"""What a label file beside the pictures must be called."""


BY_LABELS = {
    "fp32": Budget(0.002, 0.02),
    "fp16": Budget(0.005, 0.03),
    "int8": Budget(0.02, 0.1),
    "best": Budget(0.02, 0.1),
}
"""By precision. FP32 has one, too: TF32 and other orders of summing round otherwise."""

BY_AGREEMENT = {
    "fp32": Budget(0.01, 0.05),
    "fp16": Budget(0.03, 0.1),
    "int8": Budget(0.15, 0.3),
    "best": Budget(0.15, 0.3),
}
"""More than by labels: a box that moved by a pixel counts here, though no label would tell the two apart. The shipped
detector in INT8 loses 0.003 AP50-95 by labels and 0.07 by agreement, in FP16 0.000 and 0.002."""

_IMAGES = (".jpg", ".jpeg", ".png", ".bmp")
_MOST_UNLABELLED = 100


class AccuracyGate:
    """Refuses an engine that loses more than its budget, over all or in one class.

    What is held against the budget is the loss itself, measured on the very same pictures for both; its interval stands
    beside it in the reason, and says whether there are enough pictures.

    Args:
        card: how pictures become inputs, and outputs answers.
        precision: decides how much.
        images: folder of pictures, with `labels.json` or without; with it, the labelled ones are judged.

    Raises:
        EngineError: there is no folder, or too few pictures are in it.
        LabelError: the label file is wrong, or does not fit the model.
    """

    name = "accuracy"

    def __init__(self, card: ModelCard, precision: str, images: str = "") -> None:
        self._card, self._precision = card, precision
        folder, what = Path(images), f"gate '{self.name}'"
        mend = "put pictures of where the robot works into a folder and name it in engine_calibration"
        if not images or not folder.is_dir():
            got = f"engine_calibration '{images}'" if images else "no engine_calibration"
            raise EngineError(what, got=got, wanted="a folder of real pictures", mend=mend)
        labels = folder / LABELS
        self._truth = load_coco(labels, card.labels, task=card.task) if labels.is_file() else None
        self._paths = _labelled(folder, self._truth) if self._truth else _unlabelled(folder)
        if len(self._paths) < FEWEST_PICTURES:
            got = f"{len(self._paths)} pictures in '{folder}'"
            raise EngineError(what, got=got, wanted=f"at least {FEWEST_PICTURES}", mend=mend)

    def judge(self, candidate: Backend, reference: Backend) -> Verdict:
        """See `Gate.judge`."""
        before: dict[int, Result] = {}
        after: dict[int, Result] = {}
        answer = _Answers(self._card)
        for number, picture in self._pictures():
            before[number] = answer(reference, picture, number)
            after[number] = answer(candidate, picture, number)
        truth = self._truth or truth_from(before, self._card.task, score_threshold=self._card.score_threshold)
        return self._verdict(compare(truth, before, after))

    def _pictures(self) -> Iterator[tuple[int, Array]]:
        for number, path in self._paths.items():
            picture = cv2.imread(str(path))
            if picture is None and self._truth is None:
                continue
            if picture is None:
                mend = "replace it, or take it out of the folder and the labels"
                raise EngineError(f"picture '{path}'", got="a file that cannot be read", mend=mend)
            yield number, picture

    def _verdict(self, found: Comparison) -> Verdict:
        budget = (BY_AGREEMENT if found.agreement else BY_LABELS)[self._precision]
        by = "agreement with ONNX Runtime" if found.agreement else "labels"
        loss, goals = found.loss, budget.goals(found)
        reason = (
            f"loses {loss.value:.4f} {found.metric} ({loss.low:.4f} to {loss.high:.4f}) of {found.before.value:.4f} "
            f"by {by} on {found.pictures} pictures, allowed is {budget.max_loss:g}"
        )
        # The first goal is that loss, and why it was missed has been said.
        missed = [f"{goal.name} is {goal.value:.4f}, allowed is {goal.bound:g}" for goal in goals[1:] if not goal.met]
        figures = {
            "before": found.before.value,
            "after": found.after.value,
            "loss": loss.value,
            "loss_low": loss.low,
            "loss_high": loss.high,
            "most_loss": budget.max_loss,
            "pictures": float(found.pictures),
        }
        passed = all(goal.met for goal in goals)
        return Verdict(passed=passed, reason="; ".join([reason, *missed]), figures=figures, gate=self.name)


class _Answers:
    """Runs a card's model on a backend, from picture to answer."""

    def __init__(self, card: ModelCard) -> None:
        self._card = card
        self._preprocessor = Preprocessor(card.input)
        self._post = PostProcessor(card, score_threshold=LEAST_SCORES.get(card.task, 0.0))
        self._tensor = np.zeros(card.input.shape, card.input.dtype)

    def __call__(self, backend: Backend, picture: Array, number: int) -> Result:
        placement = self._preprocessor.prepare(picture, "bgr8", self._tensor)
        answer = self._post(backend.infer({self._card.input.name: self._tensor}), placement)
        header = FrameHeader(0, 0, "", number, picture.shape[1], picture.shape[0])
        return as_result(answer, header, self._card)


def _labelled(folder: Path, truth: Truth) -> dict[int, Path]:
    paths = {picture.id: folder / picture.file_name for picture in truth.pictures}
    missing = [path for path in paths.values() if not path.is_file()]
    if missing:
        got = f"no '{missing[0]}'" + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
        mend = "put the labelled pictures beside it, named as 'file_name' says"
        raise EngineError(f"label file '{folder / LABELS}'", got=got, wanted="a picture for each image", mend=mend)
    return paths


def _unlabelled(folder: Path) -> dict[int, Path]:
    """Some of them, spread evenly, for neighbours are often frames of one scene."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _IMAGES)
    chosen = np.linspace(0, len(paths) - 1, min(len(paths), _MOST_UNLABELLED)).round().astype(int) if paths else []
    readable = [paths[i] for i in chosen if cv2.haveImageReader(str(paths[i]))]
    return dict(enumerate(readable))
