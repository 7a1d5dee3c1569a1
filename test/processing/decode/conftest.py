"""Decoders as a model card makes them, with as little around them as possible."""

import numpy as np
import pytest

from edge_ai.processing.decode.base import Target
from edge_ai.processing.decode.registry import DECODERS


@pytest.fixture
def decode():
    """Decode arrays given by role: decode(options, size, classes, threshold, role=array, ..., keypoints=0)."""

    def run(options, size, classes, threshold, /, *, keypoints=0, **tensors):
        decoder_class = DECODERS.load(options["family"])
        names = {role: f"{role} of the model" for role in tensors}
        target = Target(size, classes, threshold, keypoints)
        decoder = decoder_class(decoder_class.OPTIONS.model_validate(options), names, target)
        outputs = {names[role]: tensor for role, tensor in tensors.items()}
        before = {name: np.array(tensor) for name, tensor in outputs.items()}
        found = decoder(outputs)
        for name, tensor in outputs.items():
            np.testing.assert_array_equal(tensor, before[name], err_msg="a decoder wrote into the model's memory")
            for array in (getattr(found, name, None) for name in ("boxes", "scores", "keypoints")):
                assert array is None or not np.shares_memory(array, tensor)
                assert array is None or array.dtype == np.float32
        assert not hasattr(found, "boxes") or found.boxes.shape == (len(found.scores), 4)
        assert getattr(found, "keypoints", None) is None or found.keypoints.shape == (len(found.scores), keypoints, 3)
        assert found.class_ids.dtype == np.int32
        return found

    return run


@pytest.fixture
def agree():
    """Compare raw detections with the (x1, y1, x2, y2, score, class) rows of a plain loop, in the same order."""

    def check(found, rows):
        assert found.class_ids.tolist() == [row[5] for row in rows]
        np.testing.assert_allclose(found.scores, [row[4] for row in rows], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(found.boxes, np.reshape([row[:4] for row in rows], (-1, 4)), rtol=1e-4, atol=2e-3)

    return check
