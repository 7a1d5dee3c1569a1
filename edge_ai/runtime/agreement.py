"""The gate that needs no data: an engine must answer what ONNX Runtime answers with the same model."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ai.backends.base import Backend
from edge_ai.backends.gate import Gate, Verdict
from edge_ai.core.errors import EngineError
from edge_ai.core.registry import Registry
from edge_ai.processing.card import ModelCard
from edge_ai.processing.resize import Preprocessor

Array = NDArray[Any]

MOST_DIFFERENCE = {"fp32": 0.01, "fp16": 0.05, "int8": 0.3, "best": 0.3}
"""Most that answers may differ, by precision; see `difference`. Nonsense is at 1, or beyond."""

FARTHEST = sys.float_info.max

_PICTURES = 8
_SIZE = (480, 640)
_SEED = 20
_IMAGES = (".jpg", ".jpeg", ".png", ".bmp")
_MOST_IMAGES = 64


class OutputAgreement:
    """Compares every output on a few pictures: by no more than a share of its size may it differ.

    It finds engines that answer zeros, NaN or nonsense, and rounding that has run away. How much accuracy rounding
    costs on the user's own data it cannot tell.

    Args:
        card: how pictures become inputs.
        precision: decides how much.
        images: folder of pictures; default made ones: smooth noise and shapes.
    """

    name = "agreement"

    def __init__(self, card: ModelCard, precision: str, images: str = "") -> None:
        self._card, self._most, self._images = card, MOST_DIFFERENCE[precision], images

    def judge(self, candidate: Backend, reference: Backend) -> Verdict:
        """See `Gate.judge`."""
        worst, where, count = 0.0, "", 0
        for feeds in card_feeds(self._card, self._images):
            count += 1
            wanted, got = reference.infer(feeds), candidate.infer(feeds)
            for name, array in wanted.items():
                if not np.isfinite(got[name]).all():
                    return self._verdict(
                        False, f"output {name!r} holds NaN or infinity on picture {count}", None, count
                    )
                if (far := difference(got[name], array)) > worst:
                    worst, where = far, name
        passed = worst <= self._most
        at = f" at output {where!r}" if where else ""
        reason = f"answers differ by up to {worst:.2%}{at} on {count} pictures, allowed is {self._most:.0%}"
        return self._verdict(passed, reason, worst, count)

    def _verdict(self, passed: bool, reason: str, worst: float | None, pictures: int) -> Verdict:
        figures = {"most_difference": self._most, "pictures": float(pictures)}
        if worst is not None:
            figures["difference"] = worst
        return Verdict(passed=passed, reason=reason, figures=figures, gate=self.name)


MakeGate = Callable[[ModelCard, str, str], Gate]
GATES: Registry[MakeGate] = Registry(
    "gate",
    {
        "agreement": "edge_ai.runtime.agreement:OutputAgreement",
        "accuracy": "edge_ai.runtime.accuracy_gate:AccuracyGate",
    },
)
"""Every gate; each is made with the card, the precision and the folder of images."""


def gate(name: str, card: ModelCard, precision: str, images: str) -> Gate:
    """The gate of that name.

    Raises:
        EdgeAIError: there is none.
    """
    return GATES.load(name)(card, precision, images)


def difference(a: Array, b: Array) -> float:
    """How far an array is from another: the length of their difference over the other's length, as vectors.

    0: the same; 1: as far as zeros are. The largest float where the shapes differ or only the other one is zero.
    """
    if a.shape != b.shape:
        return FARTHEST
    x, y = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    length = float(np.linalg.norm(y))
    if length == 0.0:
        return FARTHEST if x.any() else 0.0
    return float(np.linalg.norm(x - y)) / length


def card_feeds(card: ModelCard, folder: str = "") -> Iterator[Mapping[str, Array]]:
    """Inputs for a card's model, one picture at a time, from a folder or made here.

    Raises:
        EngineError: the folder holds no picture.
    """
    preprocessor = Preprocessor(card.input)
    for picture in _read(Path(folder)) if folder else made_pictures():
        tensor = np.zeros(card.input.shape, card.input.dtype)
        preprocessor.prepare(picture, "bgr8", tensor)
        yield {card.input.name: tensor}


def made_pictures() -> Iterator[Array]:
    """Pictures (H, W, 3) uint8, always the same: noise of several scales, as in nature, with shapes on it."""
    random = np.random.default_rng(_SEED)
    height, width = _SIZE
    for _ in range(_PICTURES):
        picture = np.zeros((height, width, 3), np.float32)
        for cells in (4, 12, 40, 160):
            noise = random.random((cells, cells, 3), np.float32)
            picture += (
                np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), np.float32) / cells**0.5
            )
        image = cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)  # type: ignore[call-overload]
        for _ in range(6):
            x, y, size = (int(value) for value in random.integers((0, 0, 20), (width, height, 200)))
            colour = [int(value) for value in random.integers(0, 256, 3)]
            cv2.rectangle(image, (x, y), (x + size // 2, y + size), colour, -1)
            cv2.circle(image, (width - x, y), size // 3, colour[::-1], -1)
        yield image


def _read(folder: Path) -> Iterator[Array]:
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in _IMAGES)[:_MOST_IMAGES]
    pictures = (cv2.imread(str(path)) for path in paths)
    found = False
    for picture in pictures:
        if picture is not None:
            found = True
            yield picture
    if not found:
        raise EngineError(f"engine_calibration '{folder}'", got="no picture", wanted=f"{', '.join(_IMAGES)} files")
