"""A card in a folder of its own, for tests to spoil."""

import hashlib

import pytest
import yaml


@pytest.fixture
def card_values():
    """The values of a small valid card for a model file of four bytes."""
    return {
        "name": "small",
        "version": "1",
        "task": "detection",
        "file": "small.onnx",
        "sha256": hashlib.sha256(b"onnx").hexdigest(),
        "licence": "MIT",
        "source": "made by a test",
        "input": {"name": "images", "layout": "nchw", "size": [64, 32], "color": "bgr"},
        "outputs": {"predictions": "out"},
        "decoder": {"family": "yolov8"},
        "nms": {"iou": 0.5},
        "score_threshold": 0.4,
        "labels": ["person", "car"],
    }


@pytest.fixture
def write_card(tmp_path):
    """Write values as a card beside a model file of four bytes; gives the card's path."""

    def write(values):
        (tmp_path / "small.onnx").write_bytes(b"onnx")
        path = tmp_path / "small.yaml"
        path.write_text(yaml.safe_dump(values), encoding="utf-8")
        return path

    return write
