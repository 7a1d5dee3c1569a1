import json

import pytest

from edge_ai.cli.main import main
from edge_ai.runtime.resources import shipped_card


def test_the_shipped_model_is_told_in_words(capsys):
    assert main(["inspect", str(shipped_card())]) == 0
    text = capsys.readouterr().out
    assert "opset 17, IR 8" in text
    assert "input images: float32 [1, 3, 416, 416]" in text
    assert "operations: 4.18 G at 416x416" in text
    assert "34 Conv" in text
    assert "ONNX Runtime" in text
    assert "TensorRT" in text


def test_the_same_as_json(capsys):
    assert main(["inspect", str(shipped_card()), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["operators"]["Conv"] == 34
    assert found["inputs"] == [{"name": "images", "dtype": "float32", "shape": [1, 3, 416, 416]}]
    assert [one["takes"] for one in found["support"]] == [True, True]


def test_what_is_no_model_is_one_line(capsys, tmp_path):
    (tmp_path / "bad.onnx").write_text("no model")
    assert main(["inspect", str(tmp_path / "bad.onnx")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: model '")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["a.onnx", "--size", "3"], ["a.onnx", "--fast"]])
def test_a_wrong_use_is_status_2(arguments):
    with pytest.raises(SystemExit) as done:
        main(["inspect", *arguments])
    assert done.value.code == 2
