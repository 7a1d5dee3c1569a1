import pytest

from edge_ai.backends.trt_faults import build_failed


@pytest.mark.parametrize(
    ("line", "layer", "mend"),
    [
        (
            "[optimizer] Could not find any implementation for node {ForeignNode[/head/Conv...]}.",
            "ForeignNode[/head/Conv",
            "engine_workspace",
        ),
        ("Error Code 2: OutOfMemory (Requested size was 512 bytes)", "", "free memory"),
        ("Calibration failure occurred with no scaling factors detected.", "", "Q/DQ"),
        ("DLA validation failed for layer conv1", "conv1", "dla_core"),
        ("something never seen", "", "precision fp32"),
    ],
)
def test_the_log_becomes_a_layer_and_a_mend(line, layer, mend):
    error = build_failed("model.onnx", [line])
    assert line in str(error)
    assert mend in error.mend
    assert ("at layer" in error.what) == bool(layer)
    assert layer in error.what


def test_a_silent_failure_is_told_as_such():
    assert "says nothing" in str(build_failed("model.onnx", []))


def test_the_same_line_twice_is_told_once():
    assert str(build_failed("m", ["out of memory", "out of memory"])).count("out of memory") == 1
