"""The shipped model on labelled frames of vtest.avi."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest

from edge_ai.processing.card import ModelCard
from edge_ai.processing.postprocess import PostProcessor
from edge_ai.processing.resize import Preprocessor

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def truth():
    """COCO annotations of people; image ids are 0-based frame numbers, ``iscrowd`` marks regions to ignore."""
    return json.loads(Path(__file__).with_name("vtest53_person.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def frames(truth):
    """The labelled frames of vtest.avi and frame 400, by number."""
    path = Path(os.environ.get("EDGE_AI_VTEST") or ROOT / "out" / "data" / "vtest.avi")
    if not path.is_file():
        pytest.skip(f"no {path}: name vtest.avi (from Debian's opencv-doc) in EDGE_AI_VTEST, or run the demo once")
    wanted = {image["id"] for image in truth["images"]} | {400}
    video, found, number = cv2.VideoCapture(str(path)), {}, 0
    while video.grab():
        if number in wanted:
            found[number] = video.retrieve()[1]
        number += 1
    assert wanted == set(found), f"{path} is not the video that was labelled"
    return found


@pytest.fixture(scope="session")
def detect():
    """Run the shipped card on an image."""
    card = ModelCard.load(ROOT / "models" / "nanodet_g_416.yaml")
    session = onnxruntime.InferenceSession(str(card.check_file()), providers=["CPUExecutionProvider"])
    preprocessor, post = Preprocessor(card.input), PostProcessor(card)
    tensor = np.zeros(card.input.shape, card.input.dtype)

    def run(image):
        placement = preprocessor.prepare(image, "bgr8", tensor)
        outputs = session.run(list(card.output_names), {card.input.name: tensor})
        return post(dict(zip(card.output_names, outputs, strict=True)), placement)

    return run
