import pytest

from edge_ai.capture.params import CameraParams
from edge_ai.core.errors import ParameterError
from edge_ai.core.params import specs


def test_defaults_are_valid_and_every_parameter_is_described() -> None:
    CameraParams()
    assert all(spec.description.endswith(".") for spec in specs(CameraParams))


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": " "},
        {"source": 0},
        {"fourcc": "MJPEG"},
        {"width": -1},
        {"max_rate": -1.0},
        {"jpeg_quality": 101},
        {"rtsp_transport": "pigeon"},
        {"read_timeout": 0.0},
        {"realtime": "yes"},
    ],
)
def test_wrong_values_are_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        CameraParams.parse(wrong)


def test_pauses_that_shrink_are_refused() -> None:
    with pytest.raises(ParameterError, match="reconnect_max"):
        CameraParams.parse({"reconnect_initial": 5.0, "reconnect_max": 1.0})
