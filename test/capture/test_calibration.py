from pathlib import Path
from typing import Any

import pytest
import yaml

from edge_ai.capture.calibration import Calibration
from edge_ai.core.errors import ParameterError

GOOD: dict[str, Any] = {
    "image_width": 640,
    "image_height": 480,
    "camera_name": "front",
    "camera_matrix": {"rows": 3, "cols": 3, "data": [600.5, 0, 320, 0, 601, 240, 0, 0, 1]},
    "distortion_model": "plumb_bob",
    "distortion_coefficients": {"rows": 1, "cols": 5, "data": [0.1, -0.2, 0.0, 0.0, 0.05]},
    "rectification_matrix": {"rows": 3, "cols": 3, "data": [1, 0, 0, 0, 1, 0, 0, 0, 1]},
    "projection_matrix": {"rows": 3, "cols": 4, "data": [600.5, 0, 320, 0, 0, 601, 240, 0, 0, 0, 1, 0]},
}


def load(tmp_path: Path, content: object) -> Calibration:
    path = tmp_path / "camera.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return Calibration.load(path)


def test_a_camera_calibration_file_is_read_whole(tmp_path: Path) -> None:
    got = load(tmp_path, GOOD)
    assert (got.width, got.height, got.camera_name, got.distortion_model) == (640, 480, "front", "plumb_bob")
    assert got.k == (600.5, 0.0, 320.0, 0.0, 601.0, 240.0, 0.0, 0.0, 1.0)
    assert got.d == (0.1, -0.2, 0.0, 0.0, 0.05)
    assert got.r == (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    assert got.p == (600.5, 0.0, 320.0, 0.0, 0.0, 601.0, 240.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    assert got.fits(640, 480)
    assert not got.fits(1280, 720)


def test_an_uncalibrated_camera_has_a_zero_matrix() -> None:
    none = Calibration.none(320, 240)
    assert (none.width, none.height, none.k, none.p, none.d) == (320, 240, (0.0,) * 9, (0.0,) * 12, ())


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("image_width", None, "image_width: got None"),
        ("image_height", "480", "image_height: got '480'"),
        ("image_height", 0, "image_height: got 0"),
        ("distortion_model", "fisheye", "distortion_model: got 'fisheye'; wanted plumb_bob"),
        ("distortion_coefficients", {"data": [0.1]}, "distortion_coefficients: got 1 numbers"),
        ("camera_matrix", {"data": [1] * 8}, "camera_matrix: got 8 numbers"),
        ("camera_matrix", [1] * 9, "camera_matrix: got"),
        ("rectification_matrix", {"data": [float("nan")] * 9}, "rectification_matrix: got nan"),
        ("projection_matrix", {"data": ["x"] * 12}, "projection_matrix: got 'x'"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, key: str, value: object, message: str) -> None:
    content = {k: v for k, v in {**GOOD, key: value}.items() if v is not None}
    with pytest.raises(ParameterError, match=message):
        load(tmp_path, content)


@pytest.mark.parametrize(("text", "message"), [("", "got NoneType"), ("{", "wanted YAML"), ("- 1", "got list")])
def test_what_is_no_calibration_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        load(tmp_path, text)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ParameterError, match=r"/no/camera\.yaml.*No such file"):
        Calibration.load("/no/camera.yaml")
