"""The same exactness on real models of other families, where they have been fetched."""

from pathlib import Path

import onnx
import pytest

from edge_ai.optimization.pruning.graph import simplified

MODELS = Path(__file__).parents[3] / "out" / "models"


@pytest.mark.parametrize("name", ["efficientnet_lite0", "movenet_multipose", "selfie"])
def test_channels_that_nobody_uses_can_go(agree, name):
    path = MODELS / name / "model.onnx"
    if not path.is_file():
        pytest.skip(f"{path} is not there: python tools/models.py {name}")
    model = simplified(onnx.load(str(path)))
    value = model.graph.input[0]
    shape = [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]
    dtype = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    assert agree(model, amount=0.3, shape=shape, name=value.name, dtype=dtype) > 300
