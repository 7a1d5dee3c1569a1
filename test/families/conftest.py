"""Real models as tools/models.py leaves them, and real pictures."""

import os
import time
from pathlib import Path

import cv2
import pytest

from edge_ai.core.types import Frame, FrameHeader
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams

OUT = Path(__file__).resolve().parents[2] / "out"


@pytest.fixture(scope="session")
def model():
    """Load a real model by name, once."""
    loaded = {}

    def load(name):
        card = OUT / "models" / name / "card.yaml"
        if not card.is_file():
            pytest.skip(f"no {card}: python tools/models.py {name}")
        if name not in loaded:
            loaded[name] = Model.load(InferenceParams(model=str(card), warm_up=0))
        return loaded[name]

    yield load
    for one in loaded.values():
        one.close()


@pytest.fixture(scope="session")
def picture():
    """A picture by name: of out/data/pictures/, or a frame of vtest.avi by its 0-based number."""

    def read(name):
        if isinstance(name, int):
            return frame_of_vtest(name)
        path = OUT / "data" / "pictures" / f"{name}.png"
        if not path.is_file():
            pytest.skip(f"no {path}: python tools/models.py pictures")
        return cv2.imread(str(path))

    return read


def frame_of_vtest(number):
    path = Path(os.environ.get("EDGE_AI_VTEST") or OUT / "data" / "vtest.avi")
    if not path.is_file():
        pytest.skip(f"no {path}: python tools/demo_video.py")
    video = cv2.VideoCapture(str(path))
    for _ in range(number):
        assert video.grab()
    return video.read()[1]


@pytest.fixture(scope="session")
def see(model, picture):
    """What a model by name says of a picture by name."""

    def result(name, of):
        return model(name)(shot(picture(of)))

    return result


def shot(image):
    """A frame of an image."""
    height, width = image.shape[:2]
    return Frame(FrameHeader(0, time.monotonic_ns(), "eye", 0, width, height), image)
