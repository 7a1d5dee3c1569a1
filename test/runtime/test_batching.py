import pytest

from edge_ai.capture.synthetic import Scene
from edge_ai.runtime.batching import policy_for
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams


@pytest.fixture
def picture():
    """Shapes in which the model finds something at a low threshold."""
    return Scene(320, 240).picture(7).copy()


def test_a_batch_finds_in_each_image_what_it_finds_alone(open_card, make_frame, picture):
    frames = [make_frame(image=picture), make_frame(image=picture[:, ::-1].copy()), make_frame()]
    model = Model.load(InferenceParams(model=str(open_card), score_threshold=0.03))
    try:
        assert model.single == ""
        together = model.detect(frames, model.request(4))
        for frame, result in zip(frames, together, strict=True):
            alone = model(frame).detections
            assert result.header is frame.header
            assert result.detections.class_ids.tolist() == alone.class_ids.tolist()
            assert result.detections.boxes == pytest.approx(alone.boxes, abs=0.05)
        assert len(together[0].detections) > 0
    finally:
        model.close()


def test_a_model_without_a_batch_dimension_gets_single_images_and_says_so(model):
    policy, words = policy_for(InferenceParams(cameras=["front", "rear"]), model)
    assert policy.max_size == 1
    assert words.startswith("single images instead of batches of 2: images")
    assert "no open batch dimension" in words


def test_batches_are_as_large_as_there_are_cameras_or_as_told(open_card):
    model = Model.load(InferenceParams(model=str(open_card)))
    try:
        assert policy_for(InferenceParams(), model)[0].max_size == 1
        policy, words = policy_for(InferenceParams(cameras=["a", "b", "c"]), model)
        assert (policy.max_size, words) == (3, "batches of up to 3, as measured")
        policy, words = policy_for(InferenceParams(batching="fixed", max_batch=4, batch_wait=0.01), model)
        assert (policy.max_size, words) == (4, "batches of 4, or what has come within 10 ms")
    finally:
        model.close()
