"""Lighter variants of the shipped detector, made for measurements: in INT8, of smaller pictures, and both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge_ai.optimization.artifact import write_card
from edge_ai.optimization.progress import Made
from edge_ai.optimization.quantization.quantize import quantize_static
from edge_ai.optimization.resizing import resize
from edge_ai.processing.card import ModelCard
from edge_ai.processing.resize import Preprocessor
from edge_ai.runtime.resources import shipped_card

_SIZES = (320, 256)
_PICTURES = 24  # to calibrate on


def pictures_of(video: str) -> list[Any]:
    """Some pictures of it, (H, W, 3) uint8."""
    capture, found = cv2.VideoCapture(video), []
    while len(found) < _PICTURES and capture.grab():
        for _ in range(9):
            capture.grab()
        found.append(capture.retrieve()[1])
    return found or [np.full((576, 768, 3), 114, np.uint8)]


def variants_in(folder: Path, pictures: list[Any]) -> dict[str, Path]:
    """Paths of the cards by name, the shipped one first."""
    folder.mkdir(parents=True, exist_ok=True)
    cards = {"original": shipped_card()}
    for size in _SIZES:
        card = ModelCard.load(shipped_card())
        made = resize(card.model_path, folder / f"{size}.onnx", (size, size), card.input)
        cards[str(size)] = _card(card, made, str(size))
    for name, source in (("int8", "original"), ("320_int8", "320")):
        card = ModelCard.load(cards[source])

        def feeds(card: ModelCard = card) -> Iterator[Mapping[str, Any]]:
            preprocessor = Preprocessor(card.input)
            for picture in pictures:
                tensor = np.zeros(card.input.shape, card.input.dtype)
                preprocessor.prepare(picture, "bgr8", tensor)
                yield {card.input.name: tensor}

        cards[name] = _card(card, quantize_static(card.model_path, folder / f"{name}.onnx", feeds), name)
    return cards


def _card(card: ModelCard, made: Made, name: str) -> Path:
    path = made.path.with_suffix(".yaml")
    write_card(card, made.path, path, version=name, source="benchmarks", size=made.size)
    return path
