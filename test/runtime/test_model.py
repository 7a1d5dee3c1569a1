import hashlib

import numpy as np
import pytest
import yaml
from onnx import TensorProto, helper

from edge_ai.core.errors import CardError, ImageError, InferenceError, ParameterError
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.resources import shipped_card


def test_a_result_carries_header_model_and_stages(model, make_frame):
    frame = make_frame(index=3)
    result = model(frame)
    assert result.header is frame.header
    assert (result.model_name, result.source) == ("nanodet_g_416", "edge")
    assert list(result.timings) == ["wait", "preprocess", "infer", "postprocess"]
    assert result.timings["infer"] > 0


def test_an_empty_image_is_refused(model, make_frame):
    with pytest.raises(ImageError):
        model(make_frame(image=np.zeros((0, 0, 3), np.uint8)))


def test_outputs_that_are_no_numbers_are_no_result(model, make_frame, monkeypatch):
    frame = make_frame()
    infer = model.backend.infer
    monkeypatch.setattr(
        model.backend, "infer", lambda feeds: {name: np.full_like(a, np.nan) for name, a in infer(feeds).items()}
    )
    with pytest.raises(InferenceError, match=r"(?i)nan"):
        model(frame)


def test_threshold_and_classes_can_change_and_unknown_classes_are_refused(model):
    with pytest.raises(ParameterError, match="unicorn"):
        model.configure(score_threshold=0.5, classes=["unicorn"])
    model.configure(score_threshold=0.5, classes=["person"])
    model.configure(score_threshold=0.0, classes=[""])


@pytest.mark.parametrize("side", ["input", "output"])
def test_a_card_whose_names_the_model_does_not_have_is_refused(tmp_path, side):
    path = shipped_card()
    values = yaml.safe_load(path.read_text())
    values["file"], values["labels"] = str(path.parent / values["file"]), str(path.parent / values["labels"])
    if side == "input":
        values["input"]["name"] = "pixels"
    else:
        values["outputs"]["scores"] = "pixels"
    card = tmp_path / "card.yaml"
    card.write_text(yaml.safe_dump(values))
    with pytest.raises(CardError, match=rf"names {side} 'pixels': got a model whose {side}s are .*(images|scores)"):
        Model.load(InferenceParams(model=str(card)))


def test_each_image_of_a_batch_gets_its_own_mask(tmp_path, make_frame):
    shape = ["n", 32, 32, 1]
    sides = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "grey", sides[:1], sides[1:])
    data = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()
    (tmp_path / "grey.onnx").write_bytes(data)
    values = {
        "name": "grey",
        "version": "1",
        "task": "segmentation",
        "file": "grey.onnx",
        "sha256": hashlib.sha256(data).hexdigest(),
        "licence": "Apache-2.0",
        "source": "made by a test",
        "input": {"name": "x", "layout": "nhwc", "size": [32, 32], "color": "gray", "scale": 1 / 255},
        "outputs": {"scores": "y"},
        "decoder": {"family": "segmenter", "layout": "nhwc"},
        "score_threshold": 0.7,
        "labels": ["background", "bright"],
    }
    card = tmp_path / "card.yaml"
    card.write_text(yaml.safe_dump(values))
    model = Model.load(InferenceParams(model=str(card)))
    try:
        wide, tall = np.zeros((48, 96, 3), np.uint8), np.zeros((64, 20, 3), np.uint8)
        wide[:, 48:] = 255
        tall[:32] = 255
        results = model.detect([make_frame(image=wide), make_frame(image=tall)], model.request(2))
    finally:
        model.close()
    for result, image in zip(results, (wide, tall), strict=True):
        assert result.segmentation.mask.shape == image.shape[:2]
        assert (result.segmentation.mask == image[:, :, 0] // 255).mean() > 0.95
        assert (result.classification, len(result.detections)) == (None, 0)
