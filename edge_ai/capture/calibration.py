"""The camera's calibration, as ROS's camera_calibration writes it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from edge_ai.core.errors import ParameterError

Floats = tuple[float, ...]
_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
_LENGTHS = {"plumb_bob": (4, 5), "rational_polynomial": (8, 12, 14), "equidistant": (4,)}


@dataclass(frozen=True)
class Calibration:
    """What sensor_msgs/CameraInfo says about a camera.

    Attributes:
        width: image width the calibration was made at, pixels.
        height: image height, pixels.
        distortion_model: "plumb_bob", "rational_polynomial" or "equidistant"; empty when uncalibrated.
        d: distortion coefficients, as many as the model has.
        k: 9 floats, 3x3 camera matrix by rows, pixels; all zero when uncalibrated.
        r: 9 floats, 3x3 rectification matrix by rows.
        p: 12 floats, 3x4 projection matrix by rows, pixels.
        camera_name: as the calibration calls it.
    """

    width: int
    height: int
    distortion_model: str
    d: Floats
    k: Floats
    r: Floats
    p: Floats
    camera_name: str = ""

    @classmethod
    def none(cls, width: int, height: int) -> Calibration:
        """An uncalibrated camera: K all zero, which is how sensor_msgs/CameraInfo says so."""
        return cls(width, height, "", (), (0.0,) * 9, _IDENTITY, (0.0,) * 12)

    @classmethod
    def load(cls, path: str | Path) -> Calibration:
        """Read a camera_calibration YAML.

        Raises:
            ParameterError: no such file, no YAML, or an entry missing or malformed; says which.
        """
        where = f"calibration '{path}'"
        try:
            content = yaml.safe_load(Path(path).expanduser().read_text(encoding="utf-8"))
        except OSError as error:
            raise ParameterError(where, got=error.strerror or error, wanted="a readable file") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ParameterError(where, got=" ".join(str(error).split()), wanted="YAML") from None
        if not isinstance(content, Mapping):
            raise ParameterError(where, got=type(content).__name__, wanted="a mapping, as camera_calibration writes")
        return cls._from(content, where)

    @classmethod
    def _from(cls, content: Mapping[str, Any], where: str) -> Calibration:
        model = content.get("distortion_model")
        if not isinstance(model, str) or model not in _LENGTHS:
            raise ParameterError(f"{where}, distortion_model", got=repr(model), wanted=" or ".join(_LENGTHS))
        return cls(
            width=_size(content, "image_width", where),
            height=_size(content, "image_height", where),
            distortion_model=model,
            d=_matrix(content, "distortion_coefficients", _LENGTHS[model], where),
            k=_matrix(content, "camera_matrix", (9,), where),
            r=_matrix(content, "rectification_matrix", (9,), where),
            p=_matrix(content, "projection_matrix", (12,), where),
            camera_name=str(content.get("camera_name") or ""),
        )

    def fits(self, width: int, height: int) -> bool:
        """Whether the calibration was made at this image size."""
        return (self.width, self.height) == (width, height)


def _size(content: Mapping[str, Any], key: str, where: str) -> int:
    value = content.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ParameterError(f"{where}, {key}", got=repr(value), wanted="a positive whole number of pixels")
    return value


def _matrix(content: Mapping[str, Any], key: str, lengths: tuple[int, ...], where: str) -> Floats:
    entry = content.get(key)
    data = entry.get("data") if isinstance(entry, Mapping) else None
    wanted = f"{key}.data: {' or '.join(map(str, lengths))} finite numbers"
    if not isinstance(data, list):
        raise ParameterError(f"{where}, {key}", got=repr(entry)[:60], wanted=wanted)
    if len(data) not in lengths:
        raise ParameterError(f"{where}, {key}", got=f"{len(data)} numbers", wanted=wanted)
    for value in data:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ParameterError(f"{where}, {key}", got=repr(value), wanted=wanted)
    return tuple(float(value) for value in data)
