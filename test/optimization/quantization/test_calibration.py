"""Calibration: data that does not fit is refused by name, and memory does not grow with the pictures."""

import numpy as np
import onnx
import pytest

from edge_ai.core.errors import EdgeAIError, InferenceError
from edge_ai.optimization.progress import silent
from edge_ai.optimization.quantization.calibration import calibrate, fitting
from edge_ai.optimization.quantization.prepare import prepared


@pytest.fixture
def model(convolutional, tmp_path):
    return prepared(convolutional[0], tmp_path, silent)


def run(model, feeds, folder, method="minmax", percentile=99.99):
    return calibrate(model, feeds, folder, method=method, percentile=percentile, progress=silent)


@pytest.mark.parametrize("method", ["minmax", "entropy", "percentile"])
def test_ranges_hold_most_of_the_input(model, convolutional, tmp_path, method):
    ranges, pictures = run(model, convolutional[1], tmp_path, method)
    low, high = (float(np.min(side)) for side in ranges["x"].range_value)
    largest = max(abs(feed["x"]).max() for feed in convolutional[1]())
    assert pictures == 8
    assert 0.4 * largest < high < 1.01 * largest
    assert 0.4 * largest < -low < 1.01 * largest
    if method == "minmax":
        assert (low, high) == pytest.approx((-largest, largest))


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((1, 16, 16, 3), np.float32), r"\[1, 16, 16, 3\]; wanted float32 of the shape \[any, 3, 16, 16\]"),
        (np.zeros((1, 3, 16, 16), np.uint8), "got uint8"),
        (np.zeros((3, 16, 16), np.float32), r"\[3, 16, 16\]"),
        (np.full((1, 3, 16, 16), np.nan, np.float32), "NaN"),
        (np.full((1, 3, 16, 16), np.inf, np.float32), "infinity"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(model, tmp_path, array, said):
    with pytest.raises(EdgeAIError, match=said):
        run(model, lambda: iter([{"x": array}]), tmp_path)


def test_missing_and_strange_inputs_and_no_pictures_are_refused(model, tmp_path):
    array = np.zeros((1, 3, 16, 16), np.float32)
    for feed in ({}, {"z": array}, {"x": array, "z": array}):
        with pytest.raises(EdgeAIError, match="wanted for x"):
            run(model, lambda feed=feed: iter([feed]), tmp_path)
    with pytest.raises(EdgeAIError, match="no pictures"):
        run(model, lambda: iter([]), tmp_path)


def test_wrong_methods_and_percentiles_are_refused(model, convolutional, tmp_path):
    with pytest.raises(EdgeAIError, match="minmax, entropy, percentile"):
        run(model, convolutional[1], tmp_path, "guess")
    with pytest.raises(EdgeAIError, match="percentile"):
        run(model, convolutional[1], tmp_path, "percentile", 101)


@pytest.mark.parametrize("method", ["minmax", "percentile"])
def test_a_model_that_answers_nan_is_refused_with_the_picture(convolutional, tmp_path, method):
    path, feeds = convolutional
    model = onnx.load(path)
    model.graph.node[6].op_type = "Div"  # 0 / 0 where the picture is black and there is no bias
    for tensor in model.graph.initializer:
        if tensor.name.startswith("b"):
            tensor.raw_data = bytes(len(tensor.raw_data))
    onnx.save(model, path)
    black = {"x": np.zeros((1, 3, 16, 16), np.float32)}
    ready = prepared(path, tmp_path, silent)
    with pytest.raises(InferenceError, match=r"picture 8.*NaN at 'y'"):
        run(ready, lambda: iter([*feeds(), black]), tmp_path, method)


def test_single_pictures_fill_a_fixed_batch(convolutional, tmp_path):
    path, feeds = convolutional
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 4
    onnx.save(model, path)
    ready = prepared(path, tmp_path, silent)
    assert next(fitting(ready, feeds))["x"].shape == (4, 3, 16, 16)
    assert run(ready, feeds, tmp_path)[1] == 8


@pytest.mark.parametrize("method", ["minmax", "entropy"])
def test_nothing_is_kept_of_a_picture(model, convolutional, tmp_path, method, capsys):
    """Each picture's array is let go of before the next but one is asked for."""
    import weakref

    alive = []

    def feeds():
        for _ in range(12):
            array = np.random.default_rng(1).normal(size=(1, 3, 16, 16)).astype(np.float32)
            alive.append(weakref.ref(array))
            yield {"x": array}
            del array
            assert sum(one() is not None for one in alive) <= 2

    run(model, feeds, tmp_path, method)
    assert capsys.readouterr().out == ""
