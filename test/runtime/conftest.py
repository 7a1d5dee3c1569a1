import numpy as np
import pytest

from edge_ai.core.clock import SystemClock
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams


@pytest.fixture(scope="module")
def model():
    model = Model.load(InferenceParams())
    yield model
    model.close()


@pytest.fixture
def make_frame():
    clock = SystemClock()

    def make(index=0, image=None):
        image = np.full((240, 320, 3), 127, np.uint8) if image is None else image
        steady, stamp = clock.steady_ns(), clock.stamp_ns()
        return Frame(FrameHeader(stamp, steady, "eye", index, image.shape[1], image.shape[0]), image)

    return make
