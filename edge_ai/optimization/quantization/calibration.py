"""Which values the activations of a model take, found by running it on pictures: what static quantisation needs."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edge_ai.core.errors import EdgeAIError, InferenceError
from edge_ai.optimization.onnx_checks import first_line
from edge_ai.optimization.onnx_file import save_model
from edge_ai.optimization.onnx_graph import inputs, library
from edge_ai.optimization.progress import Feeds, Progress
from edge_ai.optimization.quantization.prepare import OPERATORS

Method = Literal["minmax", "entropy", "percentile"]
_WHAT = "calibration data"


def calibrate(
    model: Any, feeds: Feeds, folder: Path, *, method: Method, percentile: float, progress: Progress
) -> tuple[Any, int]:
    """Ranges of the activations around the operators that can be quantised.

    ONNX Runtime's calibrators find them. They get one picture at a time and keep of it only smallest and largest
    values or a histogram: no more memory than for one picture's activations is needed, however many pictures come.

    Args:
        model: a prepared one.
        feeds: the pictures.
        folder: for files on the way.
        method: "minmax": the ranges as seen; "entropy": those that keep most of the distribution of the values;
            "percentile": those that hold a share of the values.
        percentile: that share, in percent.
        progress: told of each picture; how many come is not known.

    Returns:
        ``onnxruntime.quantization.calibrate.TensorsData`` and the number of pictures.

    Raises:
        EdgeAIError: no pictures come, or arrays that do not fit the model or hold NaN.
        InferenceError: the model fails on one, or answers NaN to it.
    """
    calibrator = _calibrator(model, folder, method, percentile)
    calibrator.infer_session = session = _Watched(calibrator.infer_session)
    for feed in fitting(model, feeds):
        progress("calibrating", session.runs, 0)
        with contextlib.redirect_stdout(io.StringIO()):  # it prints
            calibrator.collect_data(_One(feed))
    progress("calibrating", session.runs, session.runs)
    with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        ranges = calibrator.compute_data()
    _check_ranges(ranges)
    return ranges, session.runs


def fitting(model: Any, feeds: Feeds) -> Iterator[dict[str, NDArray[Any]]]:
    """What is fed, checked; single pictures are repeated for a model of a fixed larger batch.

    Raises:
        EdgeAIError: nothing is, or an array does not fit the input of its name, or holds NaN or infinity.
    """
    wanted = {value.name: _signature(value) for value in inputs(model)}
    number = -1
    for number, feed in enumerate(feeds()):
        if feed.keys() != wanted.keys():
            got = f"arrays for {', '.join(sorted(feed)) or 'nothing'} in picture {number}"
            raise EdgeAIError(_WHAT, got=got, wanted=f"for {', '.join(sorted(wanted))}", mend="check the card's inputs")
        yield {name: _fit(name, number, feed[name], *wanted[name]) for name in wanted}
    if number < 0:
        mend = "give pictures the robot will see, such as 32 of them"
        raise EdgeAIError(_WHAT, got="no pictures", wanted="one at least", mend=mend)


def _signature(value: Any) -> tuple[np.dtype[Any], tuple[int, ...]]:
    tensor = value.type.tensor_type
    kind = library().helper.tensor_dtype_to_np_dtype(tensor.elem_type)
    return np.dtype(kind), tuple(int(dim.dim_value) for dim in tensor.shape.dim)


def _fit(name: str, number: int, array: NDArray[Any], kind: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    array = np.asarray(array)
    what = f"{_WHAT}, picture {number}, input '{name}'"
    if shape and shape[0] > 1 and array.ndim and array.shape[0] == 1:
        array = np.repeat(array, shape[0], axis=0)
    same = len(shape) == array.ndim and all(w in (0, g) for w, g in zip(shape, array.shape, strict=True))
    if array.dtype != kind or not same:
        sides = ", ".join(str(side or "any") for side in shape)
        got = f"{array.dtype} of the shape {list(array.shape)}"
        mend = "check the card's input: size, layout and dtype"
        raise EdgeAIError(what, got=got, wanted=f"{kind} of the shape [{sides}]", mend=mend)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise EdgeAIError(what, got="NaN or infinity", wanted="numbers", mend="check the card's mean and std")
    return array


def _calibrator(model: Any, folder: Path, method: Method, percentile: float) -> Any:
    from onnxruntime.quantization import CalibrationMethod
    from onnxruntime.quantization.calibrate import create_calibrator

    methods = {
        "minmax": CalibrationMethod.MinMax,
        "entropy": CalibrationMethod.Entropy,
        "percentile": CalibrationMethod.Percentile,
    }
    if method not in methods:
        raise EdgeAIError("calibration method", got=method, wanted=f"one of {', '.join(methods)}")
    if not 50 < percentile <= 100:
        raise EdgeAIError("percentile", got=percentile, wanted="more than 50 and at most 100", mend="leave it at 99.99")
    source = folder / "calibrated.onnx"
    save_model(model, source)
    return create_calibrator(
        source,
        list(OPERATORS),
        augmented_model_path=str(folder / "watched.onnx"),
        calibrate_method=methods[method],
        use_external_data_format=len(list(folder.glob("calibrated.onnx*"))) > 1,
        extra_options={"symmetric": True} | ({"percentile": percentile} if method == "percentile" else {}),
    )


def _check_ranges(ranges: Any) -> None:
    for name, data in ranges.items():
        low, high = (float(np.min(side)) for side in data.range_value)
        if not math.isfinite(low) or not math.isfinite(high):
            mend = "leave the operators around it in float"
            raise InferenceError(f"activation '{name}'", got=f"values from {low} to {high}", wanted="finite", mend=mend)


class _One:
    """A reader, as ONNX Runtime's calibrators want it, of one feed."""

    def __init__(self, feed: Mapping[str, NDArray[Any]]) -> None:
        self._feeds = iter([feed])

    def get_next(self) -> Mapping[str, NDArray[Any]] | None:
        return next(self._feeds, None)


class _Watched:
    """A session that says which picture a model fails at: the calibrators pass over NaN."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._names = [output.name for output in session.get_outputs()]
        self.runs = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run(self, names: Any, feed: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        what = f"the model on calibration picture {self.runs}"
        try:
            outputs: list[NDArray[Any]] = self._session.run(names, feed)
        except Exception as error:  # its exceptions share no base of their own
            raise InferenceError(what, got=first_line(error), mend="check that the model runs at this size") from None
        for name, output in zip(self._names, outputs, strict=True):
            if output.dtype.kind == "f" and np.isnan(output).any():
                mend = "check the model's weights and the card's mean and std"
                raise InferenceError(what, got=f"NaN at '{name}'", wanted="numbers", mend=mend)
        self.runs += 1
        return outputs
