import numpy as np
import pytest

from edge_ai.core.encodings import image_size


@pytest.mark.parametrize(
    ("shape", "encoding", "size"),
    [((48, 64, 3), "bgr8", (64, 48)), ((48, 64), "mono8", (64, 48)), ((72, 64), "nv12", (64, 48))],
)
def test_the_size_is_that_of_the_picture_and_not_of_the_array(shape, encoding, size):
    assert image_size(np.zeros(shape, np.uint8), encoding) == size
